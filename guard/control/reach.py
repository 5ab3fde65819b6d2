"""What the Kafka client's failures mean to whoever runs a command: out of reach, or not as the contract wants."""

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
        raise BrokerUnreachableError(
            f"{bootstrap}: no broker answers ({_first_line(error)}); is the address right and Kafka up?"
        ) from error


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
