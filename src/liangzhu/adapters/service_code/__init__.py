"""The province's service codes."""
