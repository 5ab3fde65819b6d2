"""What speaks for a key: one principal's, the public's, people's own rhythm, or too early to say."""

from typing import Final

from guard.scoring.account_rules import Features, Numbers
from guard.scoring.links.alike_callers import alikeness
from guard.scoring.links.crowd import Crowd
from guard.scoring.links.hand_over import conservation
from guard.scoring.links.sessions import sittings
from guard.scoring.links.settled import is_settled
from guard.scoring.links.vouched import is_vouched_for
from guard.scoring.ramp import ramp

RELIEF_PUBLIC: Final = 0.8
RELIEF_TEAM: Final = 0.7
RELIEF_UNEVEN: Final = 0.65
RELIEF_UNSETTLED: Final = 0.4
"""What speaks for a key, as the share of its score that goes: public, one principal's, people's own rhythm, too early. A balancer with weights is
uneven, too, and a pool bought old: where accounts take over one another's work, neither rhythm nor age says anything. A pool behind a public
harness makes all of its use look even, but not steady."""


def relief(features: Features, crowd: Crowd, numbers: Numbers) -> float:
    """The strongest of what speaks for the key."""
    found = [0.0]
    if features.get("principals") == 1.0:
        found.append(RELIEF_TEAM)
    if features.get("dispersion") is None or not is_settled(features, numbers):
        found.append(RELIEF_UNSETTLED * (1.0 - alikeness(features)))
    else:
        found.append(_of_rhythm(features, crowd, numbers))
    return max(found)


def _of_rhythm(features: Features, crowd: Crowd, numbers: Numbers) -> float:
    """For uneven use; and more, where the trusted vouch for the key, for uneven use or for use in sessions."""
    apart = 1.0 - conservation(features, numbers)
    uneven = apart * ramp(
        features["dispersion"], numbers["even_dispersion_max"], max(numbers["uneven_dispersion_min"], numbers["even_dispersion_max"] + 0.01)
    )
    if not is_vouched_for(features, crowd, numbers):
        return RELIEF_UNEVEN * uneven
    return RELIEF_PUBLIC * max(uneven, apart * sittings(features))
