"""The closed tables of features: named numbers in stated ranges, read from what is remembered of a subject."""
