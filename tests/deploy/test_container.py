"""The container files are not run here: what can be known without a container runtime is checked, so that they do not rot."""

import re
from pathlib import Path

import pytest
import typer

from guard.config import WorkerConfig, variable

yaml = pytest.importorskip("yaml", reason="PyYAML reads the files of deploy/")

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
PINNED = re.compile(r"[\w/-]+:v?\d+\.\d+\.\d+(-[\w-]+)?")
OUR_IMAGE = "guard"


def instructions() -> list[tuple[str, str]]:
    """Instruction and argument of every line of the container file."""
    text = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ")
    parts = [line.strip().partition(" ") for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(name, argument) for name, _, argument in parts]


def arguments(name: str) -> list[str]:
    return [argument for instruction, argument in instructions() if instruction == name]


def compose() -> dict:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def test_the_image_runs_as_nobody_special():
    """A number, since a cluster cannot tell from a name whether it is root."""
    user = arguments("USER")[-1]

    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    assert [name for name, _ in instructions()].index("USER") < [name for name, _ in instructions()].index("ENTRYPOINT")


def test_every_base_image_is_pinned():
    """`latest` is another program every week."""
    images = arguments("FROM") + [service["image"] for service in compose()["services"].values() if service["image"] != OUR_IMAGE]

    assert len(images) == 3
    assert all(PINNED.fullmatch(image) for image in images)


def test_nothing_is_installed_without_its_hash():
    """The lock file protects only what is installed by it."""
    installs = [argument for argument in arguments("RUN") if "install" in argument]

    assert len(installs) == 1
    assert "--require-hashes" in installs[0]
    assert "requirements.txt" in installs[0]


def test_the_image_copies_what_exists_and_what_its_ignore_file_lets_through():
    """A build that fails on a missing path is noticed only by whoever builds."""
    sources = [argument.split()[0] for argument in arguments("COPY")]
    allowed = {line[1:] for line in (DEPLOY / "Containerfile.dockerignore").read_text().splitlines() if line.startswith("!")}

    assert sources
    assert set(sources) == allowed
    assert all((ROOT / source).exists() for source in sources)


def test_our_services_have_no_privilege_and_write_nothing():
    """State lives in Kafka: a worker needs no disk and no capability."""
    ours = [service for service in compose()["services"].values() if service["image"] == OUR_IMAGE]

    assert len(ours) == 2
    assert all(service["read_only"] and service["cap_drop"] == ["ALL"] for service in ours)
    assert all("ports" not in service for service in ours)


def test_published_ports_are_local():
    """A laptop in a café has neighbours."""
    ports = [port for service in compose()["services"].values() for port in service.get("ports", [])]

    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_every_setting_of_a_service_is_one_that_a_worker_reads():
    """A misspelt variable is silently the default."""
    known = {variable(setting) for setting in WorkerConfig.__struct_fields__}
    set_here = {name for service in compose()["services"].values() for name in service.get("environment", {}) if name.startswith("GUARD_")}

    assert {"GUARD_BOOTSTRAP", "GUARD_METRICS_HOST"} <= set_here <= known


def test_prometheus_scrapes_the_workers_where_they_listen():
    """Three files have to agree on a port and a name."""
    (job,) = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())["scrape_configs"]
    (target,) = job["dns_sd_configs"]
    (name,) = target["names"]
    worker = compose()["services"][name]

    assert worker["environment"]["GUARD_METRICS_PORT"] == str(target["port"])
    assert f":{target['port']}/healthz" in worker["healthcheck"]["test"][-1]


def test_files_that_are_mounted_exist():
    """A missing file is mounted as an empty folder, and the service behind it fails in its own words."""
    mounts = [mount.split(":")[0] for service in compose()["services"].values() for mount in service.get("volumes", [])]
    files = [mount for mount in mounts if mount.startswith("./")]

    assert len(files) == 2
    assert all((DEPLOY / file).is_file() for file in files)


def test_every_command_is_one_of_the_command_line():
    """The files speak of commands; a renamed one would be found out only in production."""
    main = pytest.importorskip("guard.cli.main", exc_type=ImportError)
    top = typer.main.get_command(main.command_line())
    commands = [service["command"] for service in compose()["services"].values() if service["image"] == OUR_IMAGE]
    commands += [re.findall(r'"([^"]+)"', argument) for argument in arguments("CMD")]

    assert sorted(commands) == [["run"], ["run"], ["topics", "create"]]
    for command in commands:
        found = top
        for word in command:
            found = found.commands[word]
        assert found.callback is not None
