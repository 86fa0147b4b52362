"""The pages of services, by area."""
