"""A real Envoy with the configuration of deploy/envoy: what the client sees, what the model server sees, and what is counted."""

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.support.background import Background, background
from tests.support.enforcing import IN_ITS_PLACE, TOKENS, EnforcerPort
from tests.support.envoy import ENVOY, Envoy, envoy
from tests.support.model_server import ModelServer

pytestmark = pytest.mark.skipif(not ENVOY.exists(), reason="there is no Envoy for this machine on the package registry")
ACCOUNTS = ("alice", "bob", "carol", "mallory")


class House(EnforcerPort):
    """Envoy, a model server, and an enforcer between them that a test can take away."""

    def __init__(self, loop: Background, models: ModelServer) -> None:
        super().__init__(loop, challenge_url="https://provider.example/verify")
        self.models = models
        self.envoy: Envoy

    def ask(self, account: str, path: str = "/v1/chat/completions", **headers: str) -> requests.Response:
        """One chat."""
        given = {"authorization": f"Bearer key-of-{account}", **headers}
        return requests.post(f"{self.envoy.url}{path}", json={"model": "m"}, headers=given, timeout=10)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with background() as loop:
        models = ModelServer()
        loop.run(models.start())
        found = House(loop, models)
        keys = {f"key-of-{name}": name for name in ACCOUNTS}
        with envoy(tmp_path_factory.mktemp("envoy"), models.port, found.port, keys) as found.envoy:
            yield found
        found.shut()
        loop.run(models.stop())


def test_who_is_under_no_decision_passes_and_the_model_server_learns_the_account(house: House) -> None:
    """Nearly every request is this one."""
    answer = house.ask("alice")
    assert (answer.status_code, answer.json()["id"]) == (200, "chatcmpl-1")
    assert house.models.seen[-1]["x-guard-account"] == "alice"
    assert "x-guard-decision" not in house.models.seen[-1]


def test_nobody_outside_can_say_who_he_is(house: House) -> None:
    """A header from outside that named another account would be a way around every decision."""
    decision = house.decide("bob", "block")
    answer = house.ask("bob", **{"x-guard-account": "alice", "x-guard-decision": "d-none"})
    assert answer.status_code == 403
    assert house.ask("alice", **{"x-guard-account": "bob"}).status_code == 200
    assert decision.decision_id not in answer.text


@pytest.mark.parametrize(
    "begin",
    ["GET /v1 HTTP/1.1\r\n", "OPTIONS * HTTP/1.1\r\nhost: a\r\n", "GET /v1#x HTTP/1.1\r\nhost: a\r\n", "GET /v1 HTTP/1.1\r\nhost: a\r\nupgrade: x\r\n"],
)  # fmt: skip
def test_a_request_that_envoy_refuses_at_once_speaks_for_nobody(house: House, begin: str) -> None:
    """Its headers are still those from outside: events in a victim's name, or his payment instrument among a fleet's."""
    with socket.create_connection(("127.0.0.1", int(house.envoy.url.rpartition(":")[2])), timeout=10) as wire:
        wire.sendall(f"{begin}connection: upgrade\r\nx-guard-account: alice\r\nx-guard-payment: k1:{'ab' * 16}\r\n\r\n".encode())
        assert wire.recv(65_536).split()[1] in {b"400", b"403", b"404"}
    later = house.ask("bob").headers["x-request-id"]
    while later not in {line["event_id"] for line in house.envoy.access_log()}:
        time.sleep(0.02)
    assert {line["payment_fingerprint"] for line in house.envoy.access_log()} == {None}


def test_a_throttle_is_a_429_with_a_wait_and_a_problem_and_no_threshold(house: House) -> None:
    """Clients back off by what they are told; a threshold would tell a fleet how far it may go."""
    decision = house.decide("carol", "throttle", rate_rpm=6)
    first, second = house.ask("carol"), house.ask("carol")
    assert first.status_code == 200
    assert house.models.seen[-1]["x-guard-decision"] == decision.decision_id
    assert second.status_code == 429
    assert 8 <= int(second.headers["retry-after"]) <= 12
    assert second.headers["ratelimit-policy"] == '"guard";q=6;w=60'
    assert second.headers["content-type"] == "application/problem+json"
    assert second.json() == {
        "type": "urn:guard:problem:throttled",
        "title": "Too many requests",
        "status": 429,
        "reason_code": "template_lift",
        "appeal_token": TOKENS.token("carol", decision.decision_id),
    }


def test_a_challenge_and_a_block_are_403s_that_ask_not_to_be_tried_again(house: House) -> None:
    """The SDKs retry what they are not told to leave; a person has to be shown the way back."""
    house.decide("carol", "challenge")
    challenged = house.ask("carol")
    house.decide("carol", "block")
    blocked = house.ask("carol")
    assert (challenged.status_code, blocked.status_code) == (403, 403)
    assert challenged.headers["x-should-retry"] == blocked.headers["x-should-retry"] == "false"
    assert challenged.json()["type"] == "urn:guard:problem:challenge-required"
    assert challenged.json()["challenge_url"] == "https://provider.example/verify"
    assert blocked.json()["type"] == "urn:guard:problem:blocked"
    assert "retry-after" not in blocked.headers


