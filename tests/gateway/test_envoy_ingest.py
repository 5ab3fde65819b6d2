"""A real Envoy tells ingest of each exchange: the body through ext_authz, the end through the access log."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.support.background import background, free_port
from tests.support.envoy import ENVOY, Envoy, envoy
from tests.support.ingest import Ingesting, ingesting_behind
from tests.support.model_server import ModelServer

pytestmark = pytest.mark.skipif(not ENVOY.exists(), reason="there is no Envoy for this machine on the package registry")
SYSTEM = "You are a patient tutor of thermodynamics. " * 10


class House:
    """Envoy, a model server and ingest; no enforcer listens, so everything passes."""

    def __init__(self, envoy: Envoy, taken: Ingesting) -> None:
        self.envoy, self.taken = envoy, taken

    def ask(self, prompt: str, key: str = "key-of-alice") -> requests.Response:
        """One chat."""
        messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": prompt}]
        body = {"model": "m-large", "max_tokens": 99, "messages": messages}
        return requests.post(f"{self.envoy.url}/v1/chat/completions", json=body, headers={"authorization": f"Bearer {key}"}, timeout=10)

    def event(self, event_id: str) -> dict[str, Any]:
        """The event of that exchange, once it was taken."""
        return self.taken.event(event_id)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """All of it, running."""
    folder, models = tmp_path_factory.mktemp("envoy"), ModelServer()
    with background() as loop, ingesting_behind(loop, folder) as taken:
        loop.run(models.start())
        with (
            envoy(folder, models.port, free_port(), {"key-of-alice": "alice"}, ingest_port=taken.port) as one,
            taken.following(one.log),
        ):
            yield House(one, taken)
        loop.run(models.stop())


def test_an_exchange_is_one_event_with_all_that_envoy_and_the_model_server_know(house: House) -> None:
    """The evidence must be the same as from a gateway of one's own making."""
    answer = house.ask("How does a heat pump move warmth from a cold garden into a warm house?")
    event = house.event(answer.headers["x-request-id"])
    assert answer.status_code == 200
    assert abs(int(str(event["event_time"])) - time.time() * 1_000) < 60_000
    expected = {
        "account_id": "alice", "model": "m-large", "input_tokens": 9, "output_tokens": 1, "status": 200, "stop_reason": "stop",
        "operation": "chat", "messages": 1, "max_tokens": 99, "user_agent": "python-requests",
    }  # fmt: skip
    assert {name: event.get(name) for name in expected} == expected
    assert {"prefix", "shape", "simhash", "ip", "ip_prefix", "prompt_chars", "latency_ms"} <= event.keys()


def test_whom_nobody_knows_leaves_no_event(house: House) -> None:
    """A wrong key is nobody's exchange."""
    assert house.ask("hello", key="no such key").status_code == 401
    answer = house.ask("and one that is known comes after it")
    house.event(answer.headers["x-request-id"])
    assert {event["account_id"] for event in house.taken.house.spooled()} == {"alice"}


def test_a_request_of_many_megabytes_reaches_the_model_and_is_an_event(house: House) -> None:
    """What ingest cannot read must never cost the client its answer."""
    answer = house.ask("long " * 1_000_000)
    assert answer.status_code == 200
    assert house.event(answer.headers["x-request-id"])["output_tokens"] == 1


def test_no_text_and_no_address_is_in_the_log_or_the_spool(house: House) -> None:
    """The log lies on the gateway's disk, the spool on ours."""
    house.event(house.ask("the unmistakable canary sentence").headers["x-request-id"])
    for path in house.envoy.log.parent.rglob("*"):
        if path.is_file() and path.name != "envoy.json":
            found = path.read_bytes()
            assert not any(word in found for word in (b"canary", b"thermodynamics", b"127.0.0.1", b"python-requests/"))
