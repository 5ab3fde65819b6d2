"""The policy in force and what became of policy documents, read from the control follower at each scrape."""

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from guard.engine.control import Control
from guard.units import EventTimeMs
from guard.wall_clock import wall_clock


class Followed(Protocol):
    """What is read of a control follower."""

    @property
    def control(self) -> Control:
        """What is in force."""

    @property
    def tallies(self) -> Mapping[str, int]:
        """Counts since the start: `policy.accepted`, `policy.rejected`, `control.refused`, `control.interrupted`."""


class ControlCollector(Collector):
    """Seven series, always. Register it: `registry.register(ControlCollector(follower))`."""

    def __init__(self, followed: Followed, *, now: Callable[[], int] = wall_clock) -> None:
        self._followed = followed
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """The metrics as they are now."""
        policy = self._followed.control.policies.at(EventTimeMs(self._now()))
        yield GaugeMetricFamily("guard_policy_version", "Which policy is in force for events of now?", policy.version)
        yield InfoMetricFamily("guard_policy", "Which document is that?", {"hash": policy.hash[:16]})
        for name, tally, question in _COUNTS:
            yield CounterMetricFamily(name, question, self._followed.tallies.get(tally, 0))


_COUNTS = (
    ("guard_policy_accepted", "policy.accepted", "Did a policy document get through? Documents accepted."),
    ("guard_policy_rejected", "policy.rejected", "Did a policy document fail? Documents rejected; none changed anything."),
    ("guard_control_refused", "control.refused", "Are labels or campaigns unreadable? Records refused."),
    ("guard_control_interrupted", "control.interrupted", "Can the control topics be followed? Failed polls."),
)
