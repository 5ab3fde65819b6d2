"""What a client sees of a decision: status, headers and an RFC 9457 problem. No number that a rule is held against.

A throttle is a 429 with at most a minute to wait: the anthropic client sleeps whatever `Retry-After` says, and the openai client
ignores more than two minutes (operations notes; openai 3.54.0, anthropic 2.12.0). A block is a 403 that tells both not to try again.
"""

from random import Random
from typing import Final

import msgspec
from msgspec import Struct

from guard.decisions.decision import Action
from guard.gateway.orders import Answer

RETRY_SECONDS_MIN: Final = 1
RETRY_SECONDS_MAX: Final = 60
JITTER: Final = 0.2
"""Clients that were refused together do not come back together (20 % either way)."""
PROBLEM_JSON: Final = "application/problem+json"
TYPES: Final = {
    Action.THROTTLE: ("throttled", "Too many requests", 429),
    Action.CHALLENGE: ("challenge-required", "The account has to be verified", 403),
    Action.BLOCK: ("blocked", "The account is blocked", 403),
}


class Refusal(Struct, frozen=True, gc=False):
    """An HTTP answer that stands for the model's."""

    status: int
    headers: dict[str, str]
    body: bytes


class Answers:
    """Makes refusals. `problem_base` begins every problem type, a URI; `challenge_url` is where an account is verified."""

    def __init__(self, dice: Random, problem_base: str = "urn:guard:problem:", challenge_url: str = "") -> None:
        self._dice = dice
        self._problem_base = problem_base
        self._challenge_url = challenge_url

    def refusal(self, answer: Answer, appeal_token: str, wait_ms: int = 0) -> Refusal:
        """The answer to a request that is not let through; `wait_ms` until a throttled account may send the next."""
        word, title, status = TYPES[answer.action]
        body: dict[str, object] = {
            "type": f"{self._problem_base}{word}",
            "title": title,
            "status": status,
            "reason_code": answer.reason_code,
        }
        headers = {"content-type": PROBLEM_JSON, "cache-control": "no-store"}
        if appeal_token:
            body["appeal_token"] = appeal_token
        if answer.action is Action.THROTTLE:
            seconds = self._retry_seconds(wait_ms)
            headers |= {"retry-after": str(seconds), "ratelimit-policy": f'"guard";q={answer.rate_rpm or 1};w=60'}
            headers["ratelimit"] = f'"guard";r=0;t={seconds}'
        else:
            headers["x-should-retry"] = "false"
            if answer.action is Action.CHALLENGE and self._challenge_url:
                body["challenge_url"] = self._challenge_url
                headers["link"] = f'<{self._challenge_url}>; rel="help"'
        return Refusal(status, headers, msgspec.json.encode(body))

    def _retry_seconds(self, wait_ms: int) -> int:
        """Whole seconds from 1 to 60, jittered by a fifth either way."""
        jittered = wait_ms / 1_000 * (1 + JITTER * (2 * self._dice.random() - 1))
        return min(max(round(jittered), RETRY_SECONDS_MIN), RETRY_SECONDS_MAX)

    def unavailable(self) -> Refusal:
        """The answer of a route that is closed while the enforcer cannot say who may pass."""
        body = {"type": f"{self._problem_base}undecided", "title": "Try again soon", "status": 503}
        headers = {
            "content-type": PROBLEM_JSON,
            "cache-control": "no-store",
            "retry-after": str(RETRY_SECONDS_MIN + self._dice.randrange(4)),
        }
        return Refusal(503, headers, msgspec.json.encode(body))
