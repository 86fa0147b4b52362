"""Decision tables: rules as data, tested by their own examples, explained as a trace."""
