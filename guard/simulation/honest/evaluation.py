"""N1 and N12: whoever asks a great deal with one template and says why. Evaluators grade; certified customers make training data."""

from typing import Final

from guard.simulation.cast import Entries, Entry, Role, Size, caller
from guard.simulation.draws import hashed
from guard.simulation.habits import pipeline_habit
from guard.simulation.market import Market
from guard.simulation.prompts import ELICITING, EXPLAINED, GRADING, Lengths, Template, template
from guard.simulation.rhythm import Steady
from guard.simulation.talk import Style, Talk
from guard.units import DAY_MS, MINUTE_MS, SECOND_MS

JUDGED: Final = Lengths(1_607, 0.4, 218, 0.3)
"""WildBench judge batch: prompt 1,144/1,607/2,713, completion 173/218/282 tokens."""
SYNTHESIZED: Final = Lengths(400, 0.5, 900, 0.6)


def evaluators(market: Market, size: Size) -> Entries:
    """N1: batch evaluation; `size.per_day` exchanges an account, one template each."""
    for _ in range(size.accounts):
        judge = template(market.dice, 2, elicitation=EXPLAINED, rubric=GRADING, free_share=0.1)
        yield _batch(market, Role("batch evaluator", "N1"), judge, JUDGED, size, org=hashed(market.dice))


def synthesizers(market: Market, size: Size) -> Entries:
    """N12: customers with permission to make training data: a few accounts of one organisation, certified by a label."""
    org, card = hashed(market.dice), hashed(market.dice)
    asks = template(market.dice, 4, elicitation=ELICITING, free_share=0.2)
    for _ in range(size.accounts):
        yield _batch(market, Role("synthetic-data customer", "N12"), asks, SYNTHESIZED, size, org=org, card=card)


def _batch(market: Market, role: Role, asks: Template, lengths: Lengths, size: Size, *, org: str, card: str | None = None) -> Entry:  # noqa: PLR0913
    dice = market.dice
    identity = market.identity(plan=4, created=market.start - int(dice.uniform(20, 400) * DAY_MS), org=org, card=card)
    habit = market.curious(pipeline_habit(dice, reasons=lengths is SYNTHESIZED))
    wait = Steady(DAY_MS / size.per_day, dice.choice((0.5, 1.0)))
    at = market.start + int(dice.random() * min(10 * MINUTE_MS, market.span_ms))
    assert DAY_MS / size.per_day > SECOND_MS / 20
    return at, caller(market, role, identity, Talk(asks, Style(lengths), habit), wait, market.cloud(), is_serial=False)
