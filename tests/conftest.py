"""What tests share: a real broker, one for a whole run or one for a module alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from guard.streaming.broker import EmbeddedBroker

ON_A_BROKER = {"kafka", "crash"}
"""Folders whose tests start a real broker: run one after the other (`make broker-test`)."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what needs a broker by its folder, so that no test can forget to say so."""
    tests = config.rootpath / "tests"
    for item in items:
        below = Path(item.path).relative_to(tests).parts
        if below[0] in ON_A_BROKER or {"broker", "own_broker"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("broker")


@pytest.fixture(scope="session")
def broker() -> Iterator[EmbeddedBroker]:
    """A broker that the whole run shares; topics keep what earlier tests left (`tests.support.broker.fresh_topics`)."""
    with EmbeddedBroker() as shared:
        yield shared


@pytest.fixture(scope="module")
def own_broker() -> Iterator[EmbeddedBroker]:
    """A broker of this module's own, without any topic at first."""
    with EmbeddedBroker() as own:
        yield own
