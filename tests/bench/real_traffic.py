"""`python -m tests.bench.real_traffic`: real traces as honest customers; whoever is sanctioned is a false positive.

By replay, or with `--broker` through a real Kafka at full speed and one `guard run --enforce`. Each client of a trace is one
account (the mapping is printed); identity, age and prompts are mostly missing in the traces, so that hardly anything reaches the
links stage: the events/s, sending included, are those of bare events and no measure of the three stages. Needs the shared data
beside the checkout, or GUARD_SHARED; GenTD26 has no licence and is for evaluation only.
"""

import argparse
import asyncio
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec
from aiokafka import AIOKafkaProducer
from msgspec import Struct

from guard.cli.demonstration import processes
from guard.control.board import opening_control
from guard.control.topics_read import read_topic
from guard.convert.kinds import kind_named
from guard.decisions.decision import Decision, decode_decision
from guard.engine.driver import Driver
from guard.errors import GuardError
from guard.replay.run import replay
from guard.streaming.admin import create_topics
from guard.streaming.broker import EmbeddedBroker
from guard.topics import Topic
from tests.support.played import decisions_of, until_counted
from tests.support.shared import TRACES

START: Final = "1790000000000"
SHARDS: Final = 8
SECONDS_MAX: Final = 900.0
ACTIONS: Final = ("throttle", "challenge", "block")
SERVEGEN: Final = ("servegen/language/m-small", "servegen/reason/deepseek-r1")


class Source(Struct, frozen=True):
    """One trace: its kind, its files below the shared traces, and the options of its conversion."""

    name: str
    kind: str
    files: tuple[str, ...]
    options: tuple[str, ...] = ()
    thinned: str = "nothing"


SOURCES: Final = (
    Source("weka-claude-code", "weka-claude-code", ("cc_dev.jsonl.gz",)),
    Source("servegen", "servegen", SERVEGEN, ("--rate-max", "0.2"), "clients above 0.2 requests/s, to that rate; one day"),
    Source("servegen-full", "servegen", SERVEGEN, ("--rate-max", "0", "--days", "0.00695"), "no client; the first ten minutes only"),
    Source("gentd26", "gentd26", ("gentd26/lora_request_trace.csv",)),
    Source("azure2023", "azure2023", ("azure2023/AzureLLMInferenceTrace_conv.csv", "azure2023/AzureLLMInferenceTrace_code.csv")),
    Source("mooncake", "mooncake", ("mooncake/conversation_trace.jsonl",)),
)
PEOPLE: Final = frozenset({"weka-claude-code", "servegen", "servegen-full", "gentd26"})
"""Sources whose accounts are clients; the others tell lengths and speed only."""


class Judged(Struct, frozen=True):
    """What came of one source."""

    events: int
    accounts: int
    seconds: float
    decisions: list[Decision]


class _Account(Struct):
    account_id: str


_account = msgspec.json.Decoder(_Account).decode


