"""How many of whom each world has, as one table."""

from typing import Final

from msgspec import Struct

from guard.simulation.cast import Size
from guard.simulation.families import ATTACKS, NEGATIVES
from guard.units import DAY_MS, HOUR_MS, MINUTE_MS

DEMONSTRATED: Final = ("A1", "A3", "A4", "A10")
DEMONSTRATED_NEGATIVES: Final = ("N1", "N4", "N8", "N11")

YOUNG: Final = 0.75
"""In the short worlds three quarters of a fleet are fresh, as the advisory describes; in the long ones a quarter, as evasion would have it."""


class Preset(Struct, frozen=True):
    """One world's span, sizes and usual families. `mass` accounts of people are made one by one as they come, each for a while."""

    span_ms: int
    sizes: dict[str, Size]
    attacks: tuple[str, ...] = ATTACKS
    negatives: tuple[str, ...] = NEGATIVES
    mass: int = 0
    mass_exchanges: float = 0.0
    """Mean exchanges of each of them."""

    young_share: float = 0.25
    """Fleet accounts of less than two weeks; the others are bought with a past, or as old as anybody's."""

    def size(self, family: str) -> Size:
        """The size of a family in this world."""
        return self.sizes.get(family) or FEW[family]


FEW: Final = {
    "people": Size(150),
    "steady": Size(8),
    "bursty": Size(8),
    "agents": Size(10),
    "teams": Size(30),
    "N1": Size(1, 17_000),
    "N2": Size(8),
    "N3": Size(2, 9_000),
    "N4": Size(20),
    "N5": Size(15, 1_500),
    "N6": Size(60),
    "N7": Size(20),
    "N8": Size(40),
    "N9": Size(60),
    "N10": Size(6),
    "N11": Size(30),
    "N12": Size(2, 6_000),
    "N13": Size(6),
    "A1": Size(1, 1_500),
    "A2": Size(60, 5.6),
    "A3": Size(24, 6_000),
    "A4": Size(32, 5_000),
    "A5": Size(24, 3_000),
    "A6": Size(24, 6_000),
    "A7": Size(24, 9_000),
    "A8": Size(24, 5_000),
    "A9": Size(24, 5_000),
    "A10": Size(16, 6_000),
    "A11": Size(24, 3_000),
    "A12": Size(24, 4_000),
    "A13": Size(24, 3_000),
    "A14": Size(24, 5_000),
    "A15": Size(24, 5_000),
    "A16": Size(60, 857),
}
"""`small`: enough of each to see what it does; rates are a day's work squeezed into minutes."""

AN_HOUR: Final = {
    "people": Size(1_200),
    "steady": Size(30),
    "bursty": Size(30),
    "agents": Size(60),
    "teams": Size(100),
    "N1": Size(1, 43_000),
    "N4": Size(60),
    "N8": Size(300),
    "N11": Size(150),
    "A1": Size(1, 2_500),
    "A3": Size(60, 3_400),
    "A4": Size(80, 2_700),
    "A10": Size(40, 3_400),
}

THREE_DAYS: Final = {
    "people": Size(1_900),
    "steady": Size(70),
    "bursty": Size(70),
    "agents": Size(230),
    "teams": Size(480),
    "N1": Size(2, 12_000),
    "N2": Size(40),
    "N3": Size(4, 5_000),
    "N4": Size(60),
    "N5": Size(120, 60),
    "N6": Size(350),
    "N7": Size(150),
    "N8": Size(750),
    "N9": Size(250),
    "N10": Size(25),
    "N11": Size(450),
    "N12": Size(3, 4_000),
    "N13": Size(25),
    "A1": Size(2, 6_000),
    "A2": Size(300, 5.6),
    "A3": Size(160, 90),
    "A4": Size(160, 60),
    "A5": Size(120, 60),
    "A6": Size(120, 60),
    "A7": Size(120, 80),
    "A8": Size(120, 60),
    "A9": Size(120, 60),
    "A10": Size(120, 60),
    "A11": Size(120, 40),
    "A12": Size(120, 60),
    "A13": Size(120, 13),
    "A14": Size(140, 46),
    "A15": Size(120, 60),
    "A16": Size(450, 857),
}

TWO_WEEKS: Final = {
    name: Size(round(size.accounts * (6 if name in {"people", "agents", "teams", "N2", "N6", "N8", "N9", "N11"} else 2)), size.per_day)
    for name, size in THREE_DAYS.items()
}

MILLIONS: Final = {
    "people": Size(100),
    "A4": Size(5_200, 58.0),
    "A9": Size(18_000, 64.0),
    "A11": Size(800, 17.0),
}
"""The three campaigns of February 2026: 0.15, 3.4 and 13 million exchanges of 24,000 accounts."""

PRESETS: Final = {
    "small": Preset(20 * MINUTE_MS, FEW, DEMONSTRATED, DEMONSTRATED_NEGATIVES, young_share=YOUNG),
    "demo": Preset(HOUR_MS, AN_HOUR, DEMONSTRATED, DEMONSTRATED_NEGATIVES, young_share=YOUNG),
    "S": Preset(3 * DAY_MS, THREE_DAYS),
    "L": Preset(14 * DAY_MS, TWO_WEEKS),
    "XL": Preset(14 * DAY_MS, MILLIONS, ("A4", "A9", "A11"), (), 1_000_000, 10.0),
}
"""`small` and `demo` play four families of attack and four negatives unless asked for others; `demo` is about 60,000 exchanges."""
