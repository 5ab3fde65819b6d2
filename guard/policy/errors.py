"""What is wrong with a policy document or a label: one harmless line for each fault, whatever the bytes held."""

from collections.abc import Sequence
from typing import Final

from guard.errors import InputError

LINES_MAX: Final = 20
"""Faults named in one answer; further ones are only counted."""

SHOWN_CHARS_MAX: Final = 60
"""Of a wrong value as much is shown as one recognises it by."""


class PolicyError(InputError):
    """A policy document that is refused whole. `lines` names the faults; `version` is the one it claims, if readable.

    `faults` is their number where `lines` holds only the first of them.
    """

    def __init__(self, lines: Sequence[str], version: int | None = None, faults: int = 0) -> None:
        kept = lines[:LINES_MAX]
        beyond = max(faults, len(lines)) - len(kept)
        self.lines = (*kept, f"and {beyond} more faults") if beyond > 0 else tuple(kept)
        self.version = version
        super().__init__("; ".join(self.lines))


class LabelError(InputError):
    """A label record that is refused; the label that held before still holds."""


def shown(value: object) -> str:
    """A value as it may stand in an error line: printable ASCII, one line, bounded."""
    text = ascii(value)
    return text if len(text) <= SHOWN_CHARS_MAX else text[: SHOWN_CHARS_MAX - 3] + "..."
