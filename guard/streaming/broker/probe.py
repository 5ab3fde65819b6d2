"""Is a Kafka node ready? It is when it answers a metadata request with itself as a live broker."""

import socket
import struct
from typing import Final

METADATA_KEY: Final = 3
METADATA_VERSION: Final = 1
"""The oldest version that can ask for no topics at all; every broker from 0.10 to 4.x speaks it."""

ANSWER_BYTES_MAX: Final = 1 << 16
TIMEOUT_SECONDS: Final = 2.0


def is_ready(host: str, port: int) -> bool:
    """Whether the broker at this address takes requests and counts itself among the living."""
    try:
        with socket.create_connection((host, port), TIMEOUT_SECONDS) as connection:
            connection.settimeout(TIMEOUT_SECONDS)
            return _live_brokers(connection) > 0
    except OSError:
        return False


def _live_brokers(connection: socket.socket) -> int:
    client = b"guard"
    header = struct.pack(f">hhih{len(client)}s", METADATA_KEY, METADATA_VERSION, 0, len(client), client)
    body = struct.pack(">i", 0)  # an empty list of topics
    connection.sendall(struct.pack(">i", len(header) + len(body)) + header + body)
    (size,) = struct.unpack(">i", _read(connection, 4))
    answer = _read(connection, min(size, ANSWER_BYTES_MAX))
    if len(answer) < 8:
        return 0
    (_correlation, brokers) = struct.unpack_from(">ii", answer)
    return int(brokers)


def _read(connection: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count and (more := connection.recv(count - len(received))):
        received += more
    if len(received) < count:
        raise ConnectionError("the broker closed the connection")
    return received


def free_port(host: str) -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def is_free(host: str, port: int) -> bool:
    """Whether we could listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
