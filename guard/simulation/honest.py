"""The honest crowd: people, two kinds of pipelines, coding agents, and the customers that look most like a fleet."""

import random
from collections.abc import Callable, Iterator
from typing import Any, Final

from guard.simulation.client import Client, Truth
from guard.simulation.draws import seconds
from guard.simulation.market import Market
from guard.simulation.prompts import Dialogue, Lengths, Template, hashed, template
from guard.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

CHAT: Final = Lengths(150, 1.0, 130, 0.9)
"""Azure 2023 conversations, output p50 129 tokens; the fresh part of the input is assumption, the context is added."""
AGENT: Final = Lengths(2_500, 0.9, 213, 1.0)
"""WEKA coding agents: output p50 213, p90 848; a prefix of 15,000 tokens is cached."""
AGENT_PREFIX_TOKENS: Final = 15_000
PIPELINE_RATE_SPREAD: Final = 1.8
"""ServeGen clients: requests a second p10/50/90 0.0045/0.057/0.46 for reasoning, heavier for chat: log-normal, spread 1.8."""


def people(market: Market, dice: random.Random, count: int) -> Iterator[Client]:
    """Chat: sessions of a few conversations, then a pause; half of them through an app with a public prompt."""
    for _ in range(count):
        prompt = market.public_prompt(dice).prefix if dice.random() < 0.5 else None
        dialogue = Dialogue(4.0, lambda _, prompt=prompt: prompt, CHAT)  # type: ignore[misc]
        pause_s = dice.lognormvariate(7.2, 0.8)

        def wait(dice: random.Random, dialogue: Dialogue = dialogue, pause_s: float = pause_s) -> float:
            return seconds(dice, pause_s, 0.7) if dialogue.is_over and dice.random() < 0.5 else seconds(dice, 36.0, 1.0)

        yield Client(Truth(market.account_id(), "person", honest=True), market.identity(), dialogue.ask, wait, market.home_networks())


def pipelines(market: Market, dice: random.Random, count: int, *, is_bursty: bool) -> Iterator[Client]:
    """API pipelines: one prompt of their own, one turn deep, constant parameters; steady, or bursts with long pauses."""
    kind = "bursty pipeline" if is_bursty else "steady pipeline"
    for _ in range(count):
        own = template(dice, shapes=dice.randint(1, 4))
        lengths = Lengths(dice.lognormvariate(5.9, 1.0), 0.4, dice.lognormvariate(5.0, 1.2), 0.5)
        rate = min(2.0, dice.lognormvariate(-2.9, PIPELINE_RATE_SPREAD))
        burst = dice.randint(5, 40) if is_bursty else 0
        identity = market.identity(plan=3, org=hashed(dice))
        ask = _one_turn(own, lengths, {"temperature": dice.choice((0.0, 0.2, 0.7)), "max_tokens": 1_024})
        yield Client(Truth(market.account_id(), kind, honest=True), identity, ask, _arrivals(rate, burst), (dice.choice(market.clouds),))


def _one_turn(used: Template, lengths: Lengths, parameters: dict[str, Any]) -> Callable[[random.Random], dict[str, Any]]:
    def ask(dice: random.Random) -> dict[str, Any]:
        given, output = lengths.draw(dice)
        return {**used.fields(dice), **parameters, "messages": 2, "input_tokens": given, "output_tokens": output}

    return ask


def _arrivals(rate_per_s: float, burst: int) -> Callable[[random.Random], float]:
    left = [0]

    def wait(dice: random.Random) -> float:
        if not burst:
            return dice.expovariate(rate_per_s) * SECOND_MS
        left[0] = left[0] - 1 if left[0] else dice.randint(1, 2 * burst)
        return dice.expovariate(8.0) * SECOND_MS if left[0] else dice.expovariate(rate_per_s / burst) * SECOND_MS

    return wait


def agents(market: Market, dice: random.Random, count: int) -> Iterator[Client]:
    """Coding agents: one harness prefix for all, dozens of turns with tools, nearly everything read from the cache."""
    harness = hashed(dice)
    stack = f"ja4-{hashed(dice)}"
    for _ in range(count):
        dialogue = Dialogue(60.0, lambda _: harness, AGENT)

        def ask(dice: random.Random, dialogue: Dialogue = dialogue) -> dict[str, Any]:
            fields = dialogue.ask(dice)
            size = min(AGENT_PREFIX_TOKENS + fields["input_tokens"], 490_000)
            return {
                **fields,
                "input_tokens": size,
                "cached_tokens": min(size, AGENT_PREFIX_TOKENS + fields["cached_tokens"]),
                "tools": 18,
                "tool_results": 1,
            }

        identity = {**market.identity(plan=1), "client_fingerprint": stack, "user_agent": "agent-cli"}
        yield Client(
            Truth(market.account_id(), "coding agent", honest=True),
            identity,
            ask,
            lambda dice: seconds(dice, 17.0, 1.2),
            market.home_networks(),
        )


