"""What the guard says: JSON lines on stderr, one for each decision; nothing a caller wrote can break a line or flood them.

`tame` makes values harmless, `rate` keeps reasons from flooding, `setup` puts both before the renderer and takes in the
lines of the libraries beneath, `observer` says what a worker does.
"""

from guard.logs.observer import LogObserver, log_decision
from guard.logs.setup import configure_logging

__all__ = ["LogObserver", "configure_logging", "log_decision"]
