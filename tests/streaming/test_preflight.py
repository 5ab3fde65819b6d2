"""Topics against the contract: each mismatch one line, and nothing said about what is right."""

from guard.streaming.preflight import mismatches
from guard.topics import TOPICS, Topic


def _as_wanted(shards: int) -> dict[str, int]:
    return {topic.value: spread.partitions(shards) for topic, (spread, _) in TOPICS.items()}


def test_topics_as_the_contract_says_give_no_line():
    """Any N will do."""
    assert mismatches(_as_wanted(8)) == []
    assert mismatches(_as_wanted(1)) == []


def test_a_missing_topic_and_one_with_other_partitions_give_a_line_each():
    """The operator fixes what the lines say."""
    found = _as_wanted(8)
    del found[Topic.LABELS]
    found[Topic.DECISIONS] = 8

    assert mismatches(found) == [
        "guard.decisions: 8 partitions, it should have 9 (N = 8)",
        "guard.labels: no such topic, it should have 8 partitions",
    ]


def test_without_requests_nothing_else_can_be_judged():
    """N is unknown then."""
    assert mismatches({}) == ["guard.requests: no such topic"]
