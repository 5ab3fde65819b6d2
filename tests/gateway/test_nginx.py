"""A real nginx with the configuration of deploy/nginx: what the client sees, what the model server sees, and what ingest is told."""

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.support.background import Background, background
from tests.support.enforcing import IN_ITS_PLACE, TOKENS, EnforcerPort
from tests.support.ingest import Ingesting, ingesting_behind
from tests.support.model_server import ModelServer
from tests.support.nginx import NGINX, Nginx, nginx

pytestmark = pytest.mark.skipif(NGINX is None, reason="there is no nginx on this machine (Debian's package nginx-light)")
ACCOUNTS = ("alice", "bob", "carol", "mallory")


class House(EnforcerPort):
    """An nginx, a model server, ingest, and an enforcer that a test can take away."""

    def __init__(self, loop: Background, models: ModelServer, taken: Ingesting) -> None:
        super().__init__(loop)
        self.models, self.taken = models, taken
        self.nginx: Nginx

    def ask(self, account: str, path: str = "/v1/chat/completions", **headers: str) -> requests.Response:
        """One chat."""
        body = {"model": "m", "messages": [{"role": "user", "content": "an unmistakable canary of seven words here"}]}
        given = {"authorization": f"Bearer key-of-{account}", **headers}
        return requests.post(f"{self.nginx.url}{path}", json=body, headers=given, timeout=10)

    def event(self, answer: requests.Response) -> dict[str, Any]:
        """The event of that exchange, once it was taken."""
        return self.taken.event(answer.headers["x-request-id"])


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """All of it, running."""
    folder = tmp_path_factory.mktemp("nginx")
    with background() as loop, ingesting_behind(loop, folder) as taken:
        models = ModelServer()
        loop.run(models.start())
        found = House(loop, models, taken)
        keys = {f"key-of-{name}": name for name in ACCOUNTS}
        with nginx(folder, models.port, found.port, taken.port, keys) as found.nginx, taken.following(found.nginx.log):
            yield found
        found.shut()
        loop.run(models.stop())


def test_who_is_under_no_decision_passes_and_leaves_an_event(house: House) -> None:
    """Nearly every request is this one."""
    answer = house.ask("alice", **{"x-guard-account": "bob"})
    assert (answer.status_code, answer.json()["id"]) == (200, "chatcmpl-1")
    assert house.models.seen[-1]["x-guard-account"] == "alice", "nobody outside can say who he is"
    event = house.event(answer)
    expected = {
        "account_id": "alice",
        "model": "m-large",
        "input_tokens": 9,
        "output_tokens": 1,
        "status": 200,
        "messages": 1,
        "operation": "chat",
    }
    assert {name: event.get(name) for name in expected} == expected
    assert {"shape", "simhash", "ip_prefix", "latency_ms"} <= event.keys()
    assert abs(event["event_time"] - time.time() * 1_000) < 60_000


def test_a_throttle_is_a_429_with_a_wait_and_a_problem(house: House) -> None:
    """The client must see one, though nginx takes none from whom it asks."""
    decision = house.decide("carol", "throttle", rate_rpm=6)
    first, second = house.ask("carol"), house.ask("carol")
    assert (first.status_code, second.status_code) == (200, 429)
    assert 8 <= int(second.headers["retry-after"]) <= 12
    assert second.headers["ratelimit-policy"] == '"guard";q=6;w=60'
    assert second.headers["content-type"] == "application/problem+json"
    assert second.json()["type"] == "urn:guard:problem:throttled"
    assert second.json()["appeal_token"] == TOKENS.token("carol", decision.decision_id)
    assert "x-guard-decision" not in second.headers
    assert house.event(first)["decision_id"] == decision.decision_id, "it was counted against the rate"
    event = house.event(second)
    assert (event["status"], event["decision_id"], event["output_tokens"]) == (429, decision.decision_id, 0)


def test_a_block_is_a_403_that_asks_not_to_be_tried_again(house: House) -> None:
    """The SDKs retry what they are not told to leave."""
    house.decide("mallory", "block")
    answer = house.ask("mallory")
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:guard:problem:blocked")
    assert answer.headers["x-should-retry"] == "false"
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize("target", ["//[/v1/chat/completions", "//[/../v1/chat/completions", "//]/v1", "/v1?//["])
def test_no_spelling_of_the_path_lifts_a_block(house: House, target: str) -> None:
    """What the enforcer could not read would be a question without an answer, and those pass."""
    house.decide("mallory", "block")
    reached = len(house.models.seen)
    with socket.create_connection(("127.0.0.1", int(house.nginx.url.rpartition(":")[2])), timeout=10) as wire:
        wire.sendall(f"GET {target} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer key-of-mallory\r\n\r\n".encode())
        assert b" 403 " in wire.recv(65_536)
    assert len(house.models.seen) == reached


def test_a_key_that_nobody_has_is_a_401(house: House) -> None:
    """It is asked of nobody, and leaves no event."""
    assert house.ask("stranger").status_code == 401


@pytest.mark.parametrize("instead", IN_ITS_PLACE.values(), ids=IN_ITS_PLACE)
def test_without_a_working_enforcer_everybody_passes_and_ingest_counts_it(house: House, instead: Any) -> None:
    """A guard that breaks must not take the provider down with it, and somebody must be able to see it."""
    house.decide("mallory", "block")
    assert house.ask("mallory").status_code == 403
    house.shut()
    if instead is not None:
        house.open(instead)
    before = house.taken.house.reading.access_log.failed_open
    answers = [house.ask("mallory") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert house.event(answers[-1])["messages"] == 1
    assert house.taken.house.reading.access_log.failed_open == before + 3
    if instead is not None:
        house.shut()
    house.open()
    assert house.ask("mallory").status_code == 403, "it obeys again with the next request"


def test_a_closed_route_is_refused_while_the_decisions_are_not_read(house: House) -> None:
    """As the enforcer was told to."""
    house.enforcer.is_ready = False
    answer = house.ask("alice", "/closed/v1/chat/completions")
    house.enforcer.is_ready = True
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:guard:problem:undecided")


def test_no_text_and_no_address_is_in_any_file(house: House) -> None:
    """The logs lie on the gateway's disk, the spool on ours."""
    house.event(house.ask("alice"))
    for path in house.nginx.log.parent.rglob("*"):
        if path.is_file() and path.name not in {"nginx.conf", "guard-error.log"}:
            found = path.read_bytes()
            assert not any(word in found for word in (b"canary", b"127.0.0.1", b"python-requests/"))
