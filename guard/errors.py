"""What can go wrong, by whose fault it is. The exit code of a command is the fault's (contract)."""

from typing import ClassVar


class GuardError(Exception):
    """Our own fault, unless a subclass says otherwise. The message says what, where, and what would be right."""

    exit_code: ClassVar[int] = 1


class UsageError(GuardError):
    """The command line or the environment asks for something that cannot be."""

    exit_code: ClassVar[int] = 2


class InputError(GuardError):
    """A file, event or policy that cannot be used; the message names the line or field."""

    exit_code: ClassVar[int] = 3


class BrokerUnreachableError(GuardError):
    """No Kafka broker answers at the given address, or its parts could not be fetched."""

    exit_code: ClassVar[int] = 4


class ClusterMismatchError(GuardError):
    """The cluster is not as the contract wants: topics, partitions or authorisation."""

    exit_code: ClassVar[int] = 5


class RestartMeError(GuardError):
    """Fenced by a newer owner, or no progress: ending is right, a supervisor starts us again."""

    exit_code: ClassVar[int] = 6


class DecodeError(InputError):
    """Bytes that are no request event; `reason` is one word of a closed list, for the dead letter."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
