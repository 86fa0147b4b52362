"""The kernel: what every part stands on, without a domain noun."""
