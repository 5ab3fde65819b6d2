"""The demonstration, once, from its first to its last line."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_demonstration_ends_by_itself_with_a_summary_and_leaves_nothing_running(tmp_path):
    """It is the first thing that anybody sees."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "guard.cli.main", "demo", "--seed", "1"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout[-1_500:] + done.stderr[-1_500:]
    found = re.search(r"Campaigns: (\d) of 3 found", done.stdout)

    assert found
    assert int(found.group(1)) >= 2
    assert "was killed (kill -9)" in done.stdout
    assert "policy version 1" in done.stdout
    assert "blocked: 0" in done.stdout
    assert not list(tmp_path.iterdir()), "a folder was left behind"
