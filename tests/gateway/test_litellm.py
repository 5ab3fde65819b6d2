"""LiteLLM's proxy with the hook, where litellm is installed: what its clients see, and what its callback reports."""

import asyncio
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
import requests

from guard.convert.litellm import LITELLM_LOG
from guard.convert.logged import LogReader
from guard.decisions.decision import Decision, sealed
from guard.events.identifiers import Identifiers
from guard.gateway.answers import Answers
from guard.gateway.appeal import AppealTokens
from guard.gateway.enforcer import Enforcer
from tests.support.background import free_port
from tests.support.decisions import decision
from tests.support.ingest import KEY, NOWHERE, ingest
from tests.support.model_server import ModelServer
from tests.support.payloads import QUESTION, litellm_payload

pytest.importorskip("litellm", reason="litellm is no dependency of the guard's")
NAMES = Identifiers(KEY)
CONFIG = Path(__file__).parent.parent.parent / "deploy" / "litellm" / "config.yaml"


def hook_and_enforcer() -> tuple[Any, Enforcer]:
    from guard.gateway.litellm import GuardHook  # noqa: PLC0415 (needs litellm)

    enforcer = Enforcer(Answers(Random(1)), AppealTokens(b"k" * 16))
    enforcer.is_ready = True
    return GuardHook(enforcer, NAMES), enforcer


def decide(enforcer: Enforcer, account: str, action: str, **more: Any) -> str:
    made = decision(account, action, **more)
    enforcer.orders.apply(made)
    return made.decision_id


def ask(hook: Any, user: str | None, data: dict[str, Any]) -> Any:
    auth = pytest.importorskip("litellm.proxy._types").UserAPIKeyAuth(api_key="9f" * 32, user_id=user, request_route="/v1/chat/completions")
    return asyncio.run(hook.async_pre_call_hook(auth, None, data, "acompletion"))


@pytest.mark.parametrize(("action", "status"), [("block", 403), ("challenge", 403), ("throttle", 429)])
def test_an_account_under_a_decision_is_refused_by_the_name_that_its_events_carry(action, status):
    """The account on the event is the account on the decision, or nothing is obeyed."""
    hook, enforcer = hook_and_enforcer()
    (event,) = LogReader(LITELLM_LOG, KEY).read(json.dumps(litellm_payload("jane@example.org")).encode())
    decision = decide(enforcer, event.account_id, action, **({"rate_rpm": 1} if action == "throttle" else {}))
    data: dict[str, Any] = {"metadata": {}}
    if action == "throttle":
        ask(hook, "jane@example.org", {"metadata": {}})
    with pytest.raises(pytest.importorskip("fastapi").HTTPException) as refusal:
        ask(hook, "jane@example.org", data)

    assert refusal.value.status_code == status
    assert refusal.value.detail["status"] == status
    assert ("retry-after" in refusal.value.headers) is (action == "throttle")
    assert refusal.value.headers.get("x-should-retry") == (None if action == "throttle" else "false")
    assert data["metadata"]["spend_logs_metadata"] == {"guard_decision": decision}


def test_nobody_writes_a_decision_of_his_own_into_the_metadata():
    """A failed call that names a decision teaches the guard nothing: it must be the guard's to name one."""
    hook, _ = hook_and_enforcer()
    data: dict[str, Any] = {"metadata": {"spend_logs_metadata": {"guard_decision": "d-mine", "team": "blue"}}}

    assert ask(hook, "acct-7", data) is None
    assert data["metadata"]["spend_logs_metadata"] == {"team": "blue"}


def test_a_key_without_a_user_is_an_account_of_its_own():
    """As in the callback's payload."""
    hook, enforcer = hook_and_enforcer()
    decide(enforcer, "9f" * 32, "block")

    with pytest.raises(pytest.importorskip("fastapi").HTTPException):
        ask(hook, None, {})
    assert enforcer.counts["blocked"] == 1


def test_a_card_on_a_decision_is_the_card_of_the_keys_metadata():
    """The members of a card are refused, also under accounts that are new."""
    hook, enforcer = hook_and_enforcer()
    auth = pytest.importorskip("litellm.proxy._types").UserAPIKeyAuth(
        api_key="9f" * 32, user_id="new", metadata={"payment_fingerprint": "pm-1"}
    )
    now = time.time_ns() // 1_000_000
    enforcer.orders.apply(
        sealed(
            Decision(
                scope="payment_fingerprint", subject=NAMES.hashed("payment_fingerprint", "pm-1"), action="block", issued_at=now,
                expires_at=now + 60_000, score=0.9, reasons=(), policy_version=1, model_version="m", origin="automatic", mode="enforce",
                members=("another",), members_total=1,
            )
        )
    )  # fmt: skip

    with pytest.raises(pytest.importorskip("fastapi").HTTPException):
        asyncio.run(hook.async_pre_call_hook(auth, None, {}, "acompletion"))
    assert enforcer.counts["blocked"] == 1


def test_the_proxy_with_our_configuration_obeys_and_reports_without_a_text(tmp_path):
    """What stands in deploy/litellm is what an operator starts."""
    port, secret = free_port(), "sk-" + secrets.token_hex(24)

    async def story() -> None:
        models = ModelServer()
        await models.start()
        async with ingest(tmp_path / "spool", token="sesame") as house:
            environment = {
                **os.environ, "LITELLM_MASTER_KEY": secret, "MODEL_API_BASE": f"http://127.0.0.1:{models.port}/v1", "GUARD_HASH_KEY": "k1:" + "63" * 32,
                "GUARD_BOOTSTRAP": NOWHERE, "GENERIC_LOGGER_ENDPOINT": f"{house.server.url}/litellm", "GENERIC_LOGGER_HEADERS": "x-guard-token=sesame",
                "LITELLM_LOCAL_MODEL_COST_MAP": "True", "PYTHONPATH": os.pathsep.join(sys.path),
            }  # fmt: skip
            with _proxy(tmp_path / "log", port, environment):
                answer = await asyncio.to_thread(_asked, port, secret)
                async with asyncio.timeout(30):
                    while not house.spooled():
                        await asyncio.sleep(0.1)
            (event,) = house.spooled()
            assert (answer["choices"][0]["message"]["content"], event["input_tokens"], event["status"]) == ("yes", 9, 200)
            assert (event["model"], event["prompt_chars"]) == ("my-model", len(QUESTION))
            assert QUESTION[:20] not in json.dumps(event)
        await models.stop()

    asyncio.run(story())


@contextmanager
def _proxy(log: Path, port: int, environment: dict[str, str]) -> Iterator[None]:
    command = [str(Path(sys.executable).parent / "litellm"), "--config", str(CONFIG), "--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, env=environment) as process:
        try:
            yield
        finally:
            process.kill()


def _asked(port: int, secret: str) -> dict[str, Any]:
    end = time.monotonic() + 90
    while True:
        try:
            answer = requests.post(
                f"http://127.0.0.1:{port}/v1/chat/completions", timeout=20, headers={"authorization": f"Bearer {secret}"},
                json={"model": "my-model", "messages": [{"role": "user", "content": QUESTION}]},
            )  # fmt: skip
            assert answer.status_code == 200, answer.text
            return answer.json()
        except requests.ConnectionError:
            assert time.monotonic() < end, "the proxy does not listen"
            time.sleep(0.5)
