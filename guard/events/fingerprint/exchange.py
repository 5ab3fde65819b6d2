"""One request and its reply, in whichever format, read into turns."""

from typing import Final

from msgspec import Struct

from guard.events.fingerprint.conversation import Chain, StoredChain, chain_of
from guard.events.fingerprint.turns import Conversation, Turn, texts_of
from guard.events.fingerprint.usage import first_choice, mapping

_NO_CHAIN: Final = Chain(b"", b"")


class Exchange(Struct):
    """What was sent and what came back. It holds text: it is dropped as soon as it has been hashed, and its repr shows none."""

    asked: Conversation
    answered: Conversation
    chain: Chain | StoredChain
    prompt: str | None
    """The last message of the user that holds text."""

    @property
    def first_text(self) -> str:
        """The first message; empty if it holds no text."""
        return "".join(texts_of(self.asked.turns[0].content)) if self.asked.turns else ""

    def __repr__(self) -> str:
        return f"Exchange({len(self.asked.turns)} turns)"


def read_exchange(request: object, reply: object) -> Exchange:
    """The exchange; what is malformed is passed over."""
    sent, got = mapping(request), mapping(reply)
    asked, answered = _read_request(sent), _read_reply(got)
    return Exchange(asked, answered, _chain(sent, got, asked, answered), _prompt(asked.turns))


def _read_request(sent: dict[str, object]) -> Conversation:
    asked = Conversation()
    asked.system.extend(texts_of(sent.get("system")))
    if "messages" in sent:
        asked.read(sent["messages"])
    elif "input" in sent:
        asked.system.extend(texts_of(sent.get("instructions")))
        asked.read(sent["input"])
    elif "prompt" in sent:
        asked.read(sent["prompt"])
    return asked


def _read_reply(got: dict[str, object]) -> Conversation:
    answered = Conversation()
    choice = first_choice(got)
    if "message" in choice:
        answered.read([choice["message"]])
    elif "role" in got:
        answered.read([got])
    else:
        answered.read(got.get("output"))
    return answered


def _chain(sent: dict[str, object], got: dict[str, object], asked: Conversation, answered: Conversation) -> Chain | StoredChain:
    """The chain of names where the provider keeps the conversation, of contents where it is sent; a plain completion has none."""
    previous, given = sent.get("previous_response_id"), got.get("id")
    if isinstance(previous, str) and previous:
        return StoredChain(previous, given if isinstance(given, str) else None)
    return chain_of(asked.turns, answered.turns) if "messages" in sent or "input" in sent else _NO_CHAIN


def _prompt(turns: list[Turn]) -> str | None:
    for turn in reversed(turns):
        if not turn.by_model and (texts := texts_of(turn.content)):
            return "".join(texts)
    return None
