"""data: what is described, shared and measured."""
