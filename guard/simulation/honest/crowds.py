"""N4, N6, N9: crowds of newcomers on one prompt: a university lab, an application that goes viral, a hackathon."""

from math import log
from typing import Final

from guard.simulation.cast import Entries, Role, Size, caller
from guard.simulation.draws import around, hashed
from guard.simulation.habits import chat_habit, pipeline_habit
from guard.simulation.honest.people import person
from guard.simulation.market import Market
from guard.simulation.prompts import EXPLAINED, Free, Lengths, interests, template
from guard.simulation.rhythm import ALWAYS, Sessions, office
from guard.simulation.talk import Style, Talk, chat_style
from guard.units import DAY_MS, HOUR_MS, MINUTE_MS

SPIKE: Final = 20.0
"""How much faster a viral application gains users at its peak than at first (reference: x20)."""
HACKATHON_MS: Final = 9 * HOUR_MS


def lab(market: Market, size: Size) -> Entries:
    """N4: a university lab: one card, one network, one homework prompt, accounts opened this term; each at its own pace."""
    dice = market.dice
    card, campus, homework = hashed(dice), market.roaming(1), template(dice, 8, elicitation=EXPLAINED, free_share=0.2)
    for _ in range(size.accounts):
        identity = market.identity(plan=1, created=market.start - int(dice.uniform(3, 60) * DAY_MS), card=card)
        habit = pipeline_habit(dice, reasons=dice.random() < 0.5)
        style = Style(Lengths(300, 0.6, 400, 0.7), dice.choice((0.0, 0.5, 2.0)))
        wait = Sessions(
            around(dice, 90.0, 0.9),
            1.0,
            30_000.0 if market.has_nights else 1_500.0,
            0.5,
            0.15,
            office(dice) if market.has_nights else ALWAYS,
        )
        at = wait.hours.awake_at(dice, market.start + dice.random() * min(market.span_ms, DAY_MS))
        yield int(at), caller(market, Role("student", "N4"), identity, Talk(homework, style, habit), wait, campus)


def viral(market: Market, size: Size) -> Entries:
    """N6: an application goes viral: each user a new account of its own, all on the application's prompt and client."""
    dice = market.dice
    prefix, stack, fields = hashed(dice), market.stack(), interests(dice, 2)
    asks = template(dice, 5, free_share=0.7) if dice.random() < 0.5 else Free(prefix, fields)
    begins = market.start + int(market.span_ms * dice.uniform(0.15, 0.35))
    lasts = min(int(1.5 * DAY_MS), int(market.span_ms * 0.5))
    for _ in range(size.accounts):
        created = begins + int(lasts * log(1 + dice.random() * (SPIKE - 1)) / log(SPIKE))
        identity = market.identity(plan=dice.choice((0, 0, 1)), created=created)
        identity |= {"client_fingerprint": stack.fingerprint, "user_agent": stack.agent}
        yield person(market, Role("viral user", "N6"), identity, asks, market.home(), chat_style(dice, 3.0), chat_habit(dice))


def hackathon(market: Market, size: Size) -> Entries:
    """N9: new accounts in one afternoon: a promotional card, a tutorial's prompt, the venue's network; at first all do the same."""
    dice = market.dice
    card, tutorial, venue = hashed(dice), template(dice, 6, elicitation=EXPLAINED, free_share=0.3), market.roaming(2)
    lasts = min(HACKATHON_MS, market.span_ms // 2)
    begins = market.start + int(dice.uniform(0.2, 0.9) * (market.span_ms - lasts))
    for _ in range(size.accounts):
        created = begins + int(min(lasts * 0.8, dice.expovariate(5 / lasts)))
        identity = market.identity(plan=1, created=created, card=card if dice.random() < 0.85 else None)
        habit = pipeline_habit(dice, reasons=dice.random() < 0.4)
        talk = Talk(tutorial, Style(Lengths(280, 0.8, 350, 0.8), dice.choice((0.0, 1.0, 3.0)), tools=dice.choice((0, 0, 3))), habit)
        wait = Sessions(around(dice, 50.0, 0.8), 1.2, 25 * 60.0, 0.8, 0.2)
        client = caller(market, Role("hackathon guest", "N9"), identity, talk, wait, venue if dice.random() < 0.9 else market.home())
        client.calls_left = max(1, int(dice.expovariate(1 / 30.0)))
        yield created + int(dice.expovariate(1 / (5 * MINUTE_MS))), client
