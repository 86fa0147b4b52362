"""People registers: natural persons, organisations, mandates."""
