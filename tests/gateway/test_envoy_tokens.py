"""A real Envoy with deploy/envoy/jwt.yaml: who shows his token in several ways is asked about as one account."""

import secrets
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from guard.cli.demonstration.gateway.envoy import with_tokens
from guard.cli.demonstration.gateway.tokens import Customer, Issuer
from tests.support.background import background, free_port
from tests.support.enforcing import EnforcerPort
from tests.support.envoy import ENVOY, Envoy, envoy
from tests.support.model_server import ModelServer

pytestmark = pytest.mark.skipif(not ENVOY.exists(), reason="there is no Envoy for this machine on the package registry")
ISSUER = Issuer(secrets.token_bytes(32))
MALLORY, ALICE = (ISSUER.token(Customer(name, f"k1:{secrets.token_hex(16)}", 1)) for name in ("mallory", "alice"))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Envoy]:
    """Envoy that knows accounts by their tokens, and an enforcer that blocks one of them."""
    folder: Path = tmp_path_factory.mktemp("tokens")
    ISSUER.write_keys(folder / "jwks.json")

    with background() as loop:
        models, guard = ModelServer(), EnforcerPort(loop)
        loop.run(models.start())
        guard.decide("mallory", "block")
        change: Callable[[Any], object] = lambda configuration: with_tokens(configuration, folder / "jwks.json")  # noqa: E731
        with envoy(folder, models.port, guard.port, {}, ingest_port=free_port(), change=change) as one:
            yield one
        guard.shut()
        loop.run(models.stop())


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ((f"authorization: Bearer {MALLORY}",), b"403"),
        ((f"authorization: Bearer {ALICE}",), b"200"),
        ((f"authorization: Bearer {MALLORY}", f"x-api-key: {MALLORY}"), b"403"),
        ((f"x-api-key: {MALLORY}", f"x-api-key: {MALLORY}"), b"403"),
        ((f"x-api-key: {ALICE}", f"x-api-key: {ALICE}"), b"200"),
    ],
    ids=["blocked", "honest", "two headers", "one twice", "honest twice"],
)
def test_a_token_shown_twice_is_one_account(running: Envoy, headers: tuple[str, ...], status: bytes) -> None:
    """Asked about as `mallory,mallory`, whom no decision names, everybody could lift his own block."""
    with socket.create_connection(("127.0.0.1", int(running.url.rpartition(":")[2])), timeout=10) as wire:
        wire.sendall("\r\n".join(["GET /v1 HTTP/1.1", "host: a", *headers, "", ""]).encode())
        assert wire.recv(65_536).split()[1] == status
