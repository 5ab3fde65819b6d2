"""What a spoilt or malicious gateway could put into the topic."""

from tests.bench.hostile import hostile

RECORDS = 100_000


def test_a_hundred_thousand_hostile_records_are_events_or_dead_letters():
    """One uncaught exception would stop a shard at that record for ever."""
    outcomes, uncaught, _ = hostile(RECORDS, seed=11)
    outcomes.pop("optional values counted as missing")

    assert uncaught == {}
    assert sum(outcomes.values()) == RECORDS
    assert min(outcomes[name] for name in ("event", "not_json", "too_large", "missing_field", "illegal_field")) > 100
