"""How often a campaign is judged: a large one less often than a small one, so that no pool is too large to be watched."""

from itertools import pairwise

import pytest

from guard.engine.campaigns import JUDGE_EVERY_MS, JUDGE_MEMBER_MS, CampaignsStage
from guard.engine.forwards import Crossing
from guard.state.link import KeyKind
from tests.support.events import T0, open_control

SECONDS = 120


def _pauses_ms(accounts: int) -> set[int]:
    """Event time between judgements of a pool whose conversations wander from account to account all the time."""
    stage = CampaignsStage(0, 1, {}, open_control())
    at, seen = T0, []
    for step in range(1, 4):
        for place in range(accounts):
            stage.take(Crossing(KeyKind.CONVERSATION, f"a{place}", f"a{(place + step) % accounts}", at))
    stage.drain()
    for second in range(SECONDS):
        at = T0 + second * 1_000
        stage.take(Crossing(KeyKind.CONVERSATION, f"a{second % accounts}", f"a{(second + 1) % accounts}", at))
        stage.drain()
        seen += [campaign.updated_at for campaign in stage._clusters.campaigns.values() if campaign.members_total]
    judged = sorted(set(seen))
    return {later - earlier for earlier, later in pairwise(judged[1:])}


@pytest.mark.parametrize("accounts", [40, 900])
def test_a_campaign_is_judged_as_often_as_its_size_allows(accounts: int) -> None:
    """A judgement looks at every member: at each second of a pool of thousands, a fortnight of it would take days to replay."""
    due = max(JUDGE_EVERY_MS, JUDGE_MEMBER_MS * accounts)
    pauses = _pauses_ms(accounts)

    assert pauses
    assert min(pauses) >= due
    assert max(pauses) < due + 2_000
