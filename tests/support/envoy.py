"""A real Envoy, started from the configuration in deploy/, its addresses put in."""

import json
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from guard.cli.demonstration.gateway.envoy import BINARY as ENVOY
from guard.cli.demonstration.gateway.envoy import Places, connection_of, deployed
from tests.support.background import free_port

READY_SECONDS = 20.0
FLUSH_MS = 50


class Envoy:
    """A running Envoy."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self.url, self.log = places.url, places.log

    def stat(self, name: str) -> int:
        """A counter or gauge by its full name; 0 if there is none yet."""
        found = self._get(f"/stats?format=json&filter=^{name.replace('.', '[.]')}$")
        return sum(one["value"] for one in json.loads(found)["stats"] if "value" in one)

    def access_log(self) -> list[dict[str, Any]]:
        """The requests it has logged, oldest first."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def is_ready(self) -> bool:
        """Whether it serves."""
        try:
            self._get("/ready")
        except OSError:
            return False
        return True

    def _get(self, path: str) -> str:
        with urllib.request.urlopen(f"{self._places.admin_url}{path}", timeout=5) as answer:
            text: str = answer.read().decode()
            return text


@contextmanager
def envoy(
    folder: Path,
    model_port: int,
    guard_port: int,
    keys: dict[str, str],
    *,
    ingest_port: int = 9,
    change: Callable[[Any], object] = lambda _: None,
) -> Iterator[Envoy]:
    """Envoy on free ports; `keys` are API keys and the accounts they belong to, `change` alters the configuration."""
    places = Places(free_port(), free_port(), model_port, guard_port, ingest_port, folder)
    configuration = deployed(places)
    named = {one["name"]: one["typed_config"] for one in connection_of(configuration)["http_filters"]}
    named["envoy.filters.http.api_key_auth"]["credentials"] = [{"key": key, "client": account} for key, account in keys.items()]
    change(configuration)
    path = folder / "envoy.json"
    path.write_text(json.dumps(configuration))
    flags = ("--use-dynamic-base-id", "--concurrency", "1", "--log-level", "error", "--file-flush-interval-msec", str(FLUSH_MS))
    process = subprocess.Popen([str(ENVOY), "-c", str(path), *flags], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        found = Envoy(places)
        _wait(found, process)
        yield found
    finally:
        process.terminate()
        process.wait(20)


def _wait(found: Envoy, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + READY_SECONDS
    while not found.is_ready():
        assert process.poll() is None, f"Envoy ended with {process.returncode}"
        assert time.monotonic() < until, "Envoy was not ready in time"
        time.sleep(0.05)
