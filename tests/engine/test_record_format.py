"""Records that another version of the program stored are refused in one line: read by this one's layout they say something else, or nothing."""

import msgspec
import pytest

from guard.engine.campaign_record import new_campaign, pack_campaign, restore_campaign
from guard.engine.link_record import LinkMemory, pack_memory, restore_memory
from guard.errors import GuardError
from guard.state.link import PREFIX, LinkRecord
from tests.support.events import T0

LINK = pack_memory(LinkMemory(7, LinkRecord(PREFIX, "their-prompt")))
CAMPAIGN = new_campaign(PREFIX, "their-prompt", T0, T0)


def test_what_this_version_stored_is_read_again() -> None:
    """The check costs no record."""
    assert restore_memory(LINK, 7).link == LinkRecord(PREFIX, "their-prompt")
    assert restore_campaign(pack_campaign(CAMPAIGN)) == CAMPAIGN


def test_a_link_record_of_another_layout_is_refused_by_its_format() -> None:
    """Its fields stand elsewhere: decoding it first would end with an error about a field."""
    older = msgspec.msgpack.encode([2, [PREFIX, "their-prompt", T0, T0, 3, 1.0, 1.0, 1.0, 1.0, 1.0, 9.0, 90.0, 30.0], 0, b""])

    with pytest.raises(GuardError, match=r"link record has format 2, this guard reads 3: run the version that wrote it"):
        restore_memory(older)


def test_a_campaign_record_without_a_format_is_refused() -> None:
    """So it was stored once."""
    with pytest.raises(GuardError, match=r"campaign record has format none, this guard reads 1: run the version that wrote it"):
        restore_campaign(msgspec.msgpack.encode(CAMPAIGN))
