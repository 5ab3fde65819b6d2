"""The closed sets of label values. A value outside its set is counted under `OTHER`, so traffic can make no series."""

from typing import Final

from guard.decisions.decision import Action, Mode, Scope
from guard.events.request import RequestEvent
from guard.scoring.reasons import Family
from guard.topics import Topic

OTHER: Final = "other"
"""Where a value is counted that no closed set knows, or for which there is no room any more."""

NO_FAMILY: Final = "none"
"""The leading family of a decision without reasons."""

RESULTS: Final = ("judged", "duplicate", "dead_letter", "refused", "misrouted", "future", "late")
"""The first four part the events among them; the last three mark some of those once more."""

STAGES: Final = ("accounts", "links", "campaigns")
SOURCE_TOPICS: Final = (Topic.REQUESTS.value, Topic.LINKS.value, Topic.SUSPICIONS.value)
EVIDENCE: Final = {"links.contacts": "contact", "links.suspicions": "suspicion", "campaigns.tips": "tip"}
"""Tally of a stage -> kind of the evidence that came from another stage."""

ACTIONS: Final = frozenset(action.word for action in Action)
MODES: Final = frozenset(mode.value for mode in Mode)
SCOPES: Final = frozenset(scope.value for scope in Scope)
FAMILIES: Final = frozenset({*(family.value for family in Family), NO_FAMILY})
FIELDS: Final = frozenset(RequestEvent.__struct_fields__)
