"""The pillars: what the district does. They never import each other."""
