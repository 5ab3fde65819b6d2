"""How far behind the work is: newest event time and waiting records of every source partition of this worker."""

from guard.topics import Topic
from guard.units import SECOND_MS

Partition = tuple[str, int]


class Watermark:
    """Remembers at most one entry per source partition: a few dozen."""

    def __init__(self) -> None:
        self._newest_at: dict[Partition, int] = {}
        self._waiting: dict[Partition, tuple[int, int]] = {}
        """Partition -> records that wait, and since when some do without a pause (milliseconds)."""

    def decided(self, source: Partition, newest_at: int) -> None:
        """Everything up to event time `newest_at` (milliseconds) is committed."""
        self._newest_at[source] = newest_at

    def waits(self, source: Partition, records: int, now: int) -> None:
        """So many records of the partition wait at `now`."""
        before, since = self._waiting.get(source, (0, now))
        self._waiting[source] = (records, since if before else now)

    def forget(self, shard: int) -> None:
        """The shard is another worker's now. The one without a partition of requests is the campaigns' shard."""
        is_campaigns = (Topic.REQUESTS.value, shard) not in self._waiting
        sources = [(Topic.REQUESTS.value, shard), (Topic.LINKS.value, shard)]
        for source in [(Topic.SUSPICIONS.value, 0)] if is_campaigns else sources:
            self._newest_at.pop(source, None)
            self._waiting.pop(source, None)

    def lag(self, topic: str) -> int:
        """Records that wait in all partitions of the topic."""
        return sum(records for (name, _), (records, _) in self._waiting.items() if name == topic)

    def age_seconds(self, now: int) -> float:
        """Age of the newest event decided, where it is oldest among the partitions with waiting records.

        A partition counts no longer than records have been waiting there: one that saw no event for an hour is not behind.
        """
        ages = [now - max(since, self._newest_at.get(source, 0)) for source, (records, since) in self._waiting.items() if records]
        return max(0, *ages, 0) / SECOND_MS
