"""Pages of the kernel: what could not be delivered."""
