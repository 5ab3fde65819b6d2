"""How long a throttle is tried on a group whose members ask for less than it leaves them."""

from typing import Final

import msgspec
from msgspec import Struct

from guard.decisions.decision import Action
from guard.decisions.standing import Order
from guard.policy.judge import Sentence, judge
from guard.policy.policy import Policy
from guard.scoring.account_rules import reason
from guard.scoring.fusion import Verdict
from guard.scoring.reasons import Reason
from guard.units import DAY_MS, MINUTE_MS

ASKED_SHARE: Final = 0.5
"""Of the rate that a throttle leaves, up to which members ask so little that it takes nothing from them."""
FORGOTTEN_AFTER_MS: Final = DAY_MS
"""Without any sanction for a day a trial is over: what the group does after that, another trial shows."""


class Trial(Struct, array_like=True):
    """For how long throttles have stood over a group, gaps left out, and over how many members. In one mode: shadow throttles nobody."""

    mode: str = ""
    stood_ms: int = 0
    member_ms: int = 0
    """Sum over the throttled members of the time that each was throttled."""
    throttled: int = 0
    """Members under the throttle that is in force; 0 when something else is."""
    since: int = 0
    until: int = 0
    found: Reason | None = None
    """Why what stands is a challenge, where its score alone would not have asked for one."""

    def note(self, mode: str, action: Action, members: int, at: int, until: int, found: Reason | None = None) -> None:
        """A decision was written at `at`; it stands until `until` or the next one. `found`: what `idle_throttle` had to do with it."""
        if mode == self.mode and at - self.until <= FORGOTTEN_AFTER_MS:
            self.stood_ms, self.member_ms = self.stood(at)
        else:
            self.mode, self.stood_ms, self.member_ms, self.since = mode, 0, 0, 0
        self.throttled = members if action is Action.THROTTLE else 0
        self.since, self.until, self.found = max(at, self.since), until, found

    def found_in(self, mode: str) -> Reason | None:
        """Why what stands in this mode is a challenge that its score alone would not have asked for; None when it would, or is none."""
        return self.found if self.mode == mode else None

    def order(self, held: Order | None) -> Order | None:
        """The order that would be held, had nobody given up on a throttle: one where `found` put a challenge in its place."""
        return held if held is None or self.found is None else msgspec.structs.replace(held, action=int(Action.THROTTLE))

    def take_over(self, other: "Trial") -> None:
        """Another group is part of this one from now on: a throttle was tried on their accounts as long as on either group's.

        What stands over this one stands on; another mode's trial, and one that is a day away, say nothing here.
        """
        if other.mode == self.mode and abs(other.until - self.until) <= FORGOTTEN_AFTER_MS and other.stood_ms > self.stood_ms:
            self.stood_ms, self.member_ms = other.stood_ms, other.member_ms

    def stood(self, at: int) -> tuple[int, int]:
        """Milliseconds under a throttle up to `at`, and the sum of the members'."""
        current_ms = max(0, min(at, self.until) - self.since) if self.throttled else 0
        return self.stood_ms + current_ms, self.member_ms + current_ms * self.throttled


def judge_tried(  # noqa: PLR0913, PLR0917 - the verdict, all that stands against it, and what was asked meanwhile
    verdict: Verdict, held: Order | None, trial: Trial, exchanges: int, policy: Policy, mode: str, at: int, offset: float = 0.0
) -> tuple[Sentence | None, Reason | None]:
    """The sentence on a group, and `idle_throttle` where the verdict alone would have said less.

    `exchanges` are at most what was answered since the trial began.
    """
    vain = idle_throttle(trial, mode, exchanges, policy, at)
    if vain is None:
        return judge(verdict, held, policy, at, offset), None
    sentence = judge(verdict, held, policy, at, offset, Action.CHALLENGE)
    if sentence is None or judge(verdict, trial.order(held), policy, at, offset) == sentence:
        return sentence, None
    return sentence, vain


def idle_throttle(trial: Trial, mode: str, exchanges: int, policy: Policy, at: int) -> Reason | None:
    """Why nothing milder than a challenge does anything to a group: throttles have stood for long and leave more than is asked for.

    `exchanges` are at most what was answered since the trial began. None while that is not known, and where the policy never gives up.
    """
    stood_ms, member_ms = trial.stood(at)
    if policy.throttle_patience_ms is None or trial.mode != mode or at - trial.until > FORGOTTEN_AFTER_MS:
        return None
    if not member_ms or stood_ms < policy.throttle_patience_ms:
        return None
    asked_rpm, left_rpm = exchanges * MINUTE_MS / member_ms, ASKED_SHARE * policy.throttle_rate_rpm
    return reason("idle_throttle", asked_rpm, left_rpm, 0.0, 0.0) if asked_rpm <= left_rpm else None
