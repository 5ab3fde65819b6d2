"""Policy documents for tests: good ones, and as many broken ones as wanted, each surely broken in a known way."""

import copy
import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

GOOD: dict[str, Any] = {
    "version": 7,
    "author": "tests",
    "effective_at": 1_000,
    "mode": "enforce",
    "modes": {"account": "shadow"},
    "ladder": {
        "scores": {"throttle": 0.6, "challenge": 0.8, "block": 0.9},
        "ttl_ms": {"throttle": 60_000, "challenge": 600_000, "block": 3_600_000},
        "throttle_rate_rpm": 12,
        "block_families_min": 3,
        "jitter": {"share_max": 0.2, "period_ms": 7_200_000, "key": "a-secret-of-many-letters"},
    },
    "caps": {"accounts": 10, "payment_fingerprints": 5, "campaign_members": 1_000},
    "thresholds": {"elicitation_share": 0.4, "drift_score": 0.8},
    "rules_off": ["rubric_grading"],
    "rules_shadow": ["unlike_the_crowd"],
    "allow_list": [{"scope": "account", "subject": "a-1", "author": "tests", "note": "evaluator", "expires_at": 9_000}],
    "orders": [{"scope": "account", "subject": "a-2", "action": "throttle", "rate_rpm": 3, "expires_at": 9_000, "note": "by hand"}],
    "releases": [{"model": "m-2", "at": 5_000}],
}
"""Uses every field but the signature, each with another value than the built-in policy."""

Path = tuple[str | int, ...]


def document(**changes: object) -> bytes:
    """The smallest good document, version 1 from the beginning on, with these fields changed or added."""
    return json.dumps({"version": 1, "author": "tests", "effective_at": 0, **changes}).encode()


def broken(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """`count` broken documents with the name of what breaks them."""
    dice = Random(seed)
    for number in range(count):
        breakage = BREAKAGES[number % len(BREAKAGES)]
        yield breakage.__name__, breakage(dice)


def mangled(count: int, seed: int) -> Iterator[bytes]:
    """`count` good documents with a few bytes changed at random: most are broken, some are not."""
    dice = Random(seed)
    text = json.dumps(GOOD).encode()
    for _ in range(count):
        value = bytearray(text)
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(len(value))
            value[at : at + dice.randint(0, 3)] = dice.randbytes(dice.randint(0, 3))
        yield bytes(value)


def _leaves(value: object, path: Path = ()) -> Iterator[Path]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _leaves(part, (*path, name))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _leaves(part, (*path, index))
    else:
        yield path


def _objects(value: object, path: Path = ()) -> Iterator[Path]:
    if isinstance(value, dict):
        yield path
        for name, part in value.items():
            yield from _objects(part, (*path, name))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _objects(part, (*path, index))


def _with(path: Path, value: object) -> dict[str, Any]:
    changed = copy.deepcopy(GOOD)
    place: Any = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return changed


def _leaf(dice: Random) -> Path:
    return dice.choice(list(_leaves(GOOD)))


def wrong_type(dice: Random) -> bytes:
    """A list, an object or a boolean where a word or a number should stand."""
    return json.dumps(_with(_leaf(dice), dice.choice([[], {}, True, [None], {"a": 1}]))).encode()


def out_of_range(dice: Random) -> bytes:
    """A number far outside every range, or a word that no list knows and no identifier may be."""
    return json.dumps(_with(_leaf(dice), dice.choice([-1, -1e300, 10**30, "\x00", "\u2028" * 3, "x" * 300]))).encode()


def no_number(dice: Random) -> bytes:
    """NaN, infinity and numbers beyond every float, as hostile JSON writers send them."""
    text = json.dumps(_with(_leaf(dice), "PLACE"))
    return text.replace('"PLACE"', dice.choice(["NaN", "Infinity", "-Infinity", "1e309", "-1e999", "9" * 5_000])).encode()


def unknown_field(dice: Random) -> bytes:
    """A field that nobody knows, somewhere."""
    path = dice.choice(list(_objects(GOOD)))
    return json.dumps(_with((*path, dice.choice(["modus", "Version", "", "\ud7ff\n", "x" * 400])), 1)).encode()


def duplicate_key(dice: Random) -> bytes:
    """The same field twice: readers disagree about which counts."""
    text = json.dumps(GOOD)
    name = dice.choice(['"version"', '"mode"', '"subject"', '"throttle"', '"accounts"'])
    return text.replace(f"{name}:", f"{name}: 1, {name}:", 1).encode()


def missing_field(dice: Random) -> bytes:
    """A required field left away."""
    changed = copy.deepcopy(GOOD)
    part, name = dice.choice(
        [
            (changed, "version"),
            (changed, "author"),
            (changed, "effective_at"),
            (changed["orders"][0], "expires_at"),
            (changed["allow_list"][0], "author"),
        ]
    )
    del part[name]
    return json.dumps(changed).encode()


def contradiction(dice: Random) -> bytes:
    """Two parts that cannot both hold."""
    changed = copy.deepcopy(GOOD)
    changed.update(
        dice.choice(
            [
                {"rules_shadow": ["rubric_grading"]},
                {"orders": GOOD["orders"] * 2},
                {"allow_list": GOOD["allow_list"] * 3},
                {"effective_at": 9_000},
                {"ladder": {"scores": {"throttle": 0.9, "challenge": dice.uniform(0.1, 0.9), "block": 0.95}}},
                {"ladder": {"block_families_min": 1}},
                {"rules_off": ["cap"]},
            ]
        )
    )
    return json.dumps(changed).encode()


def cut_short(dice: Random) -> bytes:
    """A document that ends before its end, or goes on after it."""
    text = json.dumps(GOOD).encode()
    return text[: dice.randrange(len(text))] if dice.random() < 0.5 else text + dice.choice([b"}", b"null", b"\x00", text])


def too_deep(dice: Random) -> bytes:
    """Nested far beyond what a reader's stack holds."""
    mark = dice.choice([(b"[", b"]"), (b'{"a":', b"}")])
    depth = dice.choice([9, 100, 20_000])
    return b'{"releases":' + mark[0] * depth + b"1" + mark[1] * depth + b"}"


def too_large(dice: Random) -> bytes:
    """More bytes or more entries than anybody means."""
    if dice.random() < 0.05:
        return b'{"version":1,"author":"' + b"x" * 10_000_000 + b'"}'
    return json.dumps({**GOOD, "releases": [{"model": "m", "at": 1}] * dice.choice([201, 1_000])}).encode()


def no_text(dice: Random) -> bytes:
    """Bytes that are no UTF-8, no JSON object, or half a character."""
    return dice.choice(
        [b"", b"\xff\xfe", b"\xef\xbb\xbf{}", b"null", b"[]", b'"x"', b'{"author":"\\ud800"}', dice.randbytes(50), b"- yaml: &a [*a, *a]"]
    )


BREAKAGES: tuple[Callable[[Random], bytes], ...] = (
    wrong_type,
    out_of_range,
    no_number,
    unknown_field,
    duplicate_key,
    missing_field,
    contradiction,
    cut_short,
    too_deep,
    too_large,
    no_text,
)
"""Every way to break a document; `broken` goes through them in turn."""
