"""A link key judged: whether it is shared as a pool shares it, or as people, teams and the public do.

Accusation and relief are weighed together: people return within minutes and unevenly, pipelines are heavy-tailed, a pool is
even; what trusted accounts share is public; one organisation may share everything.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from guard.scoring.account_rules import Features, Numbers
from guard.scoring.links.alike_callers import alike_callers
from guard.scoring.links.client_concentration import client_concentration
from guard.scoring.links.crowd import Crowd
from guard.scoring.links.even_rates import even_rates
from guard.scoring.links.fleet_elicitation import fleet_elicitation, fleet_rubric
from guard.scoring.links.hand_over import hand_over
from guard.scoring.links.new_accounts import new_accounts
from guard.scoring.links.registered_together import registered_together
from guard.scoring.links.release_pivot import release_pivot
from guard.scoring.links.relief import relief
from guard.scoring.links.shared_network import shared_network
from guard.scoring.links.shared_payment import shared_payment
from guard.scoring.links.technique_sweep import technique_sweep
from guard.scoring.links.template_lift import template_lift
from guard.scoring.reasons import Reason
from guard.state.link import KeyKind

Detector: TypeAlias = Callable[[KeyKind, Features, Crowd, Numbers], Reason | None]

DETECTORS: Final[tuple[Detector, ...]] = (
    new_accounts,
    registered_together,
    even_rates,
    alike_callers,
    shared_payment,
    template_lift,
    client_concentration,
    shared_network,
    fleet_elicitation,
    fleet_rubric,
    hand_over,
    release_pivot,
    technique_sweep,
)
"""Every detector about a key. Each knows the kinds that it speaks of, gives at most one reason, and changes nothing."""


def link_evidence(kind: KeyKind, features: Features, crowd: Crowd, numbers: Numbers) -> tuple[list[Reason], float]:
    """Evidence against a key, and the relief (0-1) that speaks for it. Nothing below `key_accounts_min` accounts."""
    if features["accounts"] < numbers["key_accounts_min"]:
        return [], 0.0
    evidence = [found for detector in DETECTORS if (found := detector(kind, features, crowd, numbers)) is not None]
    return evidence, relief(features, crowd, numbers)
