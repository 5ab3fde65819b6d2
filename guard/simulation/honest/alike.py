"""N7, N8, N10, N13: many accounts that do one thing alike: exact timers, a popular harness, a migration, a storm of retries."""

import random
from typing import Any, Final

import msgspec

from guard.simulation.cast import Entries, Role, Size, caller
from guard.simulation.client import Client, Extra, Refusal, Retry
from guard.simulation.draws import around, hashed
from guard.simulation.habits import chat_habit, pipeline_habit
from guard.simulation.honest.people import person
from guard.simulation.honest.pipelines import program, rate
from guard.simulation.market import Market
from guard.simulation.prompts import Free, Lengths, interests, template
from guard.simulation.rhythm import Clockwork
from guard.simulation.talk import Style, Talk, chat_style
from guard.units import HOUR_MS, MINUTE_MS, SECOND_MS

RETRIES_IN_A_STORM: Final = 12
COMMAND_FREE_SHARE: Final = 0.6
"""The other prompts of a harness are its built-in commands, the same words for everybody (assumption)."""
PERIODS_MS: Final = (HOUR_MS, HOUR_MS, 30 * MINUTE_MS, 2 * HOUR_MS)


def timers(market: Market, size: Size) -> Entries:
    """N7: monitors of one maker at many customers: the maker's template and client, at the full hour to the tenth of a second."""
    dice = market.dice
    maker, stack = template(dice, 3, free_share=0.2), market.stack()
    for _ in range(size.accounts):
        period = dice.choice(PERIODS_MS) if market.has_nights else 2 * MINUTE_MS
        wait = Clockwork(period, 0 if dice.random() < 0.7 else dice.randrange(period))
        identity = {**market.identity(plan=dice.choice((1, 2))), "client_fingerprint": stack.fingerprint, "user_agent": stack.agent}
        style = Style(Lengths(600, 0.2, around(dice, 150, 0.5), 0.3))
        client = caller(
            market, Role("timer", "N7"), identity, Talk(maker, style, pipeline_habit(dice, reasons=False)), wait, market.cloud()
        )
        yield market.start + int(wait(dice, market.start, True)), client


def harness_users(market: Market, size: Size) -> Entries:
    """N8: unrelated accounts behind one popular open harness: one system prompt, one client stack, chat and small jobs."""
    dice = market.dice
    harness = market.harnesses[0]
    command = msgspec.structs.replace(template(dice, 3, free_share=COMMAND_FREE_SHARE), prefix=harness.prefix)
    for _ in range(size.accounts):
        identity = {**market.identity(), "client_fingerprint": harness.stack.fingerprint, "user_agent": harness.stack.agent}
        style = chat_style(dice, 6.0)
        yield person(market, Role("harness user", "N8"), identity, command, market.home(), style, chat_habit(dice))


def migrants(market: Market, size: Size) -> Entries:
    """N10: programs that move to the new model within a day of its release, whole or nearly so."""
    for _ in range(size.accounts):
        habit = market.pivoting(pipeline_habit(market.dice, reasons=market.dice.random() < 0.4), 1.0, market.dice.choice((0.7, 1.0)))
        client = program(market, Role("migrant", "N10"), rate(market) * 0.7, 0, habit=habit)
        yield market.start + int(market.dice.random() * min(market.span_ms, 10 * MINUTE_MS)), client


class Impatient:
    """A retry loop without manners: a dozen tries a second or two apart."""

    def refused(self, client: Client, refusal: Refusal, fields: dict[str, Any], dice: random.Random) -> tuple[Retry, tuple[Extra, ...]]:
        """Again, and again."""
        del fields
        if refusal.tries < RETRIES_IN_A_STORM:
            return Retry(dice.uniform(0.5, 2.0) * SECOND_MS, is_same=True), ()
        return Retry(client.wait(dice, refusal.at, True) + MINUTE_MS), ()


def storm(market: Market, size: Size) -> Entries:
    """N13: users of a library that retries without manners; the world's outage sets all of them off at once."""
    library, stack = hashed(market.dice), market.stack()
    for _ in range(size.accounts):
        client = program(market, Role("impatient program", "N13"), min(0.05, rate(market)), 0)
        client.identity |= {"client_fingerprint": stack.fingerprint, "user_agent": stack.agent}
        client.reaction = Impatient()
        if market.dice.random() < 0.5 and isinstance(client.speech, Talk):
            client.speech.source = Free(library, interests(market.dice, 3))
        yield market.start + int(market.dice.random() * min(market.span_ms, 10 * MINUTE_MS)), client
