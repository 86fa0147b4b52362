"""The look of the house: base controls, tags and forms that every page uses."""
