"""Service codes: shown by residents, scanned and checked at the counter."""
