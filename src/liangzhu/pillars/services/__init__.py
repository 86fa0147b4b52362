"""Services: do a thing once, carry nothing (一网通办、一件事、苏服码)."""
