"""Pages of the kernel: the log before everybody, and what could not be delivered."""
