"""Certificates, seals and sealed papers."""
