"""What everybody can have: client stacks, networks, cards, plans, public prompts, harnesses. Both sides draw from one market."""

import random
from typing import Any, Final

from msgspec import Struct

from guard.simulation.draws import hashed, opened_at, zipf
from guard.simulation.habits import Habit
from guard.simulation.prompts import ELICITING, EXPLAINED, GRADING, PLAIN, UNGRADED, Template, template
from guard.units import DAY_MS, HOUR_MS

PLANS: Final = (("free", 20), ("pro", 60), ("team", 300), ("scale", 2_000), ("enterprise", 10_000))
CLIENTS: Final = 60
PROVIDERS: Final = 80
CROWDED: Final = 300
"""Prefixes that neighbours share: mobile carriers, dormitories, offices behind one address."""
PUBLIC_PROMPTS: Final = 120
HARNESSES: Final = 6
COUNTRIES: Final = ("US", "DE", "IN", "JP", "BR", "SG", "FR", "GB", "KR", "VN")
MISSING_SHARE: Final = 0.06
"""Accounts behind a gateway that does not fill some fields: missing fields are a fact of life (assumption)."""
MISSING: Final = (
    ("simhash", "shape", "client_fingerprint", "reasoning_elicitation", "rubric_grading", "account_created"),
    ("conversation", "conversation_after", "messages", "cached_tokens"),
    ("prefix", "simhash", "topic", "prompt_chars"),
    ("client_fingerprint", "user_agent", "asn", "country"),
    ("api_key_id", "plan", "rate_limit_rpm", "payment_fingerprint"),
    ("ip", "ip_prefix", "asn", "country"),
    ("logprobs", "n", "operation", "stop_reason", "refused", "latency_ms", "reasoning_signature"),
)
ADOPTERS_SHARE: Final = 0.25
"""Ordinary accounts that try a new model at all, half of them within about a day (assumption)."""
PRIVATE_STACK_SHARE: Final = 0.04
"""Accounts whose client stack is nobody else's: own builds, rare libraries."""


class Network(Struct, frozen=True):
    """One /24 or /48 and where it lies."""

    prefix: str
    asn: int
    country: str
    hosts: int = 200


class Stack(Struct, frozen=True):
    """What a client looks like to the gateway."""

    fingerprint: str
    agent: str


class Harness(Struct, frozen=True):
    """A public application or coding agent: one prompt and one client for all its users."""

    prefix: str
    stack: Stack
    tools: int
    prefix_tokens: int


