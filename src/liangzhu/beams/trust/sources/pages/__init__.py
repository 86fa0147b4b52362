"""Pages: how sources do; the person's trail and receipts."""
