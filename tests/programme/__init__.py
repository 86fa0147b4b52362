"""A package, so that what its fixtures share ends with its last test."""
