"""`python -m tests.bench.dispersion`: how unevenly real API clients call, the ground of `STEADY_DISPERSION`.

The squared coefficient of variation of the mean rates of clients drawn at random from ServeGen (Apache-2.0), over many draws. Needs
the shared data beside the checkout, or GUARD_SHARED.
"""

import random
import statistics
import sys
from pathlib import Path

from tests.support.shared import TRACES

DRAWS = 5_000
GROUPS = (12, 20, 30)


def main() -> None:
    """Print the quantiles of the draws for each of the two services and each size of group."""
    folder = TRACES / "servegen"
    if not folder.is_dir():
        sys.exit("no ServeGen traces beside the checkout: set GUARD_SHARED to the folder that has data/traces")
    for service in ("language/m-small", "reason/deepseek-r1"):
        rates = [_mean_rate(path) for path in sorted((folder / service).glob("*-trace.csv"))]
        print(f"{service}: {len(rates)} clients, the busiest {max(rates) / min(rates):,.0f} times the quietest")
        dice = random.Random(7)
        for group in GROUPS:
            drawn = sorted(_dispersion(dice.sample(rates, group)) for _ in range(DRAWS))
            shown = ", ".join(f"{share:.0%} {drawn[int(share * DRAWS)]:.2f}" for share in (0.01, 0.05, 0.5))
            print(f"{service}: {group} at a time, squared CV of their rates: {shown}")


def _mean_rate(path: Path) -> float:
    rates = [float(line.split(",")[1]) for line in path.read_text().splitlines() if line.strip()]
    return statistics.fmean(rates)


def _dispersion(rates: list[float]) -> float:
    return statistics.pvariance(rates) / statistics.fmean(rates) ** 2


if __name__ == "__main__":
    main()
