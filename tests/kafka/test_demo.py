"""The demonstration, once, from its first to its last line."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from guard.cli.demonstration.gateway.envoy import BINARY

ROOT = Path(__file__).parents[2]


def demonstrated(command: str, folder: Path) -> str:
    """What the command prints; it ended well and left nothing in its folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}
    words = [sys.executable, "-m", "guard.cli.main", command, "--seed", "1"]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout[-1_500:] + done.stderr[-1_500:]
    assert not list(folder.iterdir()), "a folder was left behind"
    return done.stdout


def test_the_demonstration_ends_by_itself_with_a_summary_and_leaves_nothing_running(tmp_path):
    """It is the first thing that anybody sees."""
    printed = demonstrated("demo", tmp_path)
    found = re.search(r"Campaigns: (\d) of 3 found", printed)

    assert found
    assert int(found.group(1)) >= 2
    assert "was killed (kill -9)" in printed
    assert "policy version 1" in printed
    assert "blocked: 0" in printed


@pytest.mark.skipif(not BINARY.exists(), reason="there is no Envoy for this machine on the package registry")
def test_the_demonstration_at_a_gateway_shuts_the_fleet_out_and_hinders_nobody_with_and_without_kafka(tmp_path):
    """Every part of it is real: Envoy, the SDKs, Kafka, and the guard's three commands."""
    printed = demonstrated("demo-envoy", tmp_path)
    shut_out = re.search(r"(\d+) of its 40 accounts are shut out", printed)

    assert shut_out
    assert int(shut_out.group(1)) >= 38
    assert "throttled: 0, refused: 0, failed: 0." in printed
    away = re.search(r"honest customers had (\d+) answers,\n  the fleet (\d+);", printed)
    before = re.search(r"shut out after [\d.]+ s and\n  (\d+) answers", printed)
    assert away
    assert before
    assert int(away.group(1)) > 0
    assert 10 * int(away.group(2)) <= int(before.group(1)), "known decisions stay in force"
    assert "the access log is read to its end" in printed
