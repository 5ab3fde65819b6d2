"""The same seed gives the same bytes in another process with another hash seed, labels and truths included."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path


def _digests(folder: Path, hash_seed: str) -> list[str]:
    command = [sys.executable, "-m", "guard.cli.main", "simulate", "--out", str(folder), "--world", "small", "--seed", "9"]
    families = ["--attacks", "all", "--negatives", "all", "--end", "1790000000000"]
    subprocess.run([*command, *families], check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": hash_seed})
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())]


def test_every_file_of_a_world_is_the_same_whatever_the_hash_seed(tmp_path: Path) -> None:
    """Sets and dictionaries must not decide what happens."""
    first, second = _digests(tmp_path / "a", "1"), _digests(tmp_path / "b", "77")

    assert len(first) == 3
    assert first == second
