"""Chain hashes of a conversation: what it is after this exchange is what the next turn finds before its own.

The chain goes over what was said and called, by user, tools and model alike. White space, the split of a text into parts, thinking,
images, cache marks and the system prompt do not count: clients and providers change or drop them between two turns.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from guard.events.fingerprint.turns import Turn
from guard.events.hashing import KeyedHasher

BYTES_MIN: Final = 128
"""Less than this, without white space, strangers say too: a greeting and its stock answer would link them."""
WHITE_SPACE: Final = b" \t\n\r\x0b\x0c"
_FROM_USER: Final = "\x01"
_FROM_MODEL: Final = "\x02"
"""Stand where the speaker changes; neighbouring messages of one speaker are one, as providers merge them."""


class Chain(NamedTuple):
    """Bytes of the conversation without its last turn, and of what this exchange adds."""

    before: bytes
    added: bytes
    """Empty when no reply came: then nothing can be continued."""

    def __repr__(self) -> str:
        return f"Chain({len(self.before)} + {len(self.added)} bytes)"

    def hashes(self, hasher: KeyedHasher) -> tuple[str | None, str | None]:
        """The hashes before and after this exchange; None for a first turn, without a reply, and below `BYTES_MIN`."""
        before, after = hasher.chain("conversation", (self.before, self.added))
        return (
            before if len(self.before) >= BYTES_MIN else None,
            after if self.added and len(self.before) + len(self.added) >= BYTES_MIN else None,
        )


class StoredChain(NamedTuple):
    """A conversation that the provider keeps: each response is named, and the next request names the one it continues."""

    previous: str
    reply: str | None

    def hashes(self, hasher: KeyedHasher) -> tuple[str | None, str | None]:
        """The hash of the response continued, and of the one given; None without a reply."""
        return hasher.hash("response", self.previous), hasher.hash("response", self.reply) if self.reply is not None else None


def chain_of(turns: Sequence[Turn], reply: Sequence[Turn]) -> Chain:
    """The chain of the turns sent and of the reply to them."""
    start = last_turn(turns)
    answered = any(turn.pieces for turn in reply)
    return Chain(_canonical(turns[:start]), _canonical([*turns[start:], *reply]) if answered else b"")


def last_turn(turns: Sequence[Turn]) -> int:
    """Where the last turn begins: after the last answer, not counting one begun for the model to go on with."""
    start = len(turns)
    while start and turns[start - 1].by_model:
        start -= 1
    while start and not turns[start - 1].by_model:
        start -= 1
    return start


def _canonical(turns: Sequence[Turn]) -> bytes:
    pieces: list[str] = []
    speaker = None
    for turn in turns:
        if turn.by_model is not speaker:
            speaker = turn.by_model
            pieces.append(_FROM_MODEL if speaker else _FROM_USER)
        pieces.extend(turn.pieces)
    return "".join(pieces).encode("utf-8", "surrogatepass").translate(None, WHITE_SPACE)
