"""Several observers as one: metrics and logs hear the same."""

from guard.streaming.observer import FlushReport, Observer


class Observers:
    """Passes every call on to each observer, in order."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def flushed(self, report: FlushReport) -> None:
        """A flush is committed."""
        for observer in self._observers:
            observer.flushed(report)

    def recovered(self, shard: int, records: int, seconds: float) -> None:
        """A shard's state is read."""
        for observer in self._observers:
            observer.recovered(shard, records, seconds)

    def released(self, shard: int) -> None:
        """A shard has gone to another worker."""
        for observer in self._observers:
            observer.released(shard)

    def lag(self, topic: str, partition: int, records: int) -> None:
        """How far behind a partition's end the worker is."""
        for observer in self._observers:
            observer.lag(topic, partition, records)

    def ready(self, *, is_ready: bool) -> None:
        """Whether all shards are recovered and taking."""
        for observer in self._observers:
            observer.ready(is_ready=is_ready)

    def interrupted(self, reason: str) -> None:
        """The worker ends by a fault."""
        for observer in self._observers:
            observer.interrupted(reason)
