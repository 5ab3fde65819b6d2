"""What everybody can have: client stacks, networks, cards, plans, public prompts. Both sides draw from the same market."""

import random
from typing import Any, Final

from guard.simulation.draws import opened_at, zipf
from guard.simulation.prompts import Template, hashed, template

PLANS: Final = (("free", 20), ("pro", 60), ("team", 300), ("scale", 2_000), ("enterprise", 10_000))
CLIENTS: Final = 40
PROVIDERS: Final = 300
PUBLIC_PROMPTS: Final = 60
MISSING_SHARE: Final = 0.06
"""Accounts behind a gateway that does not fingerprint prompts or clients: missing fields are a fact of life (assumption)."""
FIELDS_SOMETIMES_MISSING: Final = ("simhash", "shape", "client_fingerprint", "reasoning_elicitation", "rubric_grading", "account_created")


class Market:
    """The shared goods of one world."""

    def __init__(self, dice: random.Random, start: int) -> None:
        self._dice = dice
        self.start = start
        self._count = 0
        self.clients = [f"ja4-{hashed(dice)}" for _ in range(CLIENTS)]
        self.networks = [hashed(dice) for _ in range(PROVIDERS)]
        self.clouds = [hashed(dice) for _ in range(12)]
        self.models = ("large-4", "small-4", "large-3")
        self.public = [template(dice, shapes=4) for _ in range(PUBLIC_PROMPTS)]

    def account_id(self) -> str:
        """A fresh account id; says nothing about its owner."""
        self._count += 1
        return f"acct-{self._count:05d}-{self._dice.getrandbits(24):06x}"

    def identity(
        self, plan: int | None = None, *, created: int | None = None, card: str | None = None, org: str | None = None
    ) -> dict[str, Any]:
        """The identity fields of one more account: a plan, a card of its own unless given, a client stack that others use too."""
        dice = self._dice
        name, limit = PLANS[min(int(dice.expovariate(0.9)), 3) if plan is None else plan]
        return {
            "org_id": org,
            "api_key_id": hashed(dice),
            "payment_fingerprint": hashed(dice) if card is None else card,
            "account_created": opened_at(dice, self.start) if created is None else created,
            "plan": name,
            "rate_limit_rpm": limit,
            "client_fingerprint": zipf(dice, self.clients),
            "user_agent": dice.choice(("sdk-python", "sdk-node", "curl", "app")),
            "country": dice.choice(("US", "DE", "IN", "JP", "BR")),
            "asn": dice.randrange(1_000, 60_000),
            "model": dice.choice(self.models),
        }

    def home_networks(self, count: int = 2) -> tuple[str, ...]:
        """Where an ordinary customer calls from: an access network that a few neighbours share."""
        return tuple(self._dice.choice(self.networks) for _ in range(count))

    def public_prompt(self, dice: random.Random) -> Template:
        """A prompt that strangers share, some far more popular than others."""
        return zipf(dice, self.public)

    def missing(self) -> frozenset[str]:
        """The fields that this account's gateway does not fill; mostly none."""
        return frozenset(FIELDS_SOMETIMES_MISSING) if self._dice.random() < MISSING_SHARE else frozenset()
