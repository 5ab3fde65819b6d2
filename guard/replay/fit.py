"""From recorded events to a starting baseline: a replay whose decisions nobody needs, and what its models learned from it."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from guard.engine.control import Control
from guard.engine.driver import Driver
from guard.policy.labels import LabelBook
from guard.replay.run import Replayed, replay
from guard.scoring.learned.baseline import Baseline, baseline_of
from guard.units import EventTimeMs


class Fitted(Struct, frozen=True):
    """A baseline, and what it was learned from."""

    baseline: Baseline
    seen: Replayed
    accounts: int


def with_hindsight(control: Control) -> Control:
    """The same control with labels that hold from the beginning: what was found out later is true of the recorded past, too."""
    labels = {key: msgspec.structs.replace(label, at=EventTimeMs(0)) for key, label in control.labels.labels.items()}
    exempting = {key: labels[key] for key in control.labels.exempting}
    return Control(control.policies, LabelBook(labels, exempting, control.labels.digest), control.watch)


def fit(
    events: Sequence[Path],
    control: Control,
    *,
    models: bytes | None = None,
    strict: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Fitted:
    """Learn from the files what the gates let the models learn, in one shard, from `models` on if given.

    Raises InputError when no line can be read, or at the first unreadable one if `strict`.
    """
    driver = Driver(1, with_hindsight(control), models=models)
    seen, _ = replay(events, driver, None, strict=strict, progress=progress)
    return Fitted(baseline_of(driver.models[0]), seen, driver.accounts)
