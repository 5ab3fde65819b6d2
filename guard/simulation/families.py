"""The closed table of families: sixteen attacks, thirteen hard negatives, and the crowd; what each is, where it comes from, its builder."""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from guard.simulation.attacks import adaptive, burst, hydras, replays
from guard.simulation.cast import Entries, Size
from guard.simulation.honest import agents, alike, crowds, evaluation, houses, people, pipelines, teams
from guard.simulation.market import Market

Builder = Callable[[Market, Size], Entries]


class Family(Struct, frozen=True):
    """One row: what it plays, the source that describes it, and who builds it."""

    what: str
    source: str
    builder: Builder


SEPTEMBER: Final = "threat report of September 2026"
FEBRUARY: Final = "disclosure of February 2026"
LIST: Final = "evaluation protocol"

FAMILIES: Final[dict[str, Family]] = {
    "A1": Family("naive burst: one account, 50 requests a second wanted, bounded answers", LIST, burst.burst),
    "A2": Family("low and slow: 5.6 exchanges a day and account, hundreds to thousands of accounts", SEPTEMBER, hydras.low_and_slow),
    "A3": Family("hydra on shared cards, forty accounts each", FEBRUARY, hydras.shared_card),
    "A4": Family("hydra on distinct cards with one template", FEBRUARY, hydras.distinct_cards),
    "A5": Family("paraphrasing hydra: no shape twice, SimHash within 8 bits; client stack and lines shared", SEPTEMBER, hydras.paraphrased),
    "A6": Family("half of the exchanges are anybody's", FEBRUARY, hydras.mixed_half),
    "A7": Family("nine tenths of the exchanges are anybody's", FEBRUARY, hydras.mixed_mostly),
    "A8": Family("churn: blocked accounts replaced within the hour, standby pool of equal size", SEPTEMBER, hydras.churning),
    "A9": Family("half of the traffic to a new model within a day of its release", FEBRUARY, hydras.pivoting),
    "A10": Family("one fixed prompt that has the reasoning written out", SEPTEMBER, hydras.eliciting),
    "A11": Family("the model as a grader with rubrics", FEBRUARY, hydras.grading),
    "A12": Family("slow ramp over the world, a tenth of the accounts with false appeals upheld", LIST, adaptive.ramping),
    "A13": Family("recorded conversations and reasoning signatures replayed under other accounts", SEPTEMBER, replays.replaying),
    "A14": Family("relay of end users' harness conversations, handed around: caches cold", SEPTEMBER, replays.relaying),
    "A15": Family("oracle-guided: changes template, cards and rates when refused", LIST, adaptive.guided),
    "A16": Family("peak: 35 exchanges a second over many accounts, for twenty minutes", SEPTEMBER, hydras.peak),
    "N1": Family("batch evaluation: one template, huge volume, one account each", LIST, evaluation.evaluators),
    "N2": Family("engineering team on one coding harness", LIST, agents.team),
    "N3": Family("support application: one template, few keys, huge volume", LIST, houses.support),
    "N4": Family("university lab: one card, one network, one homework", LIST, crowds.lab),
    "N5": Family("declared reseller: one organisation, conversations over all its keys", LIST, houses.reseller),
    "N6": Family("viral application made of new accounts, growth times twenty", LIST, crowds.viral),
    "N7": Family("timers of one maker at many customers, to the tenth of a second", LIST, alike.timers),
    "N8": Family("popular open harness: one system prompt and client, unrelated accounts", LIST, alike.harness_users),
    "N9": Family("hackathon: new accounts, promotional card, tutorial prompt, venue network", LIST, crowds.hackathon),
    "N10": Family("honest migration to the new model within a day", LIST, alike.migrants),
    "N11": Family("enterprise: one card, one address, failover between its keys", LIST, houses.enterprise),
    "N12": Family("customer with permission to make training data, certified by a label", LIST, evaluation.synthesizers),
    "N13": Family("retry storm after an outage", LIST, alike.storm),
    "people": Family("chat in sessions, some families on one card", "Azure 2023 lengths (CC BY 4.0)", people.people),
    "steady": Family("steady programs", "ServeGen (Apache-2.0)", pipelines.steady),
    "bursty": Family("programs in bursts", "ServeGen (Apache-2.0)", pipelines.bursty),
    "agents": Family("coding agents behind several harnesses", "WEKA Claude Code (Apache-2.0)", agents.agents),
    "teams": Family("teams of 3 to 40 on one card, some balancing over their keys", "assumption", teams.teams),
}
"""Ids as in the evaluation protocol; the last five are the ordinary crowd, present in every world."""

ATTACKS: Final = tuple(name for name in FAMILIES if name[0] == "A")
NEGATIVES: Final = tuple(name for name in FAMILIES if name[0] == "N")
CROWD: Final = tuple(name for name in FAMILIES if name[0] not in "AN")
