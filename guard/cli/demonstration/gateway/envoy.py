"""A real Envoy with the configuration of deploy/envoy, the addresses and files of this demonstration put in."""

import asyncio
import contextlib
import json
import sys
from pathlib import Path
from typing import Any, Final

import aiohttp
import yaml
from msgspec import Struct

from guard.errors import GuardError, UsageError

BINARY: Final = Path(sys.executable).with_name("envoy")
CONFIGURATION: Final = Path(__file__).parents[4] / "deploy" / "envoy"
READY_SECONDS: Final = 20.0
FLUSH_MS: Final = 100
"""How long Envoy keeps lines of its log to itself."""


class Places(Struct, frozen=True):
    """Ports of 127.0.0.1, and a folder for what Envoy reads and writes."""

    port: int
    admin: int
    models: int
    guard: int
    ingest: int
    folder: Path

    @property
    def url(self) -> str:
        """Where clients call."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """The access log."""
        return self.folder / "exchanges.jsonl"

    @property
    def keys(self) -> Path:
        """The issuer's keys."""
        return self.folder / "jwks.json"


def check() -> None:
    """Raises UsageError where there is no Envoy or no configuration."""
    if not BINARY.exists():
        raise UsageError("there is no Envoy beside this Python; `pip install guard[gateways]` brings one for Linux on x86-64")
    if not CONFIGURATION.is_dir():
        raise UsageError(f"{CONFIGURATION} is not there; this demonstration runs from a checkout")


class EnvoyProcess:
    """One Envoy."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Returns when it listens. Raises GuardError when it does not."""
        path = self._places.folder / "envoy.json"
        path.write_text(json.dumps(_configuration(self._places)))
        flags = ("--use-dynamic-base-id", "--concurrency", "1", "--log-level", "error", "--file-flush-interval-msec", str(FLUSH_MS))
        with (self._places.folder / "envoy.log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(str(BINARY), "-c", str(path), *flags, stdout=log, stderr=log)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READY_SECONDS), aiohttp.ClientSession() as session:
                while self._process.returncode is None:
                    if await _is_ready(session, self._places.admin):
                        return
                    await asyncio.sleep(0.1)
        lines = (self._places.folder / "envoy.log").read_text(errors="replace").splitlines()
        raise GuardError(f"Envoy did not become ready: {lines[-1][:300] if lines else 'no word'}")

    async def end(self) -> None:
        """SIGTERM, and wait."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()


async def _is_ready(session: aiohttp.ClientSession, admin: int) -> bool:
    try:
        async with session.get(f"http://127.0.0.1:{admin}/ready") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


def _configuration(places: Places) -> dict[str, Any]:
    """deploy/envoy/envoy.yaml with tokens in the place of API keys."""
    found: dict[str, Any] = yaml.safe_load((CONFIGURATION / "envoy.yaml").read_text())
    tokens = yaml.safe_load((CONFIGURATION / "jwt.yaml").read_text())
    tokens["typed_config"]["providers"]["own"]["local_jwks"]["filename"] = str(places.keys)
    resources = found["static_resources"]
    connection = resources["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    connection["access_log"][0]["typed_config"]["path"] = str(places.log)
    filters = connection["http_filters"]
    filters[:] = [tokens if one["name"] == "envoy.filters.http.api_key_auth" else one for one in filters]
    servers = {"guard.open": places.guard, "guard.closed": places.guard, "guard.body": places.ingest}
    for one in filters:
        if one["name"] in servers:
            one["typed_config"]["http_service"]["server_uri"]["uri"] = f"http://127.0.0.1:{servers[one['name']]}"
    found["admin"]["address"]["socket_address"]["port_value"] = places.admin
    resources["listeners"][0]["address"]["socket_address"]["port_value"] = places.port
    ports = {"models": places.models, "guard": places.guard, "ingest": places.ingest}
    for cluster in resources["clusters"]:
        endpoint = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
        endpoint["address"]["socket_address"]["port_value"] = ports[cluster["name"]]
    return found
