"""Other people's logs and traces as request events. One file per format, each with its table: which column became which field.

Text never passes through: of a prompt only counts remain, and identifiers are keyed hashes. What a source does not tell stays missing.
"""
