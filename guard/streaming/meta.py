"""The record in every changelog that says for how many shards the state was built."""

from typing import Final

from guard.errors import ClusterMismatchError
from guard.topics import Topic

META_KEY: Final = b"n:"


def meta_value(shards: int) -> bytes:
    """The record's value."""
    return b"%d" % shards


def take_meta(records: dict[bytes, bytes], shards: int, where: str) -> bool:
    """Take the record out of recovered state. Returns whether it was there; raises ClusterMismatchError for another N."""
    found = records.pop(META_KEY, None)
    if found is not None and found != meta_value(shards):
        built = found.decode(errors="replace")
        raise ClusterMismatchError(
            f"{where}: this state was built for {built} partitions of {Topic.REQUESTS}, which has {shards} now; "
            f"a new number of partitions needs a new topic, with the state rebuilt from the retained log"
        )
    return found is not None