class Market:
    """The shared goods of one world that runs from `start` to `end`; a model is released at `released_at`."""

    def __init__(self, dice: random.Random, start: int, end: int, young_share: float = 0.25) -> None:
        self.dice = dice
        self.start, self.end = start, end
        self.young_share = young_share
        """Fleet accounts registered within two weeks of the world's start."""
        self.span_ms = end - start
        self.released_at = start + int(self.span_ms * 0.55)
        self.day_ms = min(DAY_MS, self.span_ms // 3)
        """A day in a world that has days; what a day's worth of events is squeezed into in a shorter one."""
        self.stacks = [
            Stack(f"ja4-{hashed(dice)}", dice.choice(("sdk-python", "sdk-node", "curl", "app", "sdk-go"))) for _ in range(CLIENTS)
        ]
        self.providers = [(dice.randrange(1_000, 65_000), dice.choice(COUNTRIES)) for _ in range(PROVIDERS)]
        self.crowded = [self._network() for _ in range(CROWDED)]
        self.clouds = [Network(hashed(dice), 16_500 + number // 3, dice.choice(COUNTRIES[:6])) for number in range(24)]
        self.public = [_public(dice) for _ in range(PUBLIC_PROMPTS)]
        self.harnesses = [_harness(dice) for _ in range(HARNESSES)]

    @property
    def has_nights(self) -> bool:
        """Whether the world is long enough for days to differ from nights."""
        return self.span_ms >= 12 * HOUR_MS

    def _network(self) -> Network:
        asn, country = zipf(self.dice, self.providers, 0.7)
        return Network(hashed(self.dice), asn, country)

    def account_id(self) -> str:
        """A fresh account id; says nothing about its owner or its order."""
        return f"acct-{self.dice.getrandbits(48):012x}"

    def stack(self) -> Stack:
        """A client that others use too, or now and then one's own."""
        if self.dice.random() < PRIVATE_STACK_SHARE:
            return Stack(f"ja4-{hashed(self.dice)}", self.dice.choice(self.stacks).agent)
        return zipf(self.dice, self.stacks, 0.9)

    def identity(
        self, plan: int | None = None, *, created: int | None = None, card: str | None = None, org: str | None = None
    ) -> dict[str, Any]:
        """The identity fields of one more account: a plan, a card of its own unless given, a client stack that others use too."""
        dice = self.dice
        name, limit = PLANS[min(int(dice.expovariate(0.9)), 3) if plan is None else plan]
        stack = self.stack()
        return {
            "org_id": hashed(dice) if org is None and dice.random() < 0.15 else org,
            "api_key_id": hashed(dice),
            "payment_fingerprint": hashed(dice) if card is None else card,
            "account_created": opened_at(dice, self.start) if created is None else created,
            "plan": name,
            "rate_limit_rpm": limit,
            "client_fingerprint": stack.fingerprint,
            "user_agent": stack.agent,
        }

    def home(self) -> tuple[Network, ...]:
        """Where an ordinary customer calls from: one's own line, and often a network that neighbours share."""
        dice = self.dice
        own = () if dice.random() < 0.25 else (self._network(),)
        return (*own, zipf(dice, self.crowded, 0.6)) if not own or dice.random() < 0.5 else own

    def roaming(self, count: int) -> tuple[Network, ...]:
        """Many lines of residential providers: travellers, phones, and residential proxies alike."""
        return tuple(self._network() for _ in range(count))

    def cloud(self) -> tuple[Network, ...]:
        """A rented machine or two."""
        return tuple(zipf(self.dice, self.clouds, 0.8) for _ in range(self.dice.choice((1, 1, 2))))

    def public_prompt(self, dice: random.Random) -> Template:
        """A prompt that strangers share, some far more popular than others."""
        return zipf(dice, self.public, 0.9)

    def harness(self, dice: random.Random) -> Harness:
        """A public harness, the first far more popular than the last."""
        return zipf(dice, self.harnesses, 1.2)

    def missing(self) -> frozenset[str]:
        """The fields that this account's gateway does not fill; mostly none."""
        return frozenset(self.dice.choice(MISSING)) if self.dice.random() < MISSING_SHARE else frozenset()

    def curious(self, habit: Habit, *, share: float = ADOPTERS_SHARE) -> Habit:
        """The habit of somebody who may try the new model some time after its release."""
        dice = self.dice
        if dice.random() >= share:
            return habit
        after = int(dice.expovariate(1 / (1.2 * self.day_ms)))
        return _with_new(habit, self.released_at + after, dice.choice((0.1, 0.3, 0.6, 1.0)))

    def pivoting(self, habit: Habit, within: float, share: float) -> Habit:
        """The habit of somebody who moves `share` of the exchanges within `within` days of the release."""
        return _with_new(habit, self.released_at + int(self.dice.uniform(0.02, within) * self.day_ms), share)


def _with_new(habit: Habit, at: int, share: float) -> Habit:
    fields = {name: getattr(habit, name) for name in habit.__struct_fields__}
    return Habit(**{**fields, "switches_at": at, "new_share": share})


def _public(dice: random.Random) -> Template:
    """Public prompts: plain ones mostly, some that teach step by step, ask for worked answers, or grade."""
    kind = dice.random()
    elicitation = ELICITING if kind < 0.08 else EXPLAINED if kind < 0.2 else PLAIN
    rubric = GRADING if 0.2 <= kind < 0.27 else UNGRADED
    return template(dice, dice.randint(1, 6), elicitation=elicitation, rubric=rubric, free_share=dice.uniform(0.0, 0.8))


def _harness(dice: random.Random) -> Harness:
    stack = Stack(f"ja4-{hashed(dice)}", dice.choice(("agent-cli", "agent-ide", "agent-sdk")))
    return Harness(hashed(dice), stack, dice.randint(8, 30), int(dice.uniform(6_000, 18_000)))
