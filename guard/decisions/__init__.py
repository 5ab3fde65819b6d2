"""Decisions: immutable orders about a subject, with reasons and an expiry."""
