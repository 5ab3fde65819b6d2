"""A real Envoy with the configuration of deploy/envoy, the addresses and files of one run put in."""

import json
import sys
from pathlib import Path
from typing import Any, Final

import yaml
from msgspec import Struct

from guard.cli.demonstration.processes import Program
from guard.errors import UsageError

BINARY: Final = Path(sys.executable).with_name("envoy")
CONFIGURATION: Final = Path(__file__).parents[4] / "deploy" / "envoy"
FLUSH_MS: Final = 100
"""How long Envoy keeps lines of its log to itself."""
Configuration = dict[str, Any]
"""As in envoy.yaml."""


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
    def admin_url(self) -> str:
        """Where Envoy tells of itself."""
        return f"http://127.0.0.1:{self.admin}"

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


class EnvoyProcess(Program):
    """One Envoy with one worker thread. Writes its configuration into the folder of `places`."""

    def __init__(self, places: Places, configuration: Configuration) -> None:
        path = places.folder / "envoy.json"
        path.write_text(json.dumps(configuration))
        flags = ("--use-dynamic-base-id", "--concurrency", "1", "--log-level", "error", "--file-flush-interval-msec", str(FLUSH_MS))
        super().__init__("Envoy", (str(BINARY), "-c", str(path), *flags), places.folder / "envoy.log")
        self._places = places

    @property
    def ready_url(self) -> str:
        """Of its admin port."""
        return f"{self._places.admin_url}/ready"


def deployed(places: Places) -> Configuration:
    """deploy/envoy/envoy.yaml with the ports and the access log of `places`."""
    found: Configuration = yaml.safe_load((CONFIGURATION / "envoy.yaml").read_text())
    resources = found["static_resources"]
    found["admin"]["address"]["socket_address"]["port_value"] = places.admin
    resources["listeners"][0]["address"]["socket_address"]["port_value"] = places.port
    connection_of(found)["access_log"][0]["typed_config"]["path"] = str(places.log)
    servers = {"guard.open": places.guard, "guard.closed": places.guard, "guard.body": places.ingest}
    for one in connection_of(found)["http_filters"]:
        if one["name"] in servers:
            one["typed_config"]["http_service"]["server_uri"]["uri"] = f"http://127.0.0.1:{servers[one['name']]}"
    ports = {"models": places.models, "guard": places.guard, "ingest": places.ingest}
    for cluster in resources["clusters"]:
        endpoint = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
        endpoint["address"]["socket_address"]["port_value"] = ports[cluster["name"]]
    return found


def with_tokens(configuration: Configuration, keys: Path) -> Configuration:
    """The configuration with tokens in the place of API keys (jwt.yaml), the issuer's keys in a file."""
    tokens = yaml.safe_load((CONFIGURATION / "jwt.yaml").read_text())
    tokens["typed_config"]["providers"]["own"]["local_jwks"]["filename"] = str(keys)
    filters = connection_of(configuration)["http_filters"]
    filters[:] = [tokens if one["name"] == "envoy.filters.http.api_key_auth" else one for one in filters]
    return configuration


def connection_of(configuration: Configuration) -> Configuration:
    """The settings of its one HTTP listener."""
    found: Configuration = configuration["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    return found
