"""Control from files, as replay uses it."""

import json
from pathlib import Path

import pytest

from guard.control.files import control_from_files
from guard.decisions.decision import Mode
from guard.errors import InputError
from guard.policy.document import DOCUMENT_BYTES_MAX
from guard.policy.errors import PolicyError
from guard.units import EventTimeMs
from tests.support.policies import document

LABEL = {"label_id": "l", "scope": "account", "subject": "a", "verdict": "certified", "at": 0, "author": "x"}


def test_without_files_the_built_in_policy_holds() -> None:
    """`guard replay FILE` needs nothing else."""
    control = control_from_files(None, None, enforce=True)

    assert control.policies.at(EventTimeMs(0)).modes["account"] is Mode.ENFORCE
    assert not control.labels


def test_policy_and_labels_are_in_force_before_the_first_event(tmp_path: Path) -> None:
    """A replay with fixed control is what the stream is compared with."""
    policy, labels = tmp_path / "policy.json", tmp_path / "labels.jsonl"
    policy.write_bytes(document(version=4))
    labels.write_text(f"{json.dumps(LABEL)}\n\n{json.dumps({**LABEL, 'subject': 'b'})}\n")
    control = control_from_files(policy, labels, enforce=False)

    assert control.policies.at(EventTimeMs(0)).version == 4
    assert [label.subject for label in control.labels.exemptions()] == ["a", "b"]


def test_a_bad_policy_file_is_refused_with_its_name_and_field(tmp_path: Path) -> None:
    """Exit code 3, and the line to correct."""
    policy = tmp_path / "policy.json"
    policy.write_bytes(document(mode="on"))
    with pytest.raises(PolicyError, match=r"policy\.json: mode: 'on'; input should be"):
        control_from_files(policy, None, enforce=False)


def test_a_bad_label_is_refused_with_file_and_line(tmp_path: Path) -> None:
    """Labels decide who is let through: none is guessed."""
    labels = tmp_path / "labels.jsonl"
    labels.write_text(f"{json.dumps(LABEL)}\n{{}}\n")
    with pytest.raises(InputError, match=r"labels\.jsonl:2: label: Object missing required field"):
        control_from_files(None, labels, enforce=False)


def test_files_out_of_reach_or_far_too_large_are_named(tmp_path: Path) -> None:
    """No traceback for a typing error, no gigabyte read for a mix-up."""
    large = tmp_path / "large.json"
    large.write_bytes(b" " * (DOCUMENT_BYTES_MAX + 100))
    with pytest.raises(PolicyError, match="cannot be read"):
        control_from_files(tmp_path / "none", None, enforce=False)
    with pytest.raises(InputError, match="cannot be read"):
        control_from_files(None, tmp_path / "none", enforce=False)
    with pytest.raises(PolicyError, match="at most 262144 are read"):
        control_from_files(large, None, enforce=False)
