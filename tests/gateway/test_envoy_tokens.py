"""A real Envoy with deploy/envoy/jwt.yaml: who shows his token in several ways is asked about as one account."""

import secrets
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from guard.cli.demonstration.gateway.tokens import Customer, Issuer
from guard.decisions.decision import Decision, sealed
from guard.gateway.enforcer import Enforcer
from guard.gateway.http.server import EnforcerServer
from tests.support.background import background, free_port
from tests.support.envoy import CONFIGURATION, ENVOY, Envoy, envoy
from tests.support.model_server import ModelServer

pytestmark = pytest.mark.skipif(not ENVOY.exists(), reason="there is no Envoy for this machine on the package registry")
ISSUER = Issuer(secrets.token_bytes(32))
MALLORY, ALICE = (ISSUER.token(Customer(name, f"k1:{secrets.token_hex(16)}", 1)) for name in ("mallory", "alice"))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Envoy]:
    """Envoy that knows accounts by their tokens, and an enforcer that blocks one of them."""
    folder: Path = tmp_path_factory.mktemp("tokens")
    ISSUER.write_keys(folder / "jwks.json")

    def with_tokens(configuration: Any) -> None:
        tokens = yaml.safe_load(CONFIGURATION.with_name("jwt.yaml").read_text())
        tokens["typed_config"]["providers"]["own"]["local_jwks"]["filename"] = str(folder / "jwks.json")
        connection = configuration["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
        filters = connection["http_filters"]
        filters[:] = [tokens if one["name"] == "envoy.filters.http.api_key_auth" else one for one in filters]

    now = time.time_ns() // 1_000_000
    enforcer = Enforcer()
    enforcer.is_ready = True
    fields: dict[str, Any] = {
        "issued_at": now,
        "expires_at": now + 60_000,
        "score": 0.9,
        "reasons": (),
        "policy_version": 1,
        "model_version": "m",
    }
    enforcer.orders.apply(
        sealed(Decision(scope="account", subject="mallory", action="block", origin="automatic", mode="enforce", **fields))
    )
    with background() as loop:
        models, server = ModelServer(), EnforcerServer(enforcer, "127.0.0.1", 0)
        loop.run(models.start())
        loop.run(server.start())
        with envoy(folder, models.port, int(server.url.rpartition(":")[2]), {}, ingest_port=free_port(), change=with_tokens) as one:
            yield one
        loop.run(server.stop())
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
