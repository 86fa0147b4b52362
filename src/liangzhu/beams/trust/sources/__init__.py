"""Sources of what government holds: pulls, receipts, and the trail of who read whose values."""
