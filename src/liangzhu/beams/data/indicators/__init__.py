"""Indicators: definition, named query, snapshot, drill-down."""
