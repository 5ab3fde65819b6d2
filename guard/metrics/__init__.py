"""What an operator sees of a worker: a bounded set of Prometheus metrics, and the small HTTP endpoint that serves them.

`labels` closes the sets of label values, `instruments` lists every metric with the question it answers, `observer` fills
them from what the worker reports, `control` from the policy in force, `server` serves them. No label ever holds an identifier.
"""

from guard.metrics.control import ControlCollector
from guard.metrics.instruments import SERIES_MAX, Instruments
from guard.metrics.observer import MetricsObserver
from guard.metrics.server import MetricsServer

__all__ = ["SERIES_MAX", "ControlCollector", "Instruments", "MetricsObserver", "MetricsServer"]
