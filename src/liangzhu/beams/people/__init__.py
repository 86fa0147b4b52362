"""people: who is there, and who may act for whom."""
