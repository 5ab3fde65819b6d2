"""`python -m tests.crash --events 300000 --kills 6 --seed 1`: the exactly-once proof by hand, on a real broker."""

import argparse
import sys
import tempfile
from pathlib import Path

import msgspec

from tests.crash.harness import Outcome, Plan, crash_run


def main() -> None:
    """Run one or several seeds; exit code 1 if anything was lost or doubled."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--bootstrap", help="an existing broker whose guard topics may be made anew; default: an embedded one")
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--seed", type=int, nargs="+", default=[1])
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    plans = [Plan(options.events, options.kills, seed, options.workers) for seed in options.seed]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "workers.log"
        outcomes = _all(plans, options.bootstrap, log)
        if not all(outcome.is_clean for outcome in outcomes):
            print(log.read_text()[-4_000:], file=sys.stderr)
            sys.exit(1)


def _all(plans: list[Plan], bootstrap: str | None, log: Path) -> list[Outcome]:
    if bootstrap is not None:
        return [_one(bootstrap, plan, log) for plan in plans]
    from tests.support.broker import embedded_broker

    with embedded_broker() as address:
        return [_one(address, plan, log) for plan in plans]


def _one(bootstrap: str, plan: Plan, log: Path) -> Outcome:
    outcome = crash_run(bootstrap, plan, log)
    print(f"seed {plan.seed}: {plan.events} events, {outcome.kills} kills, {plan.workers} workers, {outcome.seconds:.0f} s")
    print(f"  {'events counted':<24}{outcome.counted:>10}")
    for name, number in msgspec.structs.asdict(outcome.verdict).items():
        print(f"  {name.replace('_', ' '):<24}{number:>10}")
    print(f"  {'ended to be restarted':<24}{outcome.restarts:>10}")
    print(f"  exit codes after SIGTERM {outcome.exit_codes}, other ends {outcome.bad_ends}")
    print("  clean" if outcome.is_clean else "  NOT CLEAN", flush=True)
    return outcome


if __name__ == "__main__":
    main()
