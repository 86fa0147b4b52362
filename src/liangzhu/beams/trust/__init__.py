"""Trust (信任): what lets anyone check what the others did."""
