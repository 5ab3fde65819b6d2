"""One listed account of a link key, in one number of 64 bits: keys have thousands, and each is read whenever the key is told of."""

from typing import Final

LEVELS: Final = 8
"""Steps of devotion that are remembered: a record is rewritten only when an account's step changes."""
DEVOTION_MIN: Final = 1 / 16
USES_BEFORE_MAX: Final = (1 << 16) - 2
"""Uses that an account may have had before the count began anew; one with more looks busier than it is, which speaks for the key."""
SEEN, MOVED = 1 << 6, 1 << 7
"""Marks of one that was told of since the last release, and that moved to the new model."""
MARKS: Final = SEEN | MOVED

_LEVEL, _PLACE, _DAY, _BEFORE = 2, 8, 32, 48
_AGE_BITS, _LEVEL_BITS, _PLACE_BITS, _DAY_BITS = 3, 15, (1 << 24) - 1, (1 << 16) - 1
_KEPT: Final = MARKS | -1 << _BEFORE
"""What does not come with each contact."""


def listed(place: int, level: int, age: int, day: int, known: int = 0) -> int:
    """The member at a place of the list, with its step of devotion, its age at the first use and its day of registration (0: unknown).

    `known` is what was remembered of it so far; its marks and its uses before the count began anew are kept.
    """
    return known & _KEPT | day << _DAY | place << _PLACE | level << _LEVEL | age


def place(member: int) -> int:
    """Its place in the list, 0 to 16 million."""
    return member >> _PLACE & _PLACE_BITS


def level(member: int) -> int:
    """Its step of devotion, 0 to `LEVELS`."""
    return member >> _LEVEL & _LEVEL_BITS


def devotion(member: int) -> float:
    """Its devotion, `DEVOTION_MIN` to 1."""
    return max(level(member) / LEVELS, DEVOTION_MIN)


def age(member: int) -> int:
    """Its `Age` at the first use."""
    return member & _AGE_BITS


def day(member: int) -> int:
    """Its day of registration since the epoch; 0 when that is not known."""
    return member >> _DAY & _DAY_BITS


def uses_before(member: int) -> int | None:
    """Its uses of the key before the count began anew; None when it has not used it since."""
    counted = member >> _BEFORE
    return counted - 1 if counted else None


def with_uses_before(member: int, uses: int) -> int:
    """The same member, seen again since the count began anew."""
    return without_uses_before(member) | (1 + min(uses, USES_BEFORE_MAX)) << _BEFORE


def without_uses_before(member: int) -> int:
    """The same member, not seen since the count began anew."""
    return member & (1 << _BEFORE) - 1
