"""`guard ingest` as whoever starts it meets it: each mistake is one line."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.support.background import free_port
from tests.support.ingest import NOWHERE
from tests.support.ingest_process import SECRET, ingesting

MISTAKES = {
    "no key": ([], {"GUARD_HASH_KEY": ""}, "GUARD_HASH_KEY is not set; it should be NAME:HEX"),
    "no hex": ([], {"GUARD_HASH_KEY": "k1:secret-of-mine"}, "GUARD_HASH_KEY: it should be NAME:HEX"),
    "short key": ([], {"GUARD_HASH_KEY": "k1:abcd"}, "key k1: 2 bytes; it should have at least 16"),
    "same name": ([], {"GUARD_HASH_KEY_PREVIOUS": f"k1:{'64' * 32}"}, "both keys are called k1; the previous one should have another name"),
    "port": (["--port", "70000"], {}, "port 70000: it should be 0 to 65535"),
    "certificate": (["--tls-key", "k.pem"], {}, "--tls-certificate and --tls-key: give both or none"),
    "spool is a file": (["--spool", "{folder}/file"], {}, "name a folder to write to"),
    "spool below a file": (["--spool", "{folder}/file/below"], {}, "name a folder to write to"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_wrong_settings_are_one_line_and_show_no_secret(mistake: str, tmp_path: Path) -> None:
    """It is read in a container's log, by somebody in a hurry."""
    flags, environment, line = MISTAKES[mistake]
    (tmp_path / "file").write_text("x")
    command = [sys.executable, "-m", "guard.cli.main", "ingest", "--bootstrap", NOWHERE, "--metrics-port", "0", "--port", "0"]
    command += [flag.format(folder=tmp_path) for flag in flags]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "GUARD_HASH_KEY": SECRET, **environment}
    )

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("guard: ")
    assert line in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert "secret-of-mine" not in done.stderr


def test_a_port_or_spool_that_another_has_is_one_line(tmp_path: Path) -> None:
    """Two of them on one machine is the usual mistake of an upgrade."""
    with ingesting(NOWHERE, tmp_path) as process:
        command = [sys.executable, "-m", "guard.cli.main", "ingest", "--bootstrap", NOWHERE, "--metrics-port", "0", "--port"]
        environment = {**os.environ, "GUARD_HASH_KEY": SECRET}
        taken = [
            subprocess.run([*command, *more], capture_output=True, text=True, timeout=60, check=False, env=environment)
            for more in ([str(process._port)], ["0", "--spool", str(tmp_path / "spool")])
        ]

    assert [done.returncode for done in taken] == [2, 2]
    assert "give another host or port" in taken[0].stderr.splitlines()[-1]
    assert "another process has it" in taken[1].stderr.splitlines()[-1]
    assert "Traceback" not in taken[0].stderr + taken[1].stderr


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate")
def test_it_speaks_tls_when_it_is_given_a_certificate(tmp_path: Path) -> None:
    """Events cross a network in the clear otherwise."""
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost", "-days", "1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True,
    )  # fmt: skip
    port = free_port()
    command = [sys.executable, "-m", "guard.cli.main", "ingest", "--bootstrap", NOWHERE, "--metrics-port", "0", "--port", str(port)]
    command += ["--tls-certificate", str(certificate), "--tls-key", str(key), "--spool", str(tmp_path / "spool")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "GUARD_HASH_KEY": SECRET}) as process:
        try:
            assert process.stderr is not None
            listening = next(line for line in process.stderr if line.startswith("send to "))
            answer = requests.post(f"https://127.0.0.1:{port}/events", data=b"{}", verify=str(certificate), timeout=10)
        finally:
            process.kill()

    assert listening == f"send to https://127.0.0.1:{port}/events, /exchanges or /litellm\n"
    assert answer.status_code == 422
