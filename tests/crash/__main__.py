"""`python -m tests.crash --events 300000 --kills 6 --seed 1`: the exactly-once proof by hand, on a real broker."""

import argparse
import contextlib
import sys
import tempfile
from pathlib import Path

import msgspec

from guard.streaming.broker import EmbeddedBroker
from tests.crash.fleet import RESTART_ME
from tests.crash.harness import Plan, crash_run
from tests.crash.stopped import RESUME_SECONDS_MAX, stopped_run


def main() -> None:
    """Run one or several seeds; exit code 1 if anything was lost or doubled."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--bootstrap", help="an existing broker whose guard topics may be made anew; default: an embedded one")
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--seed", type=int, nargs="+", default=[1])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--engine", choices=["toy", "real"], default="toy", help="the counting stages, or the guard's own")
    parser.add_argument("--stop", action="store_true", help="instead stop a worker inside a transaction, and wake it later")
    options = parser.parse_args()
    plans = [Plan(options.events, options.kills, seed, options.workers, options.engine) for seed in options.seed]
    with contextlib.ExitStack() as stack:
        log = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "workers.log"
        bootstrap = options.bootstrap or stack.enter_context(EmbeddedBroker()).bootstrap
        is_clean = [_stop(bootstrap, log)] if options.stop else [_one(bootstrap, plan, log) for plan in plans]
        if not all(is_clean):
            print(log.read_text()[-4_000:], file=sys.stderr)
            sys.exit(1)


def _stop(bootstrap: str, log: Path) -> bool:
    seen = stopped_run(bootstrap, log)
    for name, value in msgspec.structs.asdict(seen).items():
        print(f"  {name.replace('_', ' '):<30}{value}")
    return seen.verdict.is_clean and seen.exit_code == RESTART_ME and seen.resumed_seconds <= RESUME_SECONDS_MAX


def _one(bootstrap: str, plan: Plan, log: Path) -> bool:
    outcome = crash_run(bootstrap, plan, log)
    print(f"seed {plan.seed}: {plan.events} events, {outcome.kills} kills, {plan.workers} workers, {outcome.seconds:.0f} s")
    print(f"  {'events counted':<24}{outcome.counted:>10}")
    for name, number in msgspec.structs.asdict(outcome.verdict).items():
        print(f"  {name.replace('_', ' '):<24}{number:>10}")
    print(f"  {'ended to be restarted':<24}{outcome.restarts:>10}")
    print(f"  exit codes after SIGTERM {outcome.exit_codes}, other ends {outcome.bad_ends}")
    print("  clean" if outcome.is_clean else "  NOT CLEAN", flush=True)
    return outcome.is_clean


if __name__ == "__main__":
    main()
