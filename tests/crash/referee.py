"""The referee: another client reads what is committed, and compares it with what was sent."""

from collections import Counter
from collections.abc import Iterable

import msgspec
from confluent_kafka import Consumer, TopicPartition

from guard.streaming.meta import META_KEY
from guard.topics import Topic
from tests.streaming.toy_engine import DECIDE_EVERY, SUSPECT_EVERY, Tally, link_of

_tally = msgspec.msgpack.Decoder(Tally).decode
SHARDS = 4
"""Partitions of the topics of a crash run."""
Record = tuple[int, bytes | None, bytes | None]


def committed(bootstrap: str, topic: Topic) -> list[Record]:
    """Every committed record of a topic: (partition, key, value)."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "referee",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    left = set(consumer.list_topics(topic.value).topics[topic.value].partitions)
    consumer.assign([TopicPartition(topic.value, partition, 0) for partition in left])
    records: list[Record] = []
    while left:
        message = consumer.poll(10.0)
        assert message is not None, f"{topic} is not read to its end"
        if message.error() is None:
            records.append((message.partition(), message.key(), message.value()))
        else:
            left.discard(message.partition())
    consumer.close()
    return records


def state(bootstrap: str, changelog: Topic) -> dict[str, Tally]:
    """The newest tally of each name. One name in two partitions is a fault of its own."""
    newest: dict[tuple[int, bytes], bytes] = {}
    for partition, key, value in committed(bootstrap, changelog):
        assert key is not None
        assert value is not None
        newest[partition, key] = value
    names = [key.decode() for _, key in newest if key != META_KEY]
    assert len(names) == len(set(names)), "a name is kept by two shards"
    return {key.decode(): _tally(value) for (_, key), value in newest.items() if key != META_KEY}


class Verdict(msgspec.Struct):
    """What is wrong, all zeros is right; and how many decisions were seen."""

    decisions: int = 0
    events_lost: int = 0
    events_counted_twice: int = 0
    forwards_lost: int = 0
    forwards_counted_twice: int = 0
    suspicions_wrong: int = 0
    decisions_missing: int = 0
    decisions_forgotten: int = 0
    """On the topic as a subject's newest, and not what the subject's state says."""
    decisions_twice: int = 0
    ids_with_two_bodies: int = 0

    @property
    def is_clean(self) -> bool:
        """Nothing lost, nothing twice."""
        return not any(msgspec.structs.astuple(self)[1:])


def judge(bootstrap: str, expected: Counter[str]) -> Verdict:
    """Compare what is committed with the events sent per account."""
    verdict = Verdict()
    counted = {name: tally.count for name, tally in state(bootstrap, Topic.ACCOUNTS_STATE).items()}
    verdict.events_lost, verdict.events_counted_twice = differences(expected, counted)
    links: Counter[str] = Counter()
    for account, count in expected.items():
        links[link_of(account)] += count
    forwarded = {name: tally.count for name, tally in state(bootstrap, Topic.LINKS_STATE).items()}
    verdict.forwards_lost, verdict.forwards_counted_twice = differences(links, forwarded)
    suspected = {f"link-{name}": count // SUSPECT_EVERY for name, count in links.items() if count >= SUSPECT_EVERY}
    campaigns = {name: tally.count for name, tally in state(bootstrap, Topic.CAMPAIGNS_STATE).items()}
    verdict.suspicions_wrong = sum(differences(suspected, campaigns))
    wanted = [f"{name}/{n}" for name, count in expected.items() for n in range(DECIDE_EVERY, count + 1, DECIDE_EVERY)]
    wanted += [f"{name}/{n}" for name, count in suspected.items() for n in range(1, count + 1)]
    verdict.decisions_missing = len(set(wanted) - judge_ids(verdict, committed(bootstrap, Topic.DECISIONS)))
    return verdict


def differences(expected: "Counter[str] | dict[str, int]", found: dict[str, int]) -> tuple[int, int]:
    """How much is missing and how much is too much, over all names."""
    names = expected.keys() | found.keys()
    gaps = [expected.get(name, 0) - found.get(name, 0) for name in names]
    return sum(gap for gap in gaps if gap > 0), sum(-gap for gap in gaps if gap < 0)


def judge_ids(verdict: Verdict, records: Iterable[Record]) -> set[str]:
    """Count decisions seen twice and ids with two bodies; the ids seen."""
    bodies: dict[str, Counter[bytes]] = {}
    for _, _, value in records:
        assert value is not None
        bodies.setdefault(msgspec.json.decode(value)["decision_id"], Counter())[value] += 1
    verdict.decisions = len(bodies)
    verdict.decisions_twice = sum(copies.total() - 1 for copies in bodies.values())
    verdict.ids_with_two_bodies = sum(len(copies) > 1 for copies in bodies.values())
    return set(bodies)


def counted(bootstrap: str) -> int:
    """Events that have been counted in both the accounts and the links stage."""
    return min(sum(tally.count for tally in state(bootstrap, topic).values()) for topic in (Topic.ACCOUNTS_STATE, Topic.LINKS_STATE))
