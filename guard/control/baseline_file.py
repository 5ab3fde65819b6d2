"""Baseline files on disk: read with every fault named in one line, written whole or not at all."""

from pathlib import Path

from guard.errors import InputError
from guard.scoring.learned.baseline import BASELINE_BYTES_MAX, Baseline, decode_baseline, encode_baseline, models_of


def read_baseline(path: Path) -> Baseline:
    """The baseline in the file; raises InputError that names it."""
    try:
        with path.open("rb") as file:
            content = file.read(BASELINE_BYTES_MAX + 1)
        return decode_baseline(content)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); name a file that `guard fit` wrote") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def starting_models(path: Path | None) -> bytes | None:
    """What every shard without models of its own begins with; None without a file."""
    return None if path is None else models_of(read_baseline(path)).to_bytes()


def write_baseline(path: Path, baseline: Baseline) -> None:
    """Write the file; raises InputError when it cannot be written."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_bytes(encode_baseline(baseline))
        part.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); name a file in a folder that exists") from None
