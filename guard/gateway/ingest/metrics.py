"""What an SRE sees of ingest: about fifty series at most, and no identifier in any of them."""

from collections import Counter
from collections.abc import Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from guard.gateway.ingest.log_tail import LogTail
from guard.gateway.ingest.reading import Reading
from guard.gateway.ingest.server import IngestServer
from guard.gateway.ingest.service import IngestService


class IngestCollector(Collector):
    """Register it: `registry.register(IngestCollector(service, reading, server))`."""

    def __init__(self, service: IngestService, reading: Reading, server: IngestServer, tail: LogTail | None = None) -> None:
        self._service, self._reading, self._server, self._tail = service, reading, server, tail

    @property
    def _log_refusals(self) -> Counter[str]:
        return Counter() if self._tail is None else self._tail.refusals

    def collect(self) -> Iterator[Metric]:
        """The metrics as they are now."""
        intake, delivery, kafka, spool = self._service.intake, self._service.delivery, self._service.kafka, self._service.spool
        yield _by("guard_ingest_bodies", "What became of bodies?", "result", self._server.bodies)
        yield _by("guard_ingest_refused", "Why were events refused?", "reason", self._server.refusals + self._log_refusals)
        yield _by("guard_ingest_invalid_fields", "Which optional values were dropped?", "field", self._reading.cleaner.invalid_fields)
        for name, question, value in (
            ("accepted", "Do events come in?", intake.accepted),
            ("duplicates", "Do senders repeat themselves?", intake.duplicates),
            ("turned_away", "Would events be lost if senders did not try again?", intake.turned_away),
            ("produced", "Do events reach Kafka?", kafka.produced),
            ("spooled", "How many went through the spool?", delivery.spooled),
            ("lost", "Is the spool damaged? Lines that could not be read.", delivery.lost),
            ("estimates", "How many exchanges came without token counts?", self._reading.estimates),
            (
                "unjoined",
                "Are bodies missed? Answered requests in the access log whose body was not seen.",
                self._reading.access_log.unjoined,
            ),
            ("failed_open", "Did requests pass because no enforcer answered the gateway?", self._reading.access_log.failed_open),
            ("log_lines", "Is the access log read? Lines.", 0 if self._tail is None else self._tail.lines),
            ("foreign_hashes", "Does anyone still hash under another key? Fields.", self._reading.cleaner.foreign_hashes),
        ):
            yield CounterMetricFamily(f"guard_ingest_{name}", question, value)
        for name, question, number in (
            ("ready", "Can events be taken?", float(self._service.is_ready)),
            ("kafka_up", "Does Kafka acknowledge?", float(kafka.is_up)),
            ("pending_events", "How many are in memory alone?", intake.pending),
            ("spool_events", "How many wait on disk?", 0 if spool is None else len(spool)),
            ("log_behind_bytes", "How much of the access log waits?", 0 if self._tail is None else self._tail.behind_bytes),
            ("bodies_seen", "How many requests under way are remembered?", len(self._reading.access_log)),
            ("spool_bytes", "How much disk do they take?", 0 if spool is None else spool.size_bytes),
        ):
            yield GaugeMetricFamily(f"guard_ingest_{name}", question, number)


def _by(name: str, question: str, label: str, counts: Mapping[str, int]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, question, labels=[label])
    for value, count in dict(counts).items():
        family.add_metric([value], count)
    return family
