"""What fingerprints cost a gateway: one exchange of 15,000 tokens, in a few shapes, and each part of the work by itself."""

import gc
import random
import statistics
import time
from collections.abc import Callable

from guard.events.fingerprint import HashKey, KeyRing, fingerprint, fingerprints
from guard.events.fingerprint.exchange import read_exchange
from guard.events.fingerprint.settings import settings_of
from guard.events.fingerprint.simhash import simhash_of
from guard.events.fingerprint.skeleton import skeleton_of
from guard.events.fingerprint.usage import usage_of

CHARS = 60_000
"""15,000 tokens at four characters each."""
REPLY_CHARS = 4_000
RUNS = 1_000
KEYS = KeyRing(HashKey("k2", b"n" * 32), HashKey("k1", b"o" * 32))
CYRILLIC = 0x430 - ord("a")


def main() -> None:
    """Print medians, with the 99th percentile, in microseconds on one core."""
    dice = random.Random(7)
    english = _text(dice, CHARS)
    reply = {"role": "assistant", "content": _text(dice, REPLY_CHARS), "usage": {"input_tokens": 15_000, "output_tokens": 1_000}}
    for name, request in {
        "one message": _request([english]),
        "21 messages": _request([_text(dice, CHARS // 21) for _ in range(21)]),
        "201 messages": _request([_text(dice, CHARS // 201) for _ in range(201)]),
        "one message, Cyrillic": _request([_shifted(english)]),
        "one message, Han": _request(["".join(chr(dice.randrange(0x4E00, 0x9FA5)) for _ in range(CHARS // 4))]),
    }.items():
        _show(name, lambda request=request: fingerprint(request, reply, KEYS))
    _parts(_request([english]), reply, english)


def _parts(request: dict[str, object], reply: dict[str, object], text: str) -> None:
    exchange, words = read_exchange(request, reply), skeleton_of(text)
    for name, part in {
        "  reading and joining": lambda: read_exchange(request, reply),
        "  conversation, HMAC": lambda: exchange.chain.hashes(KEYS.current.hasher),
        "  skeleton": lambda: skeleton_of(text),
        "  simhash": lambda: simhash_of(words, KEYS.current.simhash),
        "  settings and usage": lambda: (settings_of(request, reply), usage_of(reply)),
        "  all, under both keys": lambda: fingerprints(request, reply, KEYS),
    }.items():
        _show(name, part)


def _show(name: str, work: Callable[[], object]) -> None:
    times = []
    gc.disable()
    for _ in range(RUNS):
        began = time.perf_counter_ns()
        work()
        times.append((time.perf_counter_ns() - began) / 1_000)
    gc.enable()
    print(f"{name}: median {statistics.median(times):.0f} us, p99 {statistics.quantiles(times, n=100)[98]:.0f} us", flush=True)


def _request(texts: list[str]) -> dict[str, object]:
    messages = [{"role": ("user", "assistant")[number % 2], "content": text} for number, text in enumerate(texts)]
    return {"model": "m", "system": "You answer for Acme Ltd. Be brief and kind. " * 20, "messages": messages, "max_tokens": 1_000}


def _text(dice: random.Random, chars: int) -> str:
    """Words of two to nine letters, every tenth capitalised, every fifteenth a number, sentences of twelve words."""
    words: list[str] = []
    length = 0
    while length < chars:
        word = "".join(dice.choices("etaoinshrdlucmfwyp", k=dice.randrange(2, 10)))
        word = str(dice.randrange(1_000)) if len(words) % 15 == 14 else word.title() if len(words) % 10 == 0 else word
        words.append(word + "." * (len(words) % 12 == 11))
        length += len(words[-1]) + 1
    return " ".join(words)[:chars]


def _shifted(text: str) -> str:
    return "".join(chr(ord(letter) + CYRILLIC) if letter.islower() else letter for letter in text)


if __name__ == "__main__":
    main()
