"""Accounts, sign-in, second factor, sessions, the post one acts under."""
