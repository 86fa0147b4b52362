"""Forms as data: several steps, saved as one types, prefilled, co-signed, kept as snapshots."""
