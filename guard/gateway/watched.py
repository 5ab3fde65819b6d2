"""One exchange as it passes: the request and the reply are kept as they go by, within bounds, to be read when it is over."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from guard.errors import DecodeError
from guard.events.fingerprint import StreamedReply
from guard.events.told import read_told

REQUEST_BYTES_MAX: Final = 8 << 20
"""A million tokens of text are about four megabytes; a longer request is reported without its content."""
REPLY_BYTES_MAX: Final = 8 << 20
UNANSWERED_STATUS: Final = 500
"""Of an application that failed before it said anything."""
Message = MutableMapping[str, Any]


class Watched:
    """Stands between an ASGI server and the application. Changes nothing, delays nothing."""

    def __init__(self, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
        self._receive, self._send = receive, send
        self._request, self._reply = bytearray(), bytearray()
        self._request_bytes = self._reply_bytes = 0
        self._stream: StreamedReply | None = None
        self._is_readable = False
        self.status = UNANSWERED_STATUS

    @property
    def size_bytes(self) -> int:
        """What is kept."""
        return min(self._request_bytes, REQUEST_BYTES_MAX) + min(self._reply_bytes, REPLY_BYTES_MAX)

    async def receive(self) -> Message:
        """The server's next message to the application."""
        message = await self._receive()
        if message["type"] == "http.request":
            self._request_bytes += len(body := message.get("body", b""))
            if self._request_bytes <= REQUEST_BYTES_MAX:
                self._request += body
        return message

    async def send(self, message: Message) -> None:
        """The application's next message to the server."""
        await self._send(message)
        if message["type"] == "http.response.start":
            self._begin(message)
        elif message["type"] == "http.response.body":
            self._keep(message.get("body", b""))

    def _begin(self, message: Message) -> None:
        headers = {bytes(name).lower(): bytes(value).lower() for name, value in message.get("headers", ())}
        self.status = message["status"]
        kind = headers.get(b"content-type", b"")
        self._is_readable = headers.get(b"content-encoding", b"identity") == b"identity"
        if kind.startswith(b"text/event-stream"):
            self._stream = StreamedReply()

    def _keep(self, body: bytes) -> None:
        self._reply_bytes += len(body)
        if not self._is_readable or self._reply_bytes > REPLY_BYTES_MAX:
            return
        if self._stream is not None:
            self._stream.feed(body)
        else:
            self._reply += body

    def read(self) -> tuple[object, object]:
        """Request and reply, parsed; what cannot be read is None, or empty for a request, whose tokens are estimated all the same."""
        request = _object(self._request) if self._request_bytes <= REQUEST_BYTES_MAX else None
        reply = self._stream.reply() if self._stream is not None else _object(self._reply) if self._reply_bytes <= REPLY_BYTES_MAX else None
        return request or {}, reply


def _object(body: bytearray) -> dict[str, object] | None:
    try:
        return read_told(bytes(body))
    except DecodeError:
        return None
