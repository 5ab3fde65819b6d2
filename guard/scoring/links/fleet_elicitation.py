"""Fleet-level elicitation and rubric: what all of a key's accounts ask for, one voice each."""

from typing import Final

from guard.scoring.account_rules import Features, Numbers, reason
from guard.scoring.links.crowd import Crowd
from guard.scoring.links.kinds import TEMPLATE_KINDS
from guard.scoring.links.vouched import is_vouched_for
from guard.scoring.reasons import Reason
from guard.state.link import KeyKind

VOICED_KINDS: Final = TEMPLATE_KINDS | {KeyKind.PAYMENT}
VOICE_MAX: Final = 0.55
VOICE_PUBLIC_MAX: Final = 0.3
"""A hint about a public prompt: a pool that hides behind it may speak for all."""


def fleet_elicitation(kind: KeyKind, features: Features, crowd: Crowd, numbers: Numbers) -> Reason | None:
    """The accounts ask, on the mean, for reasoning to be written out."""
    voice = features.get("voice")
    if kind not in VOICED_KINDS or voice is None or voice < numbers["elicitation_share"]:
        return None
    weight = VOICE_PUBLIC_MAX if is_vouched_for(features, crowd, numbers) else VOICE_MAX
    return reason("reasoning_elicitation", voice, numbers["elicitation_share"], crowd.voice, weight)


def fleet_rubric(kind: KeyKind, features: Features, crowd: Crowd, numbers: Numbers) -> Reason | None:
    """They ask for grades and comparisons; a benchmark does the same, so that it is a hint."""
    rubric = features.get("rubric")
    if rubric is None or rubric < numbers["rubric_share"]:
        return None
    return reason("rubric_grading", rubric, numbers["rubric_share"], crowd.rubric, 0.35)
