"""Replay: recorded events through the same engine, from files, without a broker; the same input gives the same bytes."""
