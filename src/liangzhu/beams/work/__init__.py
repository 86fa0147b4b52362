"""work: matters moving between units against a clock."""