def main() -> None:
    """Print, per source: events, accounts, accounts throttled, challenged, blocked, and events a second."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.real_traffic", description=__doc__)
    parser.add_argument("--broker", action="store_true", help="through an embedded Kafka and a worker instead of replay")
    parser.add_argument("--sources", default=",".join(source.name for source in SOURCES), help="which, with commas between them")
    options = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # new topics are waited for by retrying, each retry a line
    if not TRACES.is_dir():
        sys.exit("no shared traces beside the checkout: set GUARD_SHARED to the folder that has data/traces")
    accounts = 0
    hit: dict[str, set[str]] = {action: set() for action in ACTIONS}
    for source in (source for source in SOURCES if source.name in options.sources.split(",")):
        judged = _judged(source, TRACES, through_broker=options.broker)
        found = _show(source, judged)
        if source.name in PEOPLE:
            accounts += judged.accounts
            for action in ACTIONS:
                hit[action] |= {f"{source.name}/{account}" for account in found[action]}
    sanctioned = set[str]().union(*hit.values())
    share = len(sanctioned) / accounts if accounts else 0.0
    print(
        f"over all clients: {len(sanctioned)} of {accounts:,} sanctioned, {share:.2%} (target 0.1 %); {len(hit['block'])} blocked (target 0)"
    )


def _judged(source: Source, traces: Path, *, through_broker: bool) -> Judged:
    with tempfile.TemporaryDirectory() as folder:
        events = Path(folder) / "events.jsonl"
        _convert(source, traces, events)
        try:
            return asyncio.run(_by_broker(events, Path(folder))) if through_broker else _by_replay(events)
        except GuardError as error:
            sys.exit(f"{source.name}: {error}")
        except TimeoutError:
            sys.exit(f"{source.name}: not all was counted within {SECONDS_MAX:.0f} s; the machine may be busy with something else")


def _convert(source: Source, traces: Path, out: Path) -> None:
    files = [str(traces / name) for name in source.files]
    command = [sys.executable, "-m", "guard.cli.main", "convert", "--from", source.kind, "--out", str(out), "--start", START]
    subprocess.run([*command, *source.options, *files], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _by_replay(events: Path) -> Judged:
    driver = Driver(SHARDS, opening_control(enforce=True))
    decisions, began = events.with_name("decisions.jsonl"), time.monotonic()
    with decisions.open("wb") as out:
        seen, _ = replay([events], driver, out)
    seconds = time.monotonic() - began
    return Judged(seen.events, driver.accounts, seconds, [decode_decision(line) for line in decisions.read_bytes().splitlines()])


async def _by_broker(events: Path, folder: Path) -> Judged:
    with EmbeddedBroker() as broker:
        await create_topics(broker.bootstrap, SHARDS)
        worker = processes.worker("worker", broker.bootstrap, folder / "worker.log")
        await worker.start()
        try:
            await worker.wait_until_ready()
            began = time.monotonic()
            sent, accounts = await _produce(broker.bootstrap, events)
            counted_at = await until_counted(broker.bootstrap, sent, [worker], SECONDS_MAX)
        finally:
            await worker.end()
        shadow = [decode_decision(record.value) for record in await read_topic(broker.bootstrap, Topic.SHADOW)]
        return Judged(sent, accounts, counted_at - began, [*await decisions_of(broker.bootstrap), *shadow])


async def _produce(bootstrap: str, events: Path) -> tuple[int, int]:
    """Send every line at full speed; how many there were, and of how many accounts."""
    sent, accounts = 0, set()
    settings = {"bootstrap_servers": bootstrap, "enable_idempotence": True, "linger_ms": 5, "max_batch_size": 200_000}
    async with AIOKafkaProducer(**settings) as producer:
        with events.open("rb") as lines:
            for line in lines:
                account = _account(line).account_id
                accounts.add(account)
                await producer.send(Topic.REQUESTS, line.rstrip(), key=account.encode())
                sent += 1
    return sent, len(accounts)


def _show(source: Source, judged: Judged) -> dict[str, set[str]]:
    hit = {action: _accounts(one for one in judged.decisions if one.action == action and one.mode == "enforce") for action in ACTIONS}
    shadow = sum(one.mode == "shadow" for one in judged.decisions)
    told = ", ".join(f"{len(found)} {action}" for action, found in hit.items())
    speed = f"{judged.events / judged.seconds:,.0f} events/s"
    print(f"{source.name}: {judged.events:,} events of {judged.accounts:,} accounts; {told}; {shadow} decisions in shadow; {speed}")
    print(f"  mapping: {kind_named(source.kind).notes[0]} Thinned: {source.thinned}.", flush=True)
    for action, accounts in hit.items():
        for account in sorted(accounts):
            print(f"  {action}: {account}, by {_why(judged.decisions, account, action)}", flush=True)
    return hit


def _why(decisions: list[Decision], account: str, action: str) -> str:
    first = next(one for one in decisions if one.action == action and account in _accounts([one]))
    return f"{first.scope}, score {first.score:.2f}: " + ", ".join(f"{reason.code} {reason.value:g}" for reason in first.reasons)


def _accounts(decisions: Iterable[Decision]) -> set[str]:
    found: set[str] = set()
    for one in decisions:
        found.update({one.subject} if one.scope == "account" else set(one.members or ()))
    return found


if __name__ == "__main__":
    main()
