"""The jars of the embedded broker: pinned by version and SHA-256, fetched once, verified at every start."""

import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from guard.errors import BrokerUnreachableError

KAFKA_VERSION: Final = "4.1.0"
LIST: Final = Path(__file__).with_name("jars.txt")

TRIES_MAX: Final = 3
PAUSE_SECONDS: Final = 1.0
"""Between two tries of one jar."""
TIMEOUT_SECONDS: Final = 30
"""Without a byte for this long, a try has failed."""
PARALLEL: Final = 6
"""Jars fetched at a time: more only wait for each other (44 MB in all)."""

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Jar:
    """One pinned file of a Maven repository."""

    group: str
    artifact: str
    version: str
    sha256: str

    def __str__(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"

    def path(self, folder: Path) -> Path:
        """Where it lies below `folder`."""
        return folder / f"{self.artifact}-{self.version}.jar"


def cache_folder() -> Path:
    """Where fetched files are kept: `GUARD_CACHE`, else `XDG_CACHE_HOME`/guard, else ~/.cache/guard."""
    if chosen := os.environ.get("GUARD_CACHE"):
        return Path(chosen).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser().absolute() / "guard"


def pinned() -> list[Jar]:
    """The jars of the list, in its order."""
    lines = LIST.read_text(encoding="utf-8").splitlines()
    return [_jar(*line.split()) for line in lines if not line.startswith("#")]


def _jar(coordinate: str, sha256: str) -> Jar:
    group, artifact, version = coordinate.split(":")
    return Jar(group, artifact, version, sha256)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: several processes starting together fetch and prepare once."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w", encoding="utf-8")
    except OSError as error:
        raise BrokerUnreachableError(f"cache {folder}: {error.strerror}; GUARD_CACHE should name a folder that can be written") from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def fetched(cache: Path, progress: Progress, jars: list[Jar] | None = None) -> list[Path]:
    """The verified jars, in the list's order; those missing or spoilt are fetched first. About 0.1 s when all are there.

    Raises `BrokerUnreachableError` naming the jar and the cause. The caller holds the cache's lock (`alone`).
    """
    wanted = pinned() if jars is None else jars
    folder = cache / f"kafka-{KAFKA_VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    missing = [jar for jar in wanted if not _is_sound(jar.path(folder), jar)]
    if missing:
        _fetch_all(missing, folder, progress)
    return [jar.path(folder) for jar in wanted]


def _fetch_all(jars: list[Jar], folder: Path, progress: Progress) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as scratch, ThreadPoolExecutor(PARALLEL) as pool:
        under_way = [pool.submit(_fetch, jar, folder, Path(scratch)) for jar in jars]
        try:
            for done, future in enumerate(as_completed(under_way), 1):
                future.result()
                progress(f"fetching Kafka {KAFKA_VERSION}: {done} of {len(jars)} jars")
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _fetch(jar: Jar, folder: Path, scratch: Path) -> None:
    cause = ""
    for attempt in range(TRIES_MAX):
        if attempt:
            time.sleep(PAUSE_SECONDS)
        try:
            found = _download(jar, scratch / f"{jar.artifact}-{attempt}")
        except (OSError, RuntimeError) as error:  # requests' errors are OSErrors, jgo's are RuntimeErrors
            cause = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            continue
        if _is_sound(found, jar):
            found.replace(jar.path(folder))
            return
        cause = "its SHA-256 is not the pinned one"
    raise BrokerUnreachableError(
        f"Kafka's jar {jar} could not be fetched in {TRIES_MAX} tries ({cause}); it needs the network once, or --bootstrap a cluster"
    )


def _download(jar: Jar, scratch: Path) -> Path:
    from jgo.maven import MavenContext  # noqa: PLC0415 - takes 0.2 s, and only the first start needs it

    mirror = os.environ.get("GUARD_MAVEN")
    repositories = {"mirror": mirror.rstrip("/")} if mirror else None
    context = MavenContext(repo_cache=scratch, remote_repos=repositories, timeout=TIMEOUT_SECONDS)
    return Path(context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve())


def _is_sound(path: Path, jar: Jar) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256
    except OSError:
        return False
