"""Detectors about a link key, one file each, and what speaks for a key. `judge.py` puts them in order."""
