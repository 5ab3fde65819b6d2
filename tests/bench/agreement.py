"""`python -m tests.bench.agreement`: one world, open loop, through the real stream at several paces and through replay.

Bounds: accounts sanctioned in either are sanctioned in both for 99 %, campaigns match by members with Jaccard 0.95. Every
difference is classified. Compared is what is first said two minutes before the records end or earlier. `--accounts FILE` also writes, per pace, the accounts that one of the two alone sanctions.
"""

import argparse
import asyncio
import json
import logging
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from guard.events.request import RequestEvent
from guard.simulation.presets import ATTACKS, build
from guard.simulation.world import OpenGateway
from guard.streaming.broker import EmbeddedBroker
from guard.units import MINUTE_MS
from tests.support.comparison import TAIL_MS, Comparison, Run, compare, run_of
from tests.support.disorder import Disorder, read_disorder
from tests.support.played import SHARDS, Pace, replayed, streamed

PACES: Final = {
    "20x": Pace("20x", 20.0),
    "full": Pace("full", None),
    "backlog": Pace("backlog", 20.0, waiting_ms=30 * MINUTE_MS),
}
AGREEMENT_MIN: Final = 0.99
JACCARD_MIN: Final = 0.95


def main() -> None:
    """Print the comparison for each pace; exit code 1 if a bound is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.agreement", description=__doc__)
    parser.add_argument("--paces", default=",".join(PACES), help=f"some of {','.join(PACES)}, commas between them")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--world", default="demo", help="small, demo or day")
    parser.add_argument("--minutes", type=float, default=60.0, help="only the first so many minutes of the world")
    parser.add_argument(
        "--ended-at", type=int, help="when the world ends, milliseconds since the epoch: makes runs comparable; now if not given"
    )
    parser.add_argument("--accounts", type=Path, help="a file for the accounts that differ, one JSON object a line")
    options = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # new topics are waited for by retrying, each retry a line
    names = options.paces.split(",")
    if unknown := sorted(set(names) - PACES.keys()):
        sys.exit(f"--paces {', '.join(unknown)}: it should be some of {','.join(PACES)}")
    end = options.ended_at or time.time_ns() // 1_000_000 - MINUTE_MS
    events = _events(options.world, options.seed, options.minutes, end)
    by_replay = run_of(replayed(events))
    print(f"world {options.world}, seed {options.seed}: ended at {end}: {len(events):,} events; replay {_told(by_replay)}", flush=True)
    held = [_one(PACES[name], events, by_replay, options.accounts) for name in names]
    sys.exit(0 if all(held) else 1)


def _events(world: str, seed: int, minutes: float, ended_at: int) -> list[RequestEvent]:
    built = build(world, seed, ended_at, ATTACKS)
    end = built.start + minutes * MINUTE_MS
    return [event for exchange in built.world.play(OpenGateway()) if (event := exchange.event).event_time < end]


def _one(pace: Pace, events: list[RequestEvent], by_replay: Run, accounts: Path | None) -> bool:
    began = time.monotonic()
    with EmbeddedBroker() as broker, tempfile.TemporaryDirectory() as folder:
        by_stream = run_of(asyncio.run(streamed(broker.bootstrap, events, pace, Path(folder))))
        disorder = asyncio.run(read_disorder(broker.bootstrap, SHARDS))
    found = compare(by_stream, by_replay, max(event.event_time for event in events) - TAIL_MS)
    print(f"{pace.name}: stream {_told(by_stream)}, {time.monotonic() - began:.0f} s")
    _show(found)
    _show_disorder(disorder)
    if accounts is not None:
        _write(accounts, pace, by_stream, by_replay)
    return found.agreement >= AGREEMENT_MIN and found.worst_jaccard >= JACCARD_MIN


def _told(run: Run) -> str:
    return f"sanctions {len(run.accounts):,} accounts and ends with {len(run.campaigns)} campaigns in force of {len(run.ever)} ever"


def _show(found: Comparison) -> None:
    print(
        f"  accounts: {found.both} by both, {found.only_first} by the stream alone, {found.only_second} by replay alone: "
        f"{found.agreement:.1%} agree (bound {AGREEMENT_MIN:.0%})"
    )
    delays = [f"{found.delays_ms[len(found.delays_ms) * share // 100] / 1_000:.0f} s" for share in (5, 50, 95)] if found.both else ["none"]
    print(f"  first sanction in the stream later than in replay by (event time; 5 %, half, 95 % of accounts): {', '.join(delays)}")
    shares = ", ".join(f"{match.jaccard:.3f}" for match in sorted(found.matches, key=lambda match: match.jaccard)[:12])
    print(f"  campaigns, worst first: Jaccard {shares or 'of none'} (bound {JACCARD_MIN})")
    for kind, count in sorted(found.differences.items()):
        print(f"  {count:>5}  {kind}", flush=True)


def _show_disorder(disorder: Disorder) -> None:
    behind, apart = (", ".join(f"{seconds:.1f} s" for seconds in told) for told in (disorder.behind, disorder.apart))
    print(
        f"  event time (half, 95 %, most): contacts come {behind} behind their shard's newest; accounts shards stand {apart} apart",
        flush=True,
    )


def _write(path: Path, pace: Pace, by_stream: Run, by_replay: Run) -> None:
    with path.open("a", encoding="utf-8") as out:
        for account in sorted(by_stream.accounts.keys() ^ by_replay.accounts.keys()):
            where, run = ("stream", by_stream) if account in by_stream.accounts else ("replay", by_replay)
            one = run.accounts[account]
            line = {"pace": pace.name, "by": where, "account": account, "action": one.action.word, "score": one.score, "own": one.own}
            out.write(json.dumps({**line, "campaigns": sorted(one.campaigns), "first_at": one.first_at}) + "\n")


if __name__ == "__main__":
    main()
