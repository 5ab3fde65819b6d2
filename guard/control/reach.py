"""What the Kafka client's failures mean to whoever runs a command: out of reach, or not as the contract wants."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.errors import (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from guard.errors import BrokerUnreachableError, ClusterMismatchError

_REFUSALS = (AuthenticationFailedError, ClusterAuthorizationFailedError, GroupAuthorizationFailedError, TopicAuthorizationFailedError)

REQUEST_TIMEOUT_MS = 10_000
"""A broker that does not answer for ten seconds counts as out of reach."""


@contextmanager
def reaching(bootstrap: str) -> Iterator[None]:
    """Turn the client's errors into ours, with the address in the line. Running out of time is one of them (an OSError)."""
    try:
        yield
    except UnknownTopicOrPartitionError as error:
        raise ClusterMismatchError(f"{bootstrap}: {_first_line(error)}; `guard topics create` makes the topics") from error
    except _REFUSALS as error:
        raise ClusterMismatchError(f"{bootstrap}: the cluster refuses: {_first_line(error)}") from error
    except (KafkaError, OSError) as error:
        raise _unreachable(bootstrap, error) from error
    except asyncio.CancelledError as error:
        if _is_wanted():
            raise
        raise _unreachable(bootstrap, error) from error


def _is_wanted() -> bool:
    """Whether somebody has cancelled this task.

    The client awaits work of its own that it cancels when a connection is lost, and so hands a cancellation on that nobody asked for:
    whoever follows a topic would end without a word.
    """
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _unreachable(bootstrap: str, error: BaseException) -> BrokerUnreachableError:
    return BrokerUnreachableError(f"{bootstrap}: no broker answers ({_first_line(error)}); is the address right and Kafka up?")


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
