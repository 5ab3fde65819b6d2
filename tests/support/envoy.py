"""A real Envoy, started from the configuration in deploy/, its addresses put in."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.support.background import free_port

ENVOY = Path(sys.executable).with_name("envoy")
CONFIGURATION = Path(__file__).parents[2] / "deploy" / "envoy" / "envoy.yaml"
READY_SECONDS = 20.0


class Envoy:
    """A running Envoy."""

    def __init__(self, url: str, admin: str, log: Path) -> None:
        self.url, self.admin, self.log = url, admin, log

    def stat(self, name: str) -> int:
        """A counter or gauge by its full name; 0 if there is none yet."""
        found = self._get(f"/stats?format=json&filter=^{name.replace('.', '[.]')}$")
        return sum(one["value"] for one in json.loads(found)["stats"] if "value" in one)

    def access_log(self) -> list[dict[str, Any]]:
        """The requests it has logged, oldest first."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def _get(self, path: str) -> str:
        with urllib.request.urlopen(f"{self.admin}{path}", timeout=5) as answer:
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
    change: Callable[[Any], None] = lambda _: None,
) -> Iterator[Envoy]:
    """Envoy on free ports; `keys` are API keys and the accounts they belong to, `change` alters the configuration."""
    port, admin = free_port(), free_port()
    configuration = _with_addresses(yaml.safe_load(CONFIGURATION.read_text()), (port, admin, model_port, guard_port, ingest_port), keys)
    path, log = folder / "envoy.json", folder / "exchanges.jsonl"
    connection = configuration["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    connection["access_log"][0]["typed_config"]["path"] = str(log)
    change(configuration)
    path.write_text(json.dumps(configuration))
    command = [
        str(ENVOY),
        "-c",
        str(path),
        "--use-dynamic-base-id",
        "--concurrency",
        "1",
        "--log-level",
        "error",
        "--file-flush-interval-msec",
        "50",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        found = Envoy(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{admin}", log)
        _wait(found, process)
        yield found
    finally:
        process.terminate()
        process.wait(20)


def _with_addresses(configuration: Any, ports: tuple[int, ...], keys: dict[str, str]) -> Any:
    port, admin, model_port, guard_port, ingest_port = ports
    configuration["admin"]["address"]["socket_address"]["port_value"] = admin
    resources = configuration["static_resources"]
    listener = resources["listeners"][0]
    listener["address"]["socket_address"]["port_value"] = port
    filters = listener["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"]
    named = {one["name"]: one["typed_config"] for one in filters}
    named["envoy.filters.http.api_key_auth"]["credentials"] = [{"key": key, "client": account} for key, account in keys.items()]
    for name in ("guard.open", "guard.closed"):
        named[name]["http_service"]["server_uri"]["uri"] = f"http://127.0.0.1:{guard_port}"
    named["guard.body"]["http_service"]["server_uri"]["uri"] = f"http://127.0.0.1:{ingest_port}"
    ports_of = {"models": model_port, "guard": guard_port, "ingest": ingest_port}
    for cluster in resources["clusters"]:
        endpoint = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
        endpoint["address"]["socket_address"]["port_value"] = ports_of[cluster["name"]]
    return configuration


def _wait(found: Envoy, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, f"Envoy ended with {process.returncode}"
        try:
            with urllib.request.urlopen(f"{found.admin}/ready", timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("Envoy was not ready in time")
