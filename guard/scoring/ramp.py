"""From nothing to all: how much a number counts between the value that says nothing and the one that says everything."""


def ramp(value: float, least: float, enough: float) -> float:
    """0 up to `least`, 1 from `enough` on, and in proportion between them."""
    return min(1.0, max(0.0, (value - least) / (enough - least)))
