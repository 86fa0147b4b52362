"""Matters: process, clock, history, inbox, comments, notices."""
