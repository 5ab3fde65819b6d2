"""Programs: one prompt of their own or a public one, mostly one turn deep, constant parameters; steady, or bursts with long pauses."""

from typing import Final

from guard.simulation.cast import Entries, Role, Size, caller
from guard.simulation.client import Client
from guard.simulation.draws import around
from guard.simulation.habits import Habit, pipeline_habit
from guard.simulation.market import Market
from guard.simulation.prompts import ELICITING, EXPLAINED, GRADING, PLAIN, UNGRADED, Free, Lengths, Source, interests, template
from guard.simulation.rhythm import Bursts, Hours, Steady, served
from guard.simulation.talk import Style, Talk
from guard.units import MINUTE_MS, SECOND_MS

RATE_MEDIAN: Final = 0.006
"""Requests a second. ServeGen's reasoning clients have 0.0045/0.057/0.46 (p10/50/90); a tenth of that keeps worlds small."""
RATE_SPREAD: Final = 1.8
"""The spread of the same three numbers."""
RATE_MAX: Final = 0.5
ELICITING_SHARE: Final = 0.12
GRADING_SHARE: Final = 0.1
"""Programs that ask for worked answers or grade others' answers: tutors, audits, evaluation, quality control (assumption)."""


def steady(market: Market, size: Size) -> Entries:
    """Steady programs."""
    for _ in range(size.accounts):
        yield _entry(market, program(market, Role("steady pipeline"), rate(market), 0))


def bursty(market: Market, size: Size) -> Entries:
    """Programs that work through piles."""
    for _ in range(size.accounts):
        yield _entry(market, program(market, Role("bursty pipeline"), rate(market), market.dice.randint(5, 120)))


def rate(market: Market) -> float:
    """A program's requests a second."""
    floor = 3_000 / market.span_ms
    return min(RATE_MAX, max(floor, around(market.dice, RATE_MEDIAN if market.has_nights else 0.03, RATE_SPREAD)))


def _entry(market: Market, client: Client) -> tuple[int, Client]:
    created = client.identity["account_created"]
    return max(market.start, created) + int(market.dice.random() * min(market.span_ms, 10 * MINUTE_MS)), client


def own_prompt(market: Market, *, free_share: float | None = None) -> Source:
    """A program's prompt: mostly its own, sometimes a public one, sometimes none at all."""
    dice = market.dice
    kind = dice.random()
    if kind < 0.2:
        return market.public_prompt(dice)
    if kind < 0.3:
        return Free(None, interests(dice, 3), ELICITING if dice.random() < ELICITING_SHARE else PLAIN)
    intent = dice.random()
    elicitation = ELICITING if intent < ELICITING_SHARE else EXPLAINED if intent < 2 * ELICITING_SHARE else PLAIN
    rubric = GRADING if dice.random() < GRADING_SHARE else UNGRADED
    free = dice.choice((0.0, 0.3, 0.7, 1.0)) if free_share is None else free_share
    return template(dice, dice.randint(1, 6), elicitation=elicitation, rubric=rubric, free_share=free)


def lengths(market: Market, *, reasons: bool) -> Lengths:
    """A program's lengths (ServeGen: means in 73/373/3,126 and out 364/649/1,403 with reasoning, in 361 and out 40 without)."""
    dice = market.dice
    if reasons:
        return Lengths(around(dice, 373, 1.1), dice.uniform(0.1, 1.0), around(dice, 700, 0.6), dice.uniform(0.3, 0.9))
    return Lengths(around(dice, 361, 1.1), dice.uniform(0.05, 0.9), around(dice, 60, 1.2), dice.uniform(0.2, 0.9))


def program(market: Market, role: Role, rate_per_s: float, burst: int, asks: Source | None = None, habit: Habit | None = None) -> Client:
    """One program; everything not given is drawn."""
    dice = market.dice
    reasons = dice.random() < 0.4
    used = market.curious(pipeline_habit(dice, reasons=reasons) if habit is None else habit)
    style = Style(
        lengths(market, reasons=reasons),
        dice.choice((0.0, 0.0, 0.0, 0.0, 0.6, 2.0)),
        dice.choice((0, 0, 0, 1, 4)),
        0.5,
        dice.choice((0, 0, 200, 1_500)),
    )
    hours = served(dice)
    if not market.has_nights:
        hours = Hours(zone_ms=1, floor=1.0)  # unlike `ALWAYS`, whose callers draw no dice for their hours
    gap_ms = SECOND_MS / rate_per_s
    wait = (
        Bursts(dice.uniform(80, 2_000), gap_ms * burst, burst, hours) if burst else Steady(gap_ms, dice.choice((0.3, 1.0, 1.0, 4.0)), hours)
    )
    fresh = market.start - int(dice.uniform(0, 10) * 86_400_000) if dice.random() < 0.15 else None
    identity = market.identity(plan=dice.choice((1, 1, 2)) if burst else dice.choice((1, 2, 3)), created=fresh)
    talk = Talk(own_prompt(market) if asks is None else asks, style, used)
    networks = market.cloud() if dice.random() < 0.8 else market.home()
    return caller(market, role, identity, talk, wait, networks, is_serial=style.turns_mean > 0)
