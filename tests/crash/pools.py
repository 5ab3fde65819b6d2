"""The load for the guard's own engine: pools that share cards and ask for reasoning, rushes, people; what each key ends with is known.

An account's n-th exchange carries the same keys in every run, so how often each key is used follows from how often each account
called. Some exchanges of an account use another network, and every prompt is repeated: no key of a kind is told the same way.
"""

import random
from collections import Counter
from collections.abc import Iterator
from typing import Final

import msgspec
import xxhash

from guard.engine.exchange_keys import shards_of
from guard.engine.watchlist import key_hash
from guard.state.behaviour import LIKES_MIN
from guard.state.link import KeyKind
from guard.units import DAY_MS

POOLS: Final = 8
POOL_ACCOUNTS: Final = 20
"""Accounts of one pool, used in turn as a balancer does."""
PEOPLE: Final = 2_000
"""Each with a card of their own; few call often, many seldom."""
POOL_SHARE: Final = 0.6
RUSHES: Final = 4
"""New accounts that call at a pipeline's pace from the first moment on, each on a card of its own."""
RUSH_SHARE: Final = 0.1
NETWORKS: Final = 3
NETWORK_EXCHANGES: Final = 10
"""After so many exchanges an account moves on to the next of its networks."""

_json = msgspec.json.Encoder().encode


def accounts(events: int, seed: int) -> Iterator[str]:
    """The account of each event."""
    dice = random.Random(seed)
    turn: list[str] = []
    for _ in range(events):
        kind = dice.random()
        if kind < RUSH_SHARE:
            yield f"rush-{dice.randrange(RUSHES)}"
            continue
        if kind >= RUSH_SHARE + POOL_SHARE:
            yield f"person-{int(PEOPLE * dice.random() ** 2)}"
            continue
        if not turn:
            turn = [f"pool-{pool}-{member}" for pool in range(POOLS) for member in range(POOL_ACCOUNTS)]
            dice.shuffle(turn)
        yield turn.pop()


def event(number: int, account: str, nth: int, at: int) -> bytes:
    """The account's n-th exchange (from 1) as it lies on the requests topic."""
    is_person, is_pool = account.startswith("person"), account.startswith("pool")
    return _json(
        {
            "event_id": f"e-{number:09d}",
            "event_time": at,
            "account_id": account,
            "account_created": at - (400 if is_person else 2) * DAY_MS,
            "reasoning_elicitation": 0.95 if is_pool else 0.02,
            "rubric_grading": 0.9 if is_pool else 0.02,
            "model": "frontier-1",
            "operation": "chat",
            "input_tokens": 100 + number % 900,
            "output_tokens": 10 + number % 90,
            "messages": 1,
            "max_tokens": 512,
            "status": 200,
            **{_FIELDS[kind]: value for kind, value in _keys(account, nth).items()},
        }
    )


def uses(sent: Counter[str], shards: int) -> Counter[str]:
    """How often each link key has been used, by its hash, once every account has called so often.

    What an account has asked for only once is no template, nor twice a family of paraphrases. Paraphrases are counted by every shard that owns a band of their SimHash.
    """
    found: Counter[str] = Counter()
    for account, count in sent.items():
        for nth in range(1, count + 1):
            for kind, value in _keys(account, nth).items():
                if count <= _AT_FIRST.get(kind, 0):
                    continue
                found[f"{key_hash(kind, value):x}"] += len(shards_of(int(value, 16), shards)) if kind is KeyKind.PARAPHRASE else 1
    return found


_FIELDS: Final = {
    KeyKind.PAYMENT: "payment_fingerprint",
    KeyKind.PREFIX: "prefix",
    KeyKind.CLIENT: "client_fingerprint",
    KeyKind.NETWORK: "ip_prefix",
    KeyKind.SHAPE: "shape",
    KeyKind.PARAPHRASE: "simhash",
}
_AT_FIRST: Final = {KeyKind.SHAPE: 1, KeyKind.PARAPHRASE: LIKES_MIN}
"""So many exchanges with a key of this kind are none yet; they count when one more comes."""


def _keys(account: str, nth: int) -> dict[KeyKind, str]:
    group = account.rpartition("-")[0] if account.startswith("pool") else account
    network = nth // NETWORK_EXCHANGES % NETWORKS
    return {
        KeyKind.PAYMENT: f"k1:card-{group}",
        KeyKind.PREFIX: f"k1:prompt-{group}",
        KeyKind.CLIENT: "k1:0123456789abcdef",
        KeyKind.NETWORK: f"k1:net-{group}-{network}",
        KeyKind.SHAPE: f"k1:shape-{group}",
        KeyKind.PARAPHRASE: f"{xxhash.xxh3_64_intdigest(account.encode()):016x}",
    }
