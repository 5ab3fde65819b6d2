"""Hostile records through decode: `python -m tests.bench.hostile --records 1000000 --seed 7`.

Good events are spoilt in seeded ways: bytes flipped, cut and doubled, values swapped for the worst that JSON can say, keys
doubled, nesting without end. Whatever comes out must be an event or a DecodeError of the closed list; anything else is uncaught.
"""

import argparse
import json
import random
import time
from collections import Counter
from collections.abc import Callable

from guard.errors import DecodeError
from guard.events.decode import REASONS, RULES, Decoder

GOOD = {
    "event_id": "e-0123456789ab", "event_time": 1_790_000_000_000, "account_id": "acct-001234", "model": "m-large", "input_tokens": 812,
    "output_tokens": 455, "payment_fingerprint": "k1:9f3c0011aabbccdd", "simhash": "0123456789abcdef", "country": "DE", "topic": 9,
    "reasoning_elicitation": 0.25, "temperature": 0.7, "user_agent": "sdk-python", "messages": 3, "cached_tokens": 512, "status": 200,
}  # fmt: skip
TOKENS = (
    b"NaN", b"-Infinity", b"1e999", b"-1e-999", b"-1", b"-0", b"1.0", b"9" * 20, b"9" * 5_000, b"1e400000", b"true", b"null", b"[]", b"{}",
    b'""', b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\u0000"', b'"\xff\xfe"', b'"\xed\xa0\x80"', b'"\\q"', b'"' + b"x" * 400 + b'"', b'"\x01"',
    b"[" * 3_000 + b"]" * 3_000, b'{"a":' * 1_500, b'"\\u202e\\ufeff"', b"0x10", b"01", b".5", b"1_000", b"'a'", b"//", b"18446744073709551616",
)  # fmt: skip
NAMES = tuple(name.encode() for name in RULES)


def _flip(dice: random.Random, value: bytes) -> bytes:
    spoilt = bytearray(value)
    for _ in range(dice.randint(1, 4)):
        spoilt[dice.randrange(len(spoilt))] = dice.randrange(256)
    return bytes(spoilt)


def _cut(dice: random.Random, value: bytes) -> bytes:
    return value[: dice.randrange(len(value))]


def _double(dice: random.Random, value: bytes) -> bytes:
    start = dice.randrange(len(value))
    return value[:start] + value[start : start + dice.randint(1, 60)] * dice.randint(2, 9) + value[start:]


def _swap_value(dice: random.Random, value: bytes) -> bytes:
    """A field, known or required, said once more with a bad value: the last one counts."""
    return value[:-1] + b', "' + dice.choice(NAMES) + b'": ' + dice.choice(TOKENS) + b"}"


def _unknown_field(dice: random.Random, value: bytes) -> bytes:
    return b'{"x' + bytes([dice.randrange(256)]) + b'": ' + dice.choice(TOKENS) + b", " + value[1:]


def _noise(dice: random.Random, _: bytes) -> bytes:
    return dice.randbytes(dice.randrange(80))


def _blow_up(dice: random.Random, value: bytes) -> bytes:
    return value + b" " * dice.randint(15_000, 17_000)


MUTATIONS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    _flip, _flip, _cut, _double, _swap_value, _swap_value, _swap_value, _unknown_field, _noise, _blow_up,
)  # fmt: skip


def mutated(dice: random.Random) -> bytes:
    """One spoilt record; the same dice give the same bytes."""
    fields = {name: value for name, value in GOOD.items() if dice.random() > 0.03}
    value = json.dumps(fields).encode()
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        value = dice.choice(MUTATIONS)(dice, value or b"{}")
    return value


def hostile(records: int, seed: int) -> tuple[Counter[str], Counter[str], float]:
    """Counts by outcome, the uncaught exceptions by type, and the seconds spent in decode alone."""
    dice = random.Random(seed)
    decoder = Decoder()
    outcomes: Counter[str] = Counter()
    uncaught: Counter[str] = Counter()
    seconds = 0.0
    for _ in range(records):
        value = mutated(dice)
        began = time.perf_counter()
        try:
            decoder.decode(value)
            outcome = "event"
        except DecodeError as error:
            outcome = error.reason
        except Exception as error:  # noqa: BLE001 - counting them is the purpose
            outcome = "uncaught"
            uncaught[repr(error)[:120]] += 1
        seconds += time.perf_counter() - began
        outcomes[outcome] += 1
    outcomes["optional values counted as missing"] = sum(decoder.drain_invalid_fields().values())
    return outcomes, uncaught, seconds


def show(records: int, seed: int) -> int:
    """Print the counts; 1 when anything was uncaught."""
    outcomes, uncaught, seconds = hostile(records, seed)
    for name in ("event", *REASONS, "uncaught", "optional values counted as missing"):
        print(f"{outcomes[name]:>10,}  {name}")
    print(f"{records:,} records, seed {seed}, {records / seconds:,.0f} records/s in decode")
    for name, count in uncaught.most_common():
        print(f"uncaught {count}: {name}")
    return 1 if uncaught else 0


def main() -> int:
    """Mutate, decode, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    return show(asked.records, asked.seed)


if __name__ == "__main__":
    raise SystemExit(main())
