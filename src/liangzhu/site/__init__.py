"""The composition root: settings, addresses, command line, shells."""
