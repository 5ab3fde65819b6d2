"""Whatever is sent to the enforcer's port, the next gateway is answered, and what a stranger can hold is bounded."""

import socket
import time
from collections.abc import Iterator
from random import Random

import pytest
import requests

from guard.gateway.enforcer import Enforcer
from guard.gateway.http import port
from guard.gateway.http.port import HEADER_BYTES_MAX
from guard.gateway.http.server import CONNECTIONS_MAX, EnforcerServer
from tests.support.background import background

GOOD = b"GET /envoy/v1 HTTP/1.1\r\nhost: a\r\nx-guard-account: alice\r\n\r\n"


@pytest.fixture(scope="module")
def served() -> Iterator[EnforcerServer]:
    """A ready enforcer's port."""
    with background() as loop:
        enforcer = Enforcer()
        enforcer.is_ready = True
        server = EnforcerServer(enforcer, "127.0.0.1", 0)
        loop.run(server.start())
        yield server
        loop.run(server.stop())


def _connect(server: EnforcerServer) -> socket.socket:
    host, number = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(number)), timeout=10)


def _answer_to(server: EnforcerServer, sent: bytes) -> bytes:
    """What comes back until the other side closes, we having said all we have."""
    with _connect(server) as wire:
        try:
            wire.sendall(sent)
            wire.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: wire.recv(65_536), b""))
        except OSError:
            return b""


def _first_answer(server: EnforcerServer, sent: bytes) -> bytes:
    """What comes back first, the line staying open."""
    with _connect(server) as wire:
        wire.sendall(sent)
        return wire.recv(65_536)


def _is_well(server: EnforcerServer) -> bool:
    return requests.get(f"{server.url}/envoy/v1", headers={"x-guard-account": "alice"}, timeout=5).status_code == 200


def _spoilt(dice: Random) -> bytes:
    """A good request with bytes changed, cut, doubled or put in."""
    sent = bytearray(GOOD)
    for _ in range(dice.randint(1, 6)):
        at = dice.randrange(len(sent))
        match dice.randrange(4):
            case 0:
                sent[at] = dice.randrange(256)
            case 1:
                del sent[at : at + dice.randrange(1, 9)]
            case 2:
                sent[at:at] = dice.choice(
                    (b"\r\n", b"\x00", b":", b"HTTP/1.1", b"\xff" * 40, b"content-length: 9\r\n", b"transfer-encoding: chunked\r\n")
                )
            case _:
                sent += sent[at:]
        if not sent:
            return b"\r\n"
    return bytes(sent)


def test_two_thousand_spoilt_requests_never_end_it_and_show_no_traceback(served: EnforcerServer) -> None:
    """A port that a neighbour's bug can stop is a gateway that fails open."""
    dice = Random(7)
    for _ in range(2_000):
        answer = _answer_to(served, _spoilt(dice))
        assert b"Traceback" not in answer
        assert b" 500 " not in answer.split(b"\r\n")[0]
    assert _is_well(served)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /" + b"a" * 2 * HEADER_BYTES_MAX + b" HTTP/1.1\r\nhost: a\r\n\r\n", 400),
        (b"GET /envoy/ HTTP/1.1\r\nhost: a\r\nx-guard-account: " + b"a" * 2 * HEADER_BYTES_MAX + b"\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 400),
        (b"GET /secret HTTP/1.1\r\nhost: a\r\n\r\n", 404),
    ],
    ids=["long line", "long header", "TLS", "another path"],
)
def test_what_is_too_long_or_no_request_is_refused(served: EnforcerServer, sent: bytes, status: int) -> None:
    """A header without end would be memory without end."""
    assert _first_answer(served, sent).split(b" ")[1] == str(status).encode()
    assert _is_well(served)


def test_a_body_of_any_size_is_neither_kept_nor_waited_for(served: EnforcerServer) -> None:
    """Gateways may send the body along; who is asked about is in the headers."""
    head = b"POST /envoy/v1 HTTP/1.1\r\nhost: a\r\nx-guard-account: alice\r\ncontent-length: 1000000000\r\n\r\n"
    with _connect(served) as wire:
        wire.sendall(head + b"x" * 1_000)
        assert wire.recv(65_536).startswith(b"HTTP/1.1 200 ")
        with pytest.raises(OSError, match=r"reset|Broken pipe|aborted"):  # noqa: PT012 (how many writes it takes is the kernel's business)
            for _ in range(500):
                wire.sendall(b"x" * 1_000_000)
    assert _is_well(served)


def test_connections_that_say_nothing_make_room_for_a_gateway(served: EnforcerServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand half requests, one byte each: the slow ones go, the gateway is served."""
    monkeypatch.setattr(port, "SILENT_SECONDS", 0.2)
    slow = [_connect(served) for _ in range(CONNECTIONS_MAX)]
    try:
        for one in slow:
            one.sendall(b"G")
        time.sleep(0.4)
        for _ in range(20):
            assert _is_well(served)
    finally:
        for one in slow:
            one.close()


@pytest.mark.parametrize("target", ["//[/v1/chat", "//]", "//\u2100/", "//[/../v1/chat", "", "*", "http://[", "/%", "/%ff", "?", "//"])
@pytest.mark.parametrize(("dialect", "header"), [("nginx", "x-original-uri"), ("forward", "x-forwarded-uri")])
def test_a_target_that_is_no_address_is_still_an_answer(served: EnforcerServer, dialect: str, header: str, target: str) -> None:
    """A 500 is an enforcer that fails, and those are passed by: a caller who can make one lifts his own block."""
    headers = {"x-guard-account": "alice", header: target.encode()}
    assert requests.get(f"{served.url}/{dialect}", headers=headers, timeout=5).status_code == 200


@pytest.mark.parametrize(
    "target",
    ["/closed/v1", "//closed/v1", "/v1/../closed/v1", "/%63losed/v1", "/./closed/", "http://host/closed/v1", "/v1%3F/../../closed/v1"],
)
@pytest.mark.parametrize(("dialect", "header"), [("nginx", "x-original-uri"), ("forward", "x-forwarded-uri"), ("envoy", None)])
def test_a_closed_route_is_closed_however_it_is_written(dialect: str, header: str | None, target: str) -> None:
    """The model server may read all of these as one path."""
    with background() as loop:
        server = EnforcerServer(Enforcer(closed_routes=("/closed/",)), "127.0.0.1", 0)
        loop.run(server.start())
        asked = f"/{dialect}" if header else f"/{dialect}{target.removeprefix('http://host')}"
        said = b"GET %s HTTP/1.1\r\nhost: a\r\nx-guard-account: alice\r\n%s: %s\r\n\r\n"
        answer = _first_answer(server, said % (asked.encode(), (header or "x-none").encode(), target.encode()))
        loop.run(server.stop())
    assert answer.split()[1] in {b"503", b"403"}
