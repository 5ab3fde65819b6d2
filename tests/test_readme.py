"""What the README shows is true: its commands exist and run, its decision is a decision."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from guard.decisions.decision import decode_decision

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
COMMANDS = [line for line in README.splitlines() if re.match(r"guard (simulate|replay|fit|convert|topics|run|state|policy) ", line)]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
ON_FILES = [command for command in COMMANDS if command.split()[1] in {"simulate", "replay", "fit", "convert"}]
WITH_BROKER = [command for command in COMMANDS if "--bootstrap" in command]


def _run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    words = command.split()[1:]
    return subprocess.run(
        [sys.executable, "-m", "guard.cli.main", *words],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_commands_on_files_run_one_after_the_other(tmp_path):
    """A newcomer copies them in this order."""
    assert len(ON_FILES) == 7
    for command in ON_FILES:
        done = _run(command, tmp_path)
        assert done.returncode == 0, (command, done.stderr)
        assert done.stdout


def test_the_policy_that_it_lints_is_good():
    """An example that is refused teaches the wrong thing."""
    done = _run("guard policy lint deploy/policy.example.json", ROOT)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", WITH_BROKER)
def test_a_command_that_needs_a_broker_says_so_in_one_line_when_there_is_none(command, tmp_path):
    """The first thing that goes wrong on a new machine."""
    (tmp_path / "policy.json").write_text('{"version": 1, "author": "me", "effective_at": 0}')
    done = _run(command.replace("HOST:PORT", "127.0.0.1:9"), tmp_path)

    assert done.returncode == 4, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    assert [line for line in done.stderr.splitlines() if line.startswith("guard: ")]


def test_the_decision_that_it_shows_is_one():
    """Readers take its fields for the contract's."""
    shown = re.search(r"```json\n(.*?)```", README, re.DOTALL)
    assert shown

    decision = decode_decision(json.dumps(json.loads(shown.group(1))).encode())

    assert decision.members_total == len(decision.members)
