"""Worlds by seeds by variants: one result file each, several at once, those that are there already left alone."""

import hashlib
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

import guard
from guard.errors import InputError
from guard.evaluation.chance import shuffled
from guard.evaluation.checkpoint import Checkpoint
from guard.evaluation.play import Play
from guard.evaluation.result import RunResult
from guard.evaluation.sources import Source, recording, world
from guard.evaluation.variants import FULL, SHUFFLED
from guard.evaluation.watch import Watch

RUNS_FOLDER: Final = "runs"


class Job(Struct, frozen=True):
    """One run to be made."""

    world: str
    seed: int
    variant: str
    is_closed: bool
    events: Path | None = None
    """Recorded events in place of a world; `truth` beside it."""
    truth: Path | None = None

    @property
    def file(self) -> str:
        """The name of its result."""
        return f"{self.world}-{self.seed}-{self.variant}-{'closed' if self.is_closed else 'open'}.json"

    @property
    def checkpoint(self) -> str:
        """The name of the file in which it is laid aside."""
        return self.file.removesuffix(".json") + ".checkpoint"

    def source(self) -> Source:
        """Where its exchanges come from."""
        return world(self.world, self.seed) if self.events is None or self.truth is None else recording(self.events, self.truth)


def jobs_of(worlds: Sequence[str], seeds: Sequence[int], variants: Sequence[str], *, is_closed: bool) -> list[Job]:
    """Every combination; those that are played, before `shuffled`, which is made from `full`."""
    played = [variant for variant in variants if variant != SHUFFLED]
    if SHUFFLED in variants and FULL not in played:
        played.insert(0, FULL)
    ordered = [*played, *(variant for variant in variants if variant == SHUFFLED)]
    return [Job(name, seed, variant, is_closed) for variant in ordered for name in worlds for seed in seeds]


READERS: Final = frozenset(
    f"evaluation/{name}.py" for name in ("calibration", "figures", "intervals", "metrics", "page", "pairs", "report", "tables", "targets")
) | {"cli/evaluate.py"}
"""What only reads results, beside the rest of the package: none of it says what came of a run."""


@cache
def code() -> str:
    """A hash of the package's sources, but for what reads results: those of another engine are made anew, however they are told of."""
    digest, package = hashlib.sha256(), Path(guard.__file__).parent
    for path in sorted(package.rglob("*.py")):
        if path.relative_to(package).as_posix() not in READERS:
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def make(job: Job, folder: Path | None = None, watch: Watch | None = None) -> RunResult:
    """Play one job to its end; with a folder, from where it was laid aside in it, and laid aside every `CHECKPOINT_S` seconds."""
    watch = Watch() if watch is None else watch
    checkpoint = None if folder is None or job.events is not None else Checkpoint(folder / job.checkpoint, f"{code()} {job.file}")
    play, why = (None, "") if checkpoint is None else checkpoint.load()
    if why:
        watch.say(f"{job.checkpoint} {why}: the run begins anew")
    if play is None:
        play = Play(job.source(), job.variant, is_closed=job.is_closed)
    watch.begin(f"{job.world} {job.seed} {job.variant}", play, checkpoint)
    return _result(job, play.to_end(watch.look), watch.seconds)


def _result(job: Job, play: Play, seconds: float) -> RunResult:
    ledger, peaks = play.ledger, play.peaks
    return RunResult(
        job.world,
        job.seed,
        job.variant,
        job.is_closed,
        code(),
        ledger.events,
        round(seconds, 3),
        ledger.accounts(peaks.of) if peaks is not None else ledger.accounts(),
        ledger.campaigns(),
        ledger.clusters(),
        ledger.false_positives(),
        play.leakage.aucs(),
        peaks.candidates() if peaks is not None else (),
    )


def run(
    jobs: Sequence[Job], out: Path, processes: int = 1, progress: Callable[[Job, int], None] = lambda _job, _left: None
) -> list[RunResult]:
    """The results of all jobs, in their order. `progress` hears of each job that is done, and how many are left.

    Raises UsageError for a world that is none, InputError for a recording or a folder that cannot be used.
    """
    folder = out / RUNS_FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot be made ({error.strerror}); name a folder that may be written to") from None
    played = [job for job in jobs if job.variant != SHUFFLED]
    results = {job: result for job in played if (result := _known(job, folder)) is not None}
    missing = [job for job in played if job not in results]
    for done, (job, result) in enumerate(_made(missing, folder, processes), 1):
        _write(folder / job.file, result)
        (folder / job.checkpoint).unlink(missing_ok=True)
        results[job] = result
        progress(job, len(missing) - done)
    for job in jobs:
        if job.variant == SHUFFLED:
            results[job] = shuffled(results[msgspec.structs.replace(job, variant=FULL)], SHUFFLED)
    return [results[job] for job in jobs]


def _made(jobs: Sequence[Job], folder: Path, processes: int) -> Iterator[tuple[Job, RunResult]]:
    if processes <= 1 or len(jobs) <= 1:
        yield from ((job, make(job, folder)) for job in jobs)
        return
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting: dict[Future[RunResult], Job] = {pool.submit(make, job, folder): job for job in jobs}
        try:
            for future in as_completed(waiting):
                yield waiting[future], future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _known(job: Job, folder: Path) -> RunResult | None:
    """The result of an earlier run with the same code; None when there is none, or a torn one. A recording may have changed: never."""
    if job.events is not None:
        return None
    try:
        result = msgspec.json.decode((folder / job.file).read_bytes(), type=RunResult)
    except (OSError, msgspec.DecodeError):
        return None
    return result if result.code == code() else None


def _write(path: Path, result: RunResult) -> None:
    """Whole or not at all: an interrupted run leaves no half result."""
    unfinished = path.with_suffix(".unfinished")
    try:
        unfinished.write_bytes(msgspec.json.encode(result))
        unfinished.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); name a folder with room that may be written to") from None
