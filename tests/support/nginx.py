"""A real nginx, started from the configuration in deploy/, its addresses and paths put in."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import requests

from tests.support.background import free_port

NGINX: Final = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
CONFIGURATION: Final = Path(__file__).parents[2] / "deploy" / "nginx" / "guard.conf"
READY_SECONDS: Final = 10.0


class Nginx:
    """A running nginx: where it listens, and its access log."""

    def __init__(self, url: str, log: Path) -> None:
        self.url, self.log = url, log


@contextmanager
def nginx(folder: Path, model_port: int, guard_port: int, ingest_port: int, keys: dict[str, str]) -> Iterator[Nginx]:
    """One on a free port; `keys` are API keys and the accounts they belong to."""
    port = free_port()
    accounts = "".join(f'"Bearer {key}" {account}; {key} {account};' for key, account in keys.items())
    text = CONFIGURATION.read_text()
    for written, used in {
        "127.0.0.1:10001": f"127.0.0.1:{port}", "127.0.0.1:8000": f"127.0.0.1:{model_port}", "127.0.0.1:9470": f"127.0.0.1:{guard_port}",
        "127.0.0.1:9471": f"127.0.0.1:{ingest_port}", "/var/log/nginx/": f"{folder}/", "/run/nginx-guard.pid": f"{folder}/nginx.pid",
        '"Bearer example-key" example-account;': accounts, "example-key example-account;": "",
    }.items():  # fmt: skip
        assert written in text, written
        text = text.replace(written, used)
    path = folder / "nginx.conf"
    path.write_text(text)
    command = [str(NGINX), "-p", str(folder), "-c", str(path), "-e", str(folder / "start.log"), "-g", "daemon off;"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(f"http://127.0.0.1:{port}", process, folder)
        yield Nginx(f"http://127.0.0.1:{port}", folder / "exchanges.jsonl")
    finally:
        process.terminate()
        process.wait(20)


def _wait(url: str, process: subprocess.Popen[bytes], folder: Path) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, (folder / "start.log").read_text()[-500:]
        try:
            requests.get(url, timeout=1)
        except requests.RequestException:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("nginx was not ready in time")
