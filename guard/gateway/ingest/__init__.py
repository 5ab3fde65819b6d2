"""Requests in, contract events out: what gateways report, checked, stripped of text and persons, and brought to `guard.requests`."""
