"""An alert that names a metric nobody exports is silent for ever: the files are checked against the registry, and by promtool."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from guard.engine.stage import Outcome
from guard.metrics import SERIES_MAX, ControlCollector, Instruments, MetricsObserver
from guard.streaming.observer import FlushReport, LaneReport
from guard.streaming.stages import StageKind
from tests.support.events import T0, open_control

yaml = pytest.importorskip("yaml", reason="PyYAML reads the files of deploy/")

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian package prometheus)")
ALERTS = {"GuardStalled", "GuardLag", "GuardPolicyRejected", "GuardDeadLetters", "GuardFailOpen"}


class Follower:
    """What the control follower shows."""

    control = open_control()
    tallies: dict[str, int] = {}  # noqa: RUF012


@pytest.fixture
def exposition() -> str:
    """A scrape of a worker that has done a little of everything."""
    registry = CollectorRegistry()
    registry.register(ControlCollector(Follower()))
    observer = MetricsObserver(Instruments(registry))
    tallies = {"events.judged": 5, "invalid.asn": 1, "models.learned": 1}
    observer.flushed(FlushReport(0, (LaneReport(StageKind.ACCOUNTS, Outcome([], [], [], tallies), 5, T0, T0, T0),), 0.01, T0))
    return generate_latest(registry).decode()


def alerts() -> list[dict]:
    """The rules, as they are deployed."""
    (group,) = yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"]
    return group["rules"]


def promtool(*arguments: str, text: str | None = None) -> subprocess.CompletedProcess:
    assert PROMTOOL is not None
    return subprocess.run([PROMTOOL, *arguments], input=text, capture_output=True, text=True, timeout=60, check=False)


def test_every_metric_in_an_alert_is_exported(exposition):
    """A renamed metric would leave its alert without a voice."""
    exported = set(re.findall(r"^(guard_\w+)[ {]", exposition, re.MULTILINE))
    named = {name for alert in alerts() for name in re.findall(r"guard_\w+", alert["expr"])}

    assert len(named) >= 5
    assert named <= exported


def test_every_label_value_in_an_alert_is_one_that_occurs(exposition):
    """A result that no counter knows matches nothing, and an alert on nothing never fires."""
    exported = set(re.findall(r'result="(\w+)"', exposition))
    named = {value for alert in alerts() for values in re.findall(r'result=~?"([^"]+)"', alert["expr"]) for value in values.split("|")}

    assert named == {"judged", "duplicate", "dead_letter", "refused"}
    assert named <= exported


def test_there_are_five_alerts_and_each_says_what_why_and_what_to_do():
    """Whoever is woken knows nothing of this program yet."""
    assert {alert["alert"] for alert in alerts()} == ALERTS
    for alert in alerts():
        assert set(alert["annotations"]) == {"summary", "description", "runbook"}
        assert alert["labels"]["severity"] in {"page", "ticket"}
        assert alert["annotations"]["runbook"].startswith("README.md#runbook-")


@pytest.mark.skipif(not (ROOT / "README.md").exists(), reason="there is no README.md to look runbooks up in")
def test_every_runbook_is_a_heading_of_the_readme():
    """A link into nothing at three in the morning is worse than none."""
    headings = re.findall(r"^#+ (.+)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}

    assert {alert["annotations"]["runbook"].partition("#")[2] for alert in alerts()} <= anchors


def test_the_scrape_allows_what_a_worker_has_and_little_more():
    """A limit below the worker's own bound would drop whole scrapes; one far above would be none."""
    (job,) = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())["scrape_configs"]

    assert job["job_name"] == "guard"
    assert SERIES_MAX <= job["sample_limit"] <= 2 * SERIES_MAX


@needs_promtool
def test_promtool_accepts_the_configuration_and_the_rules():
    """Prometheus does not start with a file that it cannot read."""
    checked = [promtool("check", kind, str(DEPLOY / file)) for kind, file in (("config", "prometheus.yml"), ("rules", "alerts.yml"))]

    assert [(result.returncode, result.stderr) for result in checked] == [(0, ""), (0, "")]


@needs_promtool
def test_each_alert_fires_and_stays_silent_as_its_own_tests_say():
    """An alert is code: it has examples of both kinds."""
    result = promtool("test", "rules", str(DEPLOY / "alerts_test.yml"))

    assert result.returncode == 0, result.stdout + result.stderr


def test_each_alert_has_an_example():
    """The examples run only where promtool is; that they exist is checked everywhere."""
    named = set(re.findall(r"Guard\w+", (DEPLOY / "alerts_test.yml").read_text()))

    assert named == ALERTS


@needs_promtool
def test_promtool_finds_nothing_amiss_in_the_metrics(exposition):
    """Names, units and help texts keep to Prometheus' own conventions."""
    result = promtool("check", "metrics", text=exposition)

    assert (result.returncode, result.stdout + result.stderr) == (0, "")
