"""Units valid in time, persons, posts, roles, deputies."""
