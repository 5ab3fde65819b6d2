"""`python -m tests.bench.dispersion`: how unevenly honest callers call, the ground of `STEADY_DISPERSION` and `SITTING_DISPERSION`.

Programs: the squared coefficient of variation of the mean rates of clients drawn at random from ServeGen (Apache-2.0). People: that of
the requests within the first minutes of coding agents' sessions (WEKA Claude Code, Apache-2.0) that begin together, beyond Poisson and
with `ONE_SESSION`. Needs the shared data beside the checkout, or GUARD_SHARED.
"""

import gzip
import json
import random
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from guard.scoring.links.even_rates import ONE_SESSION
from tests.support.shared import TRACES

DRAWS = 5_000
GROUPS = (12, 20, 30)
SHARES = (0.01, 0.05, 0.5)
FIRST_MINUTES = (5, 10, 15, 20, 30, 60)


def main() -> None:
    """Print the quantiles of the draws for each of the two services, and for each length of a first sitting."""
    if not (TRACES / "servegen").is_dir():
        sys.exit("no traces beside the checkout: set GUARD_SHARED to the folder that has data/traces")
    for service in ("language/m-small", "reason/deepseek-r1"):
        rates = [_mean_rate(path) for path in sorted((TRACES / "servegen" / service).glob("*-trace.csv"))]
        print(f"{service}: {len(rates)} clients, the busiest {max(rates) / min(rates):,.0f} times the quietest")
        for group in GROUPS:
            print(f"{service}: {group} at a time, squared CV of their rates: {_quantiles(rates, group, _square)}")
    sessions = _sessions(TRACES / "cc_dev.jsonl.gz")
    for minutes in FIRST_MINUTES:
        requests = [sum(at < 60 * minutes for at in session) for session in sessions]
        print(
            f"{len(sessions)} sessions, first {minutes} minutes: mean {statistics.fmean(requests):.1f} requests, "
            f"30 at a time: {_quantiles(requests, 30, _beyond_poisson)}"
        )


def _quantiles(values: Sequence[float], group: int, measure: Callable[[Sequence[float]], float]) -> str:
    dice = random.Random(7)
    drawn = sorted(measure(dice.sample(values, group)) for _ in range(DRAWS))
    return ", ".join(f"{share:.0%} {drawn[int(share * DRAWS)]:.2f}" for share in SHARES)


def _mean_rate(path: Path) -> float:
    rates = [float(line.split(",")[1]) for line in path.read_text().splitlines() if line.strip()]
    return statistics.fmean(rates)


def _sessions(path: Path) -> list[list[float]]:
    """Seconds of each request since the first of its session; copies of another session are left out."""
    found: list[list[float]] = []
    is_copy = False
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for entry in map(json.loads, lines):
            if "session" in entry:
                is_copy = entry.get("dup_of") is not None
                found.append([])
            elif not is_copy:
                found[-1].append(entry["t"])
    return [[at - min(session) for at in session] for session in found if session]


def _square(rates: Sequence[float]) -> float:
    return statistics.pvariance(rates) / statistics.fmean(rates) ** 2


def _beyond_poisson(counts: Sequence[float]) -> float:
    mean = statistics.fmean(counts)
    return (statistics.pvariance(counts) - mean) / mean**2 + ONE_SESSION / mean


if __name__ == "__main__":
    main()
