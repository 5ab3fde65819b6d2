"""The worker's configuration: flags lead over variables, and a bad value is one line that says what would be right."""

import pytest

from guard.config import WorkerConfig, worker_config
from guard.errors import UsageError

BASE = {"GUARD_BOOTSTRAP": "kafka-1:9092,kafka-2:9092"}


def test_defaults_stand_where_nothing_is_said():
    """A fresh install runs in shadow and listens on this machine alone."""
    config = worker_config({}, BASE)

    assert config == WorkerConfig(bootstrap="kafka-1:9092,kafka-2:9092")
    assert not config.enforce
    assert config.metrics_host == "127.0.0.1"


def test_a_flag_leads_over_its_variable():
    """What is typed now is meant more than what was exported once."""
    config = worker_config({"flush_ms": "50", "enforce": True, "group": None}, {**BASE, "GUARD_FLUSH_MS": "200", "GUARD_GROUP": "other"})

    assert (config.flush_ms, config.enforce, config.group) == (50, True, "other")


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("GUARD_SESSION_TIMEOUT_MS", "5999", "a whole number from 6000 to 10000"),
        ("GUARD_FLUSH_MS", "1e2", "a whole number from 10 to 1000"),
        ("GUARD_METRICS_PORT", "-1", "a whole number from 0 to 65535"),
        ("GUARD_STALL_MS", "9" * 500, "a whole number from 5000 to 600000"),
        ("GUARD_ENFORCE", "maybe", "1 or 0, true or false, yes or no"),
        ("GUARD_BOOTSTRAP", "kafka", "HOST:PORT, or several with commas between them"),
        ("GUARD_BOOTSTRAP", "kafka:99999", "HOST:PORT, or several with commas between them"),
        ("GUARD_GROUP", "a b", "1 to 128 letters, digits and . _ -"),
    ],
)
def test_a_bad_value_is_named_with_what_would_be_right(name, value, right):
    """The line is read by somebody who is being paged."""
    with pytest.raises(UsageError) as caught:
        worker_config({}, {**BASE, name: value})

    line = str(caught.value)
    assert line.startswith(f"{name} is '{value[:60]}'")
    assert line.endswith(f"it should be {right}")
    assert "\n" not in line


def test_without_a_broker_address_there_is_no_worker():
    """Guessing an address could reach somebody else's cluster."""
    with pytest.raises(UsageError, match="GUARD_BOOTSTRAP is not set"):
        worker_config({}, {})
