"""Sets of kinds of keys that several detectors speak of."""

from typing import Final

from guard.state.link import KeyKind

TEMPLATE_KINDS: Final = frozenset({KeyKind.PREFIX, KeyKind.SHAPE, KeyKind.PARAPHRASE})
STRANGER_KINDS: Final = TEMPLATE_KINDS | {KeyKind.CLIENT}
"""What people meet by themselves: colleagues, who share cards and networks, are not known by these."""
SEVERAL_PRINCIPALS: Final = 2.0
"""The feature `principals` where more than one organisation or card stands behind a key."""
STRANGERS_MIN: Final = 12.0
"""Accounts of different principals from which a shared template is worth a look; below, colleagues and friends."""
