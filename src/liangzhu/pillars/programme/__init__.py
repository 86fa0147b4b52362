"""The plan as a live ledger."""
