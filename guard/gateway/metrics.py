"""What an SRE sees of an enforcer: about twenty series, whatever the traffic."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from guard.gateway.service import EnforcerService


class EnforcerCollector(Collector):
    """Register it: `registry.register(EnforcerCollector(service))`."""

    def __init__(self, service: EnforcerService) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        """The metrics as they are now."""
        service, counts = self._service, self._service.enforcer.counts
        requests = CounterMetricFamily("guard_enforcer_requests", "What became of requests?", labels=["result"])
        for result, count in counts.items():
            requests.add_metric([result], count)
        yield requests
        opened, closed = counts["failed_open"] + counts["unidentified"], counts["failed_closed"]
        yield CounterMetricFamily("guard_enforcer_fail_open", "Did requests pass that nobody could judge?", opened)
        yield CounterMetricFamily("guard_enforcer_fail_closed", "Were requests of closed routes refused that nobody could judge?", closed)
        yield CounterMetricFamily("guard_enforcer_decisions", "Do decisions come in? Records read.", service.follower.decisions_read)
        yield CounterMetricFamily("guard_enforcer_decisions_unreadable", "Are decisions lost on us?", service.follower.unreadable)
        yield CounterMetricFamily("guard_enforcer_reconnections", "Is Kafka lost again and again?", service.follower.reconnections)
        for name, question, value in (
            ("ready", "Was the topic read to its end?", float(service.follower.is_ready)),
            ("failing_open", "Do requests pass for want of decisions?", float(not service.enforcer.is_ready)),
            ("stale_seconds", "How old may the decisions be? Since the broker last answered.", min(service.follower.stale_seconds, 1e9)),
            ("orders", "How many decisions are remembered?", len(service.enforcer.orders)),
            ("enforcers", "How many share each account's rate?", service.enforcer.enforcers),
            ("clock_step_seconds", "Was the machine's clock set? Wall clock minus what is believed.", service.clock.step_ms / 1_000),
            ("snapshot_age_seconds", "Is the snapshot written? Since the last one; 0 without.", service.snapshot_age_seconds),
        ):
            yield GaugeMetricFamily(f"guard_enforcer_{name}", question, value)