def harness_users(market: Market, dice: random.Random, count: int) -> Iterator[Client]:
    """N8: unrelated accounts behind one popular open harness: one system prompt, one client stack."""
    system, stack = hashed(dice), f"ja4-{hashed(dice)}"
    for _ in range(count):
        dialogue = Dialogue(6.0, lambda _: system, CHAT)
        identity = {**market.identity(), "client_fingerprint": stack}
        pause_s = dice.lognormvariate(6.5, 1.0)

        def wait(dice: random.Random, dialogue: Dialogue = dialogue, pause_s: float = pause_s) -> float:
            return seconds(dice, pause_s, 0.8) if dialogue.is_over else seconds(dice, 30.0, 1.0)

        yield Client(
            Truth(market.account_id(), "harness user", honest=True, family="N8"), identity, dialogue.ask, wait, market.home_networks()
        )


def lab(market: Market, dice: random.Random, count: int) -> Iterator[Client]:
    """N4: a university lab: one card, one network, one homework prompt, accounts opened this term; each at his own pace."""
    card, campus, homework = hashed(dice), hashed(dice), template(dice, shapes=8, elicitation=(2.0, 8.0))
    lengths = Lengths(300, 0.6, 400, 0.7)
    for _ in range(count):
        identity = market.identity(plan=1, created=market.start - int(dice.uniform(3, 60) * DAY_MS), card=card)
        pace_s = dice.lognormvariate(4.5, 0.9)

        def wait(dice: random.Random, pace_s: float = pace_s) -> float:
            return seconds(dice, pace_s, 1.0) if dice.random() < 0.85 else dice.uniform(10, 40) * MINUTE_MS

        ask = _one_turn(homework, lengths, {"temperature": 1.0})
        yield Client(Truth(market.account_id(), "student", honest=True, family="N4"), identity, ask, wait, (campus,))


def enterprise(market: Market, dice: random.Random, seats: int) -> Iterator[Client]:
    """N11: an enterprise: one card, one organisation, one NAT address, old and new seats, chat at people's pace."""
    card, org, nat = hashed(dice), hashed(dice), hashed(dice)
    assistant = hashed(dice)
    for _ in range(seats):
        dialogue = Dialogue(4.0, lambda _: assistant, CHAT)
        identity = market.identity(plan=4, card=card, org=org)
        pause_s = dice.lognormvariate(7.0, 0.9)

        def wait(dice: random.Random, dialogue: Dialogue = dialogue, pause_s: float = pause_s) -> float:
            return seconds(dice, pause_s, 0.8) if dialogue.is_over else seconds(dice, 45.0, 1.0)

        yield Client(Truth(market.account_id(), "enterprise seat", honest=True, family="N11"), identity, dialogue.ask, wait, (nat,))


def evaluator(market: Market, dice: random.Random, rate_per_s: float) -> Iterator[Client]:
    """N1: a batch evaluator: one account, one template, huge volume, half of it grading."""
    judge = template(dice, shapes=2, rubric=(6.0, 3.0), elicitation=(2.0, 8.0))
    lengths = Lengths(1_600, 0.4, 218, 0.3)
    identity = market.identity(plan=4, created=market.start - 200 * DAY_MS, org=hashed(dice))
    ask = _one_turn(judge, lengths, {"temperature": 0.0, "max_tokens": 512})
    truth = Truth(market.account_id(), "batch evaluator", honest=True, family="N1")
    yield Client(truth, identity, ask, lambda dice: dice.expovariate(rate_per_s) * SECOND_MS, (dice.choice(market.clouds),))


def couple_cards(clients: list[Client], dice: random.Random, share: float) -> None:
    """Family cards: now and then two or three ordinary people pay with one card."""
    for client in clients:
        if dice.random() < share:
            other = dice.choice(clients)
            client.identity["payment_fingerprint"] = other.identity["payment_fingerprint"]


def first_call(client: Client, dice: random.Random, span_ms: int) -> float:
    """When a client calls first: pipelines and agents soon, people any time of the world."""
    is_machine = "pipeline" in client.truth.kind or client.truth.kind == "batch evaluator"
    return dice.random() * min(span_ms, 10 * MINUTE_MS if is_machine else max(span_ms, HOUR_MS))
