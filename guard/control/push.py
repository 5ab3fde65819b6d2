"""Putting a policy document on its topic, and waiting until every live worker goes by it."""

import time
from collections.abc import Callable, Iterable, Sequence

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError
from msgspec import Struct

from guard.control.answers import PolicyAnswer, decode_answers, document_hash, take_document
from guard.control.produce import idempotent_producer
from guard.control.reach import REQUEST_TIMEOUT_MS, reaching
from guard.control.topics_read import groupless_consumer, read_topic
from guard.errors import GuardError, InputError
from guard.policy.schedule import PolicySchedule
from guard.policy.signature import KeyRing
from guard.topics import Topic

POLL_MS = 250
MEMBERS = 5
CLIENT_ID = 1
"""Where the raw group description keeps its members, and a member its client id."""


class PolicyTopic(Struct, frozen=True):
    """All that lies on `guard.policy` and `guard.policy.status` now."""

    schedule: PolicySchedule
    documents: int
    answers: tuple[PolicyAnswer, ...]
    """Each worker's last answer, by worker."""


class Pushed(Struct, frozen=True):
    """A document that lies on the topic."""

    version: int
    document_hash: str
    offset: int


async def read_policy_topic(bootstrap: str, keys: KeyRing) -> PolicyTopic:
    """Read both topics whole and judge the documents as a worker with these keys does."""
    with reaching(bootstrap):
        documents = await read_topic(bootstrap, Topic.POLICY)
        answers = decode_answers(record.value for record in await read_topic(bootstrap, Topic.POLICY_STATUS))
    schedule = PolicySchedule.builtin(enforce=False, keys=keys)
    for record in documents:
        schedule = take_document(schedule, record.value, record.offset).schedule
    last = {answer.worker: answer for answer in answers}
    return PolicyTopic(schedule, len(documents), tuple(last[worker] for worker in sorted(last)))


async def push_policy(bootstrap: str, value: bytes, keys: KeyRing) -> Pushed:
    """Write the document, if the topic as it is would accept it; raises PolicyError if not."""
    policy = (await read_policy_topic(bootstrap, keys)).schedule.with_document(value).newest
    with reaching(bootstrap):
        async with idempotent_producer(bootstrap) as producer:
            written = await producer.send_and_wait(Topic.POLICY, value, key=b"policy")
    return Pushed(policy.version, document_hash(value), written.offset)


class Wait(Struct, frozen=True):
    """Whom to wait for, how long, and where to tell of progress (one line for each worker that accepts)."""

    bootstrap: str
    group: str
    timeout_seconds: float
    progress: Callable[[str], None]


async def wait_for_workers(pushed: Pushed, wait: Wait) -> tuple[PolicyAnswer, ...]:
    """Wait until every live member of the consumer group has accepted; the accepting answers.

    A member whose client id is a worker's name is waited for by name. Others are waited for by number. Raises InputError
    when a worker rejects, GuardError when time runs out; both name the workers.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=wait.bootstrap, request_timeout_ms=REQUEST_TIMEOUT_MS)
    with reaching(wait.bootstrap):
        try:
            await admin.start()
            return await _wait(admin, pushed, wait)
        finally:
            await admin.close()


async def _wait(admin: AIOKafkaAdminClient, pushed: Pushed, wait: Wait) -> tuple[PolicyAnswer, ...]:
    until = time.monotonic() + wait.timeout_seconds
    known: set[str] = set()
    accepted: dict[str, PolicyAnswer] = {}
    async with groupless_consumer(wait.bootstrap, [Topic.POLICY_STATUS]) as consumer:
        while True:
            batches = await consumer.getmany(timeout_ms=POLL_MS)
            for answer in decode_answers(record.value for batch in batches.values() for record in batch):
                known.add(answer.worker)
                if (answer.offset, answer.document_hash) == (pushed.offset, pushed.document_hash):
                    _refuse_rejection(answer)
                    if answer.worker not in accepted:
                        wait.progress(f"{answer.worker} accepted version {pushed.version}")
                    accepted[answer.worker] = answer
            members = await live_members(admin, wait.group)
            missing = None if members is None else missing_workers(members, known, accepted)
            if accepted and missing == []:
                return tuple(accepted[worker] for worker in sorted(accepted))
            if time.monotonic() > until:
                raise GuardError(_late(pushed, accepted, missing or []))


def _refuse_rejection(answer: PolicyAnswer) -> None:
    if not answer.is_accepted:
        raise InputError(f"{answer.worker} rejected version {answer.version}: {'; '.join(answer.why)}")


def _late(pushed: Pushed, accepted: Iterable[str], missing: Sequence[str]) -> str:
    who = ", ".join(missing) if missing else "any worker; is one running?"
    return f"version {pushed.version} lies on {Topic.POLICY} but was not answered in time by {who} (accepted by {len(list(accepted))})"


def missing_workers(members: Sequence[str], known: set[str], accepted: Iterable[str]) -> list[str]:
    """Whom one still has to wait for: members known by name, and a count of those who are not."""
    named = [member for member in members if member in known]
    unnamed = len(members) - len(named)
    others = len(set(accepted) - set(named))
    late = sorted(set(named) - set(accepted))
    return late + ([f"{unnamed - others} more"] if unnamed > others else [])


async def live_members(admin: AIOKafkaAdminClient, group: str) -> list[str] | None:
    """The client ids of the group's members, one for each member; None while the broker cannot tell."""
    try:
        (response,) = await admin.describe_consumer_groups([group])
    except (GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError):
        return None
    return [member[CLIENT_ID] for description in response.groups for member in description[MEMBERS]]
