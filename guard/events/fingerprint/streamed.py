"""A reply that comes as server-sent events, put together as the SDKs do it, so far as fingerprints need it.

Knows the streams of OpenAI's chat completions, completions and responses, and of Anthropic's messages. Thinking is left out. What is
malformed is passed over; a stream that breaks off gives what had come.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec
from msgspec import Struct

from guard.events.fingerprint.usage import mapping

REPLY_BYTES_MAX: Final = 8 << 20
"""What comes later is not read."""
BLOCKS_MAX: Final = 1_024
"""Content blocks and tool calls of one reply."""
Reply = dict[str, object]
_read: Final = msgspec.json.Decoder().decode


class Part(Struct):
    """One object of the reply: what stands in it as it came, and texts that come in pieces."""

    fields: Reply = {}
    pieces: dict[str, list[str]] = {}

    def add(self, name: str, more: object) -> None:
        """The next piece of a text."""
        if isinstance(more, str):
            self.pieces.setdefault(name, []).append(more)

    def whole(self) -> Reply:
        """The object, its texts in one."""
        return self.fields | {name: "".join(pieces) for name, pieces in self.pieces.items()}


class Parts(Struct):
    """A reply of which something has come."""

    reply: Reply = {}
    choice: Part | None = None
    """The first alternative of a chat completion or a completion; others are not read."""
    message: Part | None = None
    call: Part | None = None
    """A function's call, as chat messages had it before tools."""
    blocks: dict[int, Part] = {}
    """By index: Anthropic's content blocks, or the tool calls of a chat message."""

    def block(self, index: object, fields: Mapping[str, object]) -> Part:
        """The block of that index; one that nobody sees when there are too many."""
        number = index if isinstance(index, int) else 0
        if number not in self.blocks and len(self.blocks) >= BLOCKS_MAX:
            return Part()
        return self.blocks.setdefault(number, Part(dict(fields)))

    def whole(self) -> Reply:
        """The reply in the format of one that came at once."""
        blocks = [self.blocks[index].whole() for index in sorted(self.blocks)]
        if self.choice is not None:
            return self.reply | {"choices": [self.choice.whole() | self._message(blocks)]}
        return self.reply | {"content": [_closed(block) for block in blocks]} if blocks else self.reply

    def _message(self, calls: list[Reply]) -> Reply:
        if self.message is None:
            return {}
        message = self.message.whole()
        if calls:
            message["tool_calls"] = [{"type": "function", "function": call} for call in calls]
        if self.call is not None:
            message["function_call"] = self.call.whole()
        return {"message": message}


class StreamedReply:
    """Takes a stream's bytes as they come; at most `REPLY_BYTES_MAX` are read and kept."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._bytes = 0
        self._parts = Parts()

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self._bytes += len(data)
        if self._bytes > REPLY_BYTES_MAX:
            return
        searched = len(self._rest)
        self._rest += data
        end = self._rest.rfind(b"\n", searched) + 1
        lines, self._rest = self._rest[:end], self._rest[end:]
        for line in lines.splitlines():
            _take(self._parts, line)

    def reply(self) -> Reply | None:
        """The reply, once the stream has ended; None if there was none in it."""
        _take(self._parts, self._rest)
        self._rest = bytearray()
        return self._parts.whole() or None


def _take(parts: Parts, line: bytes | bytearray) -> None:
    if not line.startswith(b"data:"):
        return
    try:
        event = _read(line[5:])
    except (ValueError, RecursionError):
        return
    if isinstance(event, dict):
        kind = event.get("type")
        _BY_TYPE.get(kind if isinstance(kind, str) else "", _chunk if "choices" in event else _response)(parts, event)


def _response(parts: Parts, event: Reply) -> None:
    """An event of the responses format: many repeat the response, the last one whole."""
    if isinstance(response := event.get("response"), dict):
        parts.reply = response


def _chunk(parts: Parts, event: Reply) -> None:
    parts.reply |= {name: event[name] for name in ("id", "model", "usage") if event.get(name) is not None}
    parts.choice = parts.choice or Part()
    for choice in _first(event.get("choices")):
        if isinstance(reason := choice.get("finish_reason"), str):
            parts.choice.fields["finish_reason"] = reason
        parts.choice.add("text", choice.get("text"))
        if isinstance(delta := choice.get("delta"), dict):
            _delta(parts, delta)


def _delta(parts: Parts, delta: Reply) -> None:
    parts.message = parts.message or Part({"role": "assistant"})
    for name in ("content", "refusal"):
        parts.message.add(name, delta.get(name))
    if isinstance(call := delta.get("function_call"), dict):
        parts.call = parts.call or Part()
        _add_call(parts.call, call)
    calls = delta.get("tool_calls")
    for made in calls if isinstance(calls, list) else ():
        if isinstance(made, dict):
            _add_call(parts.block(made.get("index"), {}), mapping(made.get("function")))


def _add_call(call: Part, more: Reply) -> None:
    call.add("name", more.get("name"))
    call.add("arguments", more.get("arguments"))


def _message_start(parts: Parts, event: Reply) -> None:
    parts.reply = dict(mapping(event.get("message")))


def _block_start(parts: Parts, event: Reply) -> None:
    begun = mapping(event.get("content_block"))
    block = parts.block(event.get("index"), begun)
    block.add("text", block.fields.pop("text", None))


def _block_delta(parts: Parts, event: Reply) -> None:
    block, delta = parts.block(event.get("index"), {}), mapping(event.get("delta"))
    block.add("text", delta.get("text"))
    block.add("partial_json", delta.get("partial_json"))


def _message_delta(parts: Parts, event: Reply) -> None:
    parts.reply |= _told(event.get("delta"))
    parts.reply["usage"] = mapping(parts.reply.get("usage")) | _told(event.get("usage"))


_BY_TYPE: Final[dict[str, Callable[[Parts, Reply], None]]] = {
    "message_start": _message_start,
    "content_block_start": _block_start,
    "content_block_delta": _block_delta,
    "message_delta": _message_delta,
}


def _told(value: object) -> Reply:
    return {name: said for name, said in mapping(value).items() if said is not None}


def _closed(block: Reply) -> Reply:
    """A block with the arguments that came in pieces in their place."""
    if not isinstance(partial := block.pop("partial_json", None), str) or not partial:
        return block
    try:
        return block | {"input": _read(partial)}
    except (ValueError, RecursionError):
        return block | {"input": partial}


def _first(choices: object) -> Iterator[Reply]:
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict) and choice.get("index", 0) == 0:
            yield choice
