"""What is looked at before a worker starts: that a broker answers, and that its topics are as the contract wants."""

from collections.abc import Mapping

from aiokafka.admin import AIOKafkaAdminClient

from guard.control.reach import REQUEST_TIMEOUT_MS, reaching
from guard.errors import ClusterMismatchError
from guard.topics import TOPICS, Topic


def mismatches(found: Mapping[str, int]) -> list[str]:
    """One line per topic that is missing or has another number of partitions than `guard.requests` implies."""
    shards = found.get(Topic.REQUESTS.value, 0)
    if not shards:
        return [f"{Topic.REQUESTS}: no such topic"]
    lines = []
    for topic, (spread, _) in TOPICS.items():
        wanted, there = spread.partitions(shards), found.get(topic.value, 0)
        if not there:
            lines.append(f"{topic}: no such topic, it should have {wanted} partitions")
        elif there != wanted:
            lines.append(f"{topic}: {there} partitions, it should have {wanted} (N = {shards})")
    return lines


async def shards_of_cluster(bootstrap: str) -> int:
    """N, the number of partitions of `guard.requests`.

    Raises BrokerUnreachableError; ClusterMismatchError with a line for each topic that is not as it should be.
    """
    with reaching(bootstrap):
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=REQUEST_TIMEOUT_MS)
        try:
            await admin.start()
            described = await admin.describe_topics([topic.value for topic in TOPICS])
        finally:
            await admin.close()
    found = {topic["topic"]: len(topic["partitions"]) for topic in described if not topic["error_code"]}
    lines = mismatches(found)
    if lines:
        raise ClusterMismatchError("\n".join([*lines, f"{bootstrap}: `guard topics create` makes missing topics"]))
    return found[Topic.REQUESTS.value]
