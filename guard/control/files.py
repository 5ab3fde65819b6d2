"""Control from files, for replay: one policy document, labels as JSON Lines, fixed before the first event."""

from pathlib import Path

from guard.control.board import opening_control
from guard.control.labels_push import label_records
from guard.engine.control import Control
from guard.engine.watchlist import WatchList
from guard.errors import InputError
from guard.policy.document import DOCUMENT_BYTES_MAX
from guard.policy.errors import PolicyError
from guard.policy.labels import LabelBook
from guard.policy.schedule import PolicySchedule
from guard.policy.signature import UNSIGNED, KeyRing


def control_from_files(policy: Path | None, labels: Path | None, *, enforce: bool, keys: KeyRing = UNSIGNED) -> Control:
    """The control that the files describe; raises InputError with file and line, PolicyError with one line for each fault."""
    opening = opening_control(enforce=enforce, keys=keys)
    policies = opening.policies if policy is None else _policies(opening.policies, policy)
    book = LabelBook.empty() if labels is None else _labels(labels)
    return Control(policies, book, WatchList.empty())


def _policies(opening: PolicySchedule, path: Path) -> PolicySchedule:
    try:
        return opening.with_document(read_policy_file(path))
    except PolicyError as error:
        raise PolicyError([f"{path}: {line}" for line in error.lines], error.version) from None


def read_policy_file(path: Path) -> bytes:
    """The bytes of a policy file; raises PolicyError when it is out of reach or too large."""
    try:
        with path.open("rb") as file:
            value = file.read(DOCUMENT_BYTES_MAX + 1)
    except OSError as error:
        raise PolicyError([f"document: cannot be read ({error.strerror}); it should be a JSON file"]) from None
    return value


def _labels(path: Path) -> LabelBook:
    book, refused = LabelBook.empty().with_records(label_records(path))
    if refused:
        raise InputError(f"{path}: {refused[0]}")
    return book
