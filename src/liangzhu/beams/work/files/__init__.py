"""Attachments, named by their fingerprint."""
