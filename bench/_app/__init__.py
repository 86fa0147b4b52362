"""A kind of matter that can be moved for ever, so that a step can be measured alone."""
