"""Tags of this app's pages and papers."""
