"""What the keys of a shard are held against: its crowd, and the models that are new to it."""

from typing import Final

import msgspec

from guard.engine.first_record import First
from guard.engine.forwards import Contact
from guard.engine.link_record import LinkMemory
from guard.policy.policy import Policy
from guard.scoring.links.crowd import Crowd
from guard.state.link import AGE_NEW, AGE_TRUSTED, AGE_UNKNOWN, KeyKind
from guard.state.releases import Releases
from guard.units import SECOND_MS

CROWD_KEY: Final = b"g:crowd"
RELEASES_KEY: Final = b"g:releases"
CROWD_KINDS: Final = frozenset({KeyKind.PAYMENT, KeyKind.PREFIX, KeyKind.CLIENT, KeyKind.NETWORK})


class Ground:
    """The crowd and the releases of one shard. `records` is the recovered state, of which it takes its own two."""

    def __init__(self, records: dict[bytes, bytes]) -> None:
        crowd, releases = records.pop(CROWD_KEY, None), records.pop(RELEASES_KEY, None)
        self.crowd = msgspec.msgpack.decode(crowd, type=Crowd) if crowd is not None else Crowd()
        self._releases = msgspec.msgpack.decode(releases, type=Releases) if releases is not None else Releases()
        self._policy: Policy | None = None
        self._calendar: dict[str, int] = {}
        self._has_crowd_changed = self._has_release_changed = False

    def see(self, contact: Contact, policy: Policy) -> None:
        """Take in a contact of a kind that tells of the crowd; others tell of what is asked, which few share.

        `policy` is the one in force at the contact, whose calendar says when models are released.
        """
        if contact.kind not in CROWD_KINDS:
            return
        if policy is not self._policy:
            self._policy, self._calendar = policy, {release.model: int(release.at) for release in policy.releases}
        crowd = self.crowd
        if not contact.is_first:
            crowd.hear(contact.voice, contact.rubric)
        elif contact.age != AGE_UNKNOWN:
            crowd.meet(is_new=contact.age == AGE_NEW, is_trusted=contact.age == AGE_TRUSTED)
            if contact.age != AGE_NEW:
                crowd.register(contact.account, contact.created_day)
        if contact.declined >= 0:
            crowd.hear_answer(contact.declined)
        crowd.heard += 1
        self._has_crowd_changed = True
        if contact.model and self._releases.hear(contact.model, contact.account, contact.at, crowd.heard, self._calendar):
            self._has_release_changed = True

    def follow_release(self, memory: LinkMemory | First, contact: Contact) -> None:
        """Within a day of a release: whether the account was there before it, and whether it moved. Most of the crowd share nothing with anybody."""
        releases = self._releases
        if not contact.model or not releases.is_on(contact.at):
            return
        release_s = releases.wave_at // SECOND_MS
        is_seen, has_moved = memory.follow_release(contact.account, release_s, is_moved=contact.model in releases.wave)
        if contact.kind in CROWD_KINDS:
            self.crowd.follow_release(release_s, is_seen=is_seen, has_moved=has_moved)

    def drain(self) -> list[tuple[bytes, bytes | None]]:
        """What has changed since the last drain."""
        changes: list[tuple[bytes, bytes | None]] = []
        if self._has_crowd_changed:
            changes.append((CROWD_KEY, msgspec.msgpack.encode(self.crowd)))
        if self._has_release_changed:
            changes.append((RELEASES_KEY, msgspec.msgpack.encode(self._releases)))
        self._has_crowd_changed = self._has_release_changed = False
        return changes