def test_the_decision_reaches_the_gateways_log_and_not_the_client(house: House) -> None:
    """The event of a refused request names its decision, or the guard would take refusals for its own work."""
    decision = house.decide("mallory", "block")
    answer = house.ask("mallory")
    assert "x-guard-decision" not in answer.headers
    until = time.monotonic() + 10
    while not (found := [line for line in house.envoy.access_log() if line["event_id"] == answer.headers["x-request-id"]]):
        assert time.monotonic() < until, "the request is not in the log"
        time.sleep(0.05)
    assert (found[0]["status"], found[0]["decision_id"]) == (403, decision.decision_id)


def test_a_key_that_nobody_has_never_reaches_the_enforcer(house: House) -> None:
    """Who is nobody's account must not be counted as one."""
    before = dict(house.enforcer.counts)
    assert house.ask("stranger").status_code == 401
    assert house.enforcer.counts == before


@pytest.mark.parametrize("instead", IN_ITS_PLACE.values(), ids=IN_ITS_PLACE)
def test_without_a_working_enforcer_open_routes_pass_and_closed_ones_do_not(house: House, instead: Any) -> None:
    """A guard that breaks must not take the provider down with it, unless a route was told to."""
    house.decide("mallory", "block")
    assert house.ask("mallory").status_code == 403
    house.shut()
    if instead is not None:
        house.open(instead)
    allowed, denied = "http.models.ext_authz.guard.failure_mode_allowed", "http.models.ext_authz.guard_closed.error"
    before = house.envoy.stat(allowed), house.envoy.stat(denied)
    for _ in range(5):
        answer = house.ask("mallory")
        assert answer.status_code == 200, "it fails open"
        assert house.models.seen[-1]["x-envoy-auth-failure-mode-allowed"] == "true"
    assert house.ask("mallory", "/closed/v1/chat/completions").status_code == 503
    assert house.ask("mallory", "//closed/v1/chat/completions").status_code == 503
    assert house.ask("mallory", "/Closed%2Fv1/chat/completions").status_code == 503
    assert (house.envoy.stat(allowed) - before[0], house.envoy.stat(denied) - before[1]) == (5, 3)
    if instead is not None:
        house.shut()
    house.open()
    assert house.ask("mallory").status_code == 403, "it obeys again with the next request"


def test_before_the_decisions_are_read_open_routes_pass_and_it_is_counted(house: House) -> None:
    """A restart is a gap in enforcement that somebody must be able to see."""
    house.decide("mallory", "block")
    house.enforcer.is_ready = False
    before = house.enforcer.counts["failed_open"]
    assert house.ask("mallory").status_code == 200
    assert house.enforcer.counts["failed_open"] == before + 1
    house.enforcer.is_ready = True
    assert house.ask("mallory").status_code == 403


def test_real_clients_wait_at_most_a_minute_and_do_not_retry_a_block(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDKs ignore a wait of more than a minute, and try a 429 again."""
    anthropic, openai = pytest.importorskip("anthropic"), pytest.importorskip("openai")
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    ask = [{"role": "user", "content": "?"}]
    clients = (
        lambda: openai.OpenAI(base_url=f"{house.envoy.url}/v1", api_key="key-of-mallory", max_retries=2).chat.completions.create(
            model="m", messages=ask
        ),
        lambda: anthropic.Anthropic(base_url=house.envoy.url, api_key="key-of-mallory", max_retries=2).messages.create(
            model="m", max_tokens=9, messages=ask
        ),
    )
    for client, module in zip(clients, (openai, anthropic), strict=True):
        house.decide("mallory", "block")
        before = house.enforcer.counts["blocked"]
        with pytest.raises(module.PermissionDeniedError):
            client()
        assert house.enforcer.counts["blocked"] == before + 1, "one request, no retry"
        assert waits == []
        house.decide("mallory", "throttle", rate_rpm=1)
        house.ask("mallory")
        before = house.enforcer.counts["throttled"]
        with pytest.raises(module.RateLimitError):
            client()
        assert house.enforcer.counts["throttled"] == before + 3, "one request and two retries"
        assert len(waits) == 2
        assert all(1 <= wait <= 60 for wait in waits), waits
        waits.clear()


def test_problems_are_json_that_names_no_number(house: House) -> None:
    """Neither the score nor the threshold nor who else is meant."""
    house.decide("mallory", "block")
    problem = json.loads(house.ask("mallory").content)
    assert set(problem) == {"type", "title", "status", "reason_code", "appeal_token"}
