"""Who calls: a few honest customers in conversation, and a fleet that asks one question in many forms; all with the providers' real SDKs."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any, Final

import anthropic
import openai
from msgspec import Struct, field

QUESTION: Final = "Explain step by step, as to a student, how one would prove that {} is at most {} whenever {} exceeds {}."
HARNESS: Final = "You are a careful assistant that writes out every step of its reasoning in full before it gives an answer. " * 6
ASSISTANTS: Final = (
    "You help the staff of a museum to describe the pieces of their collection in plain words, for labels and for the catalogue. " * 5,
    "You plan the shifts of a small bakery: who opens, who bakes, who stands in the shop, and who has earned a free day. " * 5,
    "You review changes to a web shop's code and point out what would break, what is slow, and what nobody will understand. " * 5,
    "You answer letters of a water company's customers kindly and exactly, and you never promise what you cannot know. " * 5,
)
WORDS: Final = (
    "amber basin cobalt delta ember fjord glade harbour inlet juniper krill lagoon marsh nectar orchard pebble quarry reed spruce tundra"
)
PAUSE_SECONDS: Final = 0.8
"""Of the fleet, between two requests of one account: each stays far below its limit."""
REFUSED_PAUSE_SECONDS: Final = 1.0
"""Of the fleet, whatever it is told."""
PEOPLE_PAUSE: Final = (1.2, 0.7)
"""Honest customers': mean and spread of the logarithm of seconds."""
TIMEOUT_SECONDS: Final = 20.0


class Told(Struct):
    """What callers of one side were told so far."""

    answered: int = 0
    throttled: int = 0
    refused: int = 0
    """Challenged or blocked."""
    failed: Counter[str] = field(default_factory=Counter)
    """Anything else, by the name of the error."""
    shut_out: set[str] = field(default_factory=set)
    """Accounts whose last request was refused."""
    waits: list[float] = field(default_factory=list)
    """Seconds to each answer."""


class Callers:
    """One side's accounts, each in a thread of its own, until `stop`."""

    def __init__(self) -> None:
        self.told = Told()
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def add(self, account: str, ask: Callable[[], object], pause: Callable[[], float]) -> None:
        """Begin with one more."""
        thread = threading.Thread(target=self._call, args=(account, ask, pause), name=account, daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self) -> None:
        """End, after the requests under way."""
        self._ended.set()
        for thread in self._threads:
            thread.join(TIMEOUT_SECONDS)

    def _call(self, account: str, ask: Callable[[], object], pause: Callable[[], float]) -> None:
        while not self._ended.wait(pause()):
            began = time.monotonic()
            outcome = _outcome(ask)
            with self._lock:
                self._note(account, outcome, time.monotonic() - began)
            if outcome != "answered" and self._ended.wait(REFUSED_PAUSE_SECONDS):
                return

    def _note(self, account: str, outcome: str, seconds: float) -> None:
        told = self.told
        if outcome == "answered":
            told.answered += 1
            told.waits.append(seconds)
        elif outcome == "throttled":
            told.throttled += 1
        elif outcome == "refused":
            told.refused += 1
        else:
            told.failed[outcome] += 1
        (told.shut_out.add if outcome == "refused" else told.shut_out.discard)(account)


def _outcome(ask: Callable[[], object]) -> str:
    try:
        ask()
    except (openai.RateLimitError, anthropic.RateLimitError):
        return "throttled"
    except (openai.PermissionDeniedError, anthropic.PermissionDeniedError):
        return "refused"
    except (openai.APIError, anthropic.APIError) as error:
        return type(error).__name__
    return "answered"


def fleet_account(url: str, key: str, dice: Random) -> tuple[Callable[[], object], Callable[[], float]]:
    """One of many that ask the same thing, evenly, with an SDK that is told not to wait."""
    client = openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0, timeout=TIMEOUT_SECONDS)
    words = WORDS.split()

    def ask() -> object:
        question = QUESTION.format(dice.choice(words), dice.randrange(9_999), dice.choice(words), dice.randrange(9_999))
        asked: list[Any] = [{"role": "system", "content": HARNESS}, {"role": "user", "content": question}]
        return client.chat.completions.create(model="m-large", messages=asked, max_tokens=2_048)

    return ask, lambda: dice.expovariate(1 / PAUSE_SECONDS)


def honest_account(url: str, key: str, number: int, dice: Random) -> tuple[Callable[[], object], Callable[[], float]]:
    """A person in conversation, with an SDK as it comes: it waits and tries again when it is told to."""
    said: list[Any] = []
    system = ASSISTANTS[number % len(ASSISTANTS)]
    words = WORDS.split()
    chat = _with_anthropic(url, key, system) if number % 2 else _with_openai(url, key, system)

    def ask() -> object:
        if len(said) > 2 * dice.randint(1, 6):
            said.clear()
        said.append({"role": "user", "content": " ".join(dice.choices(words, k=dice.randint(4, 40)))})
        try:
            answer = chat(said)
        except Exception:
            said.pop()
            raise
        said.append({"role": "assistant", "content": "Here is an answer."})
        return answer

    return ask, lambda: dice.lognormvariate(*PEOPLE_PAUSE)


def _with_openai(url: str, key: str, system: str) -> Callable[[list[Any]], object]:
    client = openai.OpenAI(base_url=f"{url}/v1", api_key=key, timeout=TIMEOUT_SECONDS)
    return lambda said: client.chat.completions.create(model="m-large", messages=[{"role": "system", "content": system}, *said])


def _with_anthropic(url: str, key: str, system: str) -> Callable[[list[Any]], object]:
    client = anthropic.Anthropic(base_url=url, api_key=key, timeout=TIMEOUT_SECONDS)
    return lambda said: client.messages.create(model="m-large", max_tokens=1_024, system=system, messages=said)
