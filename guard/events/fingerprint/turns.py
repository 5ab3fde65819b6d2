"""Who said what: messages and items of every format as turns, each a list of texts and calls, with thinking left out.

One reader serves all formats, since their blocks have different names: OpenAI's chat messages with `tool_calls`, Anthropic's content
blocks, OpenAI's response items. What is none of them, or has another type than it should, is passed over.
"""

from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

_CALL: Final = "\x03"
"""Stands before a tool call's name and arguments, which are otherwise part of what the model said."""
_RESULT: Final = "\x04"
"""Stands before a tool's result."""
ARGUMENTS_CHARS_MAX: Final = 4_096
"""Arguments that come as longer text are taken as they stand; shorter ones are parsed, so that a client may write them anew."""
_SYSTEM: Final = frozenset({"system", "developer"})
_MODEL: Final = frozenset({"assistant", "model"})
_TOOL: Final = frozenset({"tool", "function"})
_TEXT_KEYS: Final = {"text": "text", "input_text": "text", "output_text": "text", "refusal": "refusal"}
"""A block's type, and the key under which its text lies."""
_SIGNATURE_KEYS: Final = {"thinking": "signature", "redacted_thinking": "data", "reasoning": "encrypted_content"}
_CALL_KEYS: Final = {
    "tool_use": "input", "server_tool_use": "input", "mcp_tool_use": "input",
    "function_call": "arguments", "custom_tool_call": "input", "mcp_call": "arguments",
}  # fmt: skip
_RESULT_ENDINGS: Final = ("tool_result", "call_output")


class Turn(NamedTuple):
    """One message or item: whether the model said it, its texts and calls in order, and its text content as it came."""

    by_model: bool
    pieces: list[str]
    content: object

    def __repr__(self) -> str:
        return f"Turn({'model' if self.by_model else 'user'}, {len(self.pieces)} pieces)"


class Conversation(Struct):
    """A conversation as read so far. `signature` is the first one replayed: it stays the same while the conversation grows."""

    system: list[str] = []
    turns: list[Turn] = []
    tool_results: int = 0
    signature: str | None = None
    refusal: bool = False

    def __repr__(self) -> str:
        return f"Conversation({len(self.turns)} turns)"

    def read(self, items: object) -> None:
        """Take in messages or items: a list of them, or a plain text, which the user said."""
        if isinstance(items, str):
            self.turns.append(Turn(False, [items], items))
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict):
                self._read_item(item)
            elif isinstance(item, str):
                self.turns.append(Turn(False, [item], item))

    def _read_item(self, item: dict[str, object]) -> None:
        role, content = item.get("role"), item.get("content")
        if not isinstance(role, str):
            self._read_roleless(item)
        elif role in _SYSTEM:
            if not self.turns:
                self.system.extend(texts_of(content))
        elif role in _TOOL:
            self.tool_results += 1
            self.turns.append(Turn(False, [_RESULT, *texts_of(content)], None))
        else:
            pieces = [content] if isinstance(content, str) else self._pieces(content)
            by_model = role in _MODEL
            if by_model:
                self._read_extras(item, pieces)
            self.turns.append(Turn(by_model, pieces, content))

    def _read_roleless(self, item: dict[str, object]) -> None:
        """An item of the responses format that is no message: a call, its result, or reasoning."""
        kind = item.get("type")
        if not isinstance(kind, str):
            return
        pieces = self._pieces([item])
        if pieces:
            self.turns.append(Turn(not kind.endswith(_RESULT_ENDINGS), pieces, None))

    def _read_extras(self, message: dict[str, object], pieces: list[str]) -> None:
        """What a chat message carries beside its content: calls of tools and functions, a refusal."""
        refusal, calls, call = message.get("refusal"), message.get("tool_calls"), message.get("function_call")
        if isinstance(refusal, str) and refusal:
            self.refusal = True
            pieces.append(refusal)
        for made in calls if isinstance(calls, list) else ():
            if isinstance(made, dict):
                called = made.get("function", made.get("custom"))
                pieces.append(_call_of(called if isinstance(called, dict) else {}))
        if isinstance(call, dict):
            pieces.append(_call_of(call))

    def _pieces(self, blocks: object) -> list[str]:
        pieces: list[str] = []
        for block in blocks if isinstance(blocks, list) else ():
            if isinstance(block, str):
                pieces.append(block)
            elif isinstance(block, dict) and isinstance(kind := block.get("type"), str):
                self._read_block(kind, block, pieces)
        return pieces

    def _read_block(self, kind: str, block: dict[str, object], pieces: list[str]) -> None:
        if kind in _TEXT_KEYS:
            self.refusal |= kind == "refusal"
            pieces.extend(_strings(block.get(_TEXT_KEYS[kind])))
        elif kind in _SIGNATURE_KEYS:
            self._read_signature(block.get(_SIGNATURE_KEYS[kind]))
        elif kind in _CALL_KEYS:
            pieces.append(_call_of(block))
        elif kind.endswith(_RESULT_ENDINGS):
            self.tool_results += 1
            pieces.extend((_RESULT, *texts_of(block.get("content", block.get("output")))))

    def _read_signature(self, signature: object) -> None:
        if self.signature is None and isinstance(signature, str) and signature:
            self.signature = signature


def texts_of(content: object) -> list[str]:
    """The texts of a content, which is a text or a list of blocks; no calls, results, thinking or images."""
    if isinstance(content, str):
        return [content]
    texts: list[str] = []
    for block in content if isinstance(content, list) else ():
        if isinstance(block, str):
            texts.append(block)
        elif isinstance(block, dict) and isinstance(kind := block.get("type"), str) and kind in _TEXT_KEYS:
            texts.extend(_strings(block.get(_TEXT_KEYS[kind])))
    return texts


def _strings(value: object) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else ()


def _call_of(call: dict[str, object]) -> str:
    name = call.get("name")
    return f"{_CALL}{name if isinstance(name, str) else ''}{_CALL}{_arguments(call.get('arguments', call.get('input')))}"


def _arguments(arguments: object) -> str:
    """Arguments as JSON with sorted keys, whether they came as text or as an object; as they stand if they are no JSON."""
    try:
        if isinstance(arguments, str):
            if len(arguments) > ARGUMENTS_CHARS_MAX:
                return arguments
            arguments = msgspec.json.decode(arguments or "{}")
        return msgspec.json.encode(arguments, order="sorted").decode("utf-8")
    except (ValueError, TypeError, OverflowError, RecursionError, msgspec.MsgspecError):
        return arguments if isinstance(arguments, str) else ""
