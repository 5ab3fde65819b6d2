"""Three simulated hours in a closed loop, without Kafka: campaigns found, leaks, honest accounts touched."""

from guard.control.board import opening_control
from guard.engine.driver import Driver
from guard.simulation.loop import play_closed
from guard.simulation.presets import build
from guard.simulation.score import Report, Scorer

END = 1_790_000_000_000
SEEDS = (1, 2, 3)
FLEETS = ("A3", "A4", "A10")


def main() -> None:
    """Print a line for each campaign and each world."""
    for seed in SEEDS:
        built = build("demo", seed, END, FLEETS)
        scorer = Scorer(built.truths)
        for _ in play_closed(built.world, Driver(8, opening_control(enforce=True)), scorer):
            pass
        _show(seed, scorer.report())


def _show(seed: int, report: Report) -> None:
    hit = {kind: len(accounts) for kind, accounts in report.honest_sanctioned.items()}
    blocked = {kind: len(accounts) for kind, accounts in report.honest_blocked.items()}
    print(
        f"seed {seed}: {report.events:,} events, {report.honest_accounts:,} honest accounts, sanctioned {hit or 'none'}, blocked {blocked or 'none'}"
    )
    for one in report.campaigns:
        found = "found" if one.is_found else "not found"
        leaks = f"leaked {one.leaked_before_throttle} before the first throttle, {one.leaked_before_block} before a block"
        print(f"  {one.family}: {found}, {one.caught} of {one.accounts} accounts caught, {leaks}", flush=True)
