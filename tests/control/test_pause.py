"""The pause decision and the durations that people type."""

import pytest
import typer
from typer.testing import CliRunner

from guard.cli.durations import duration_ms
from guard.cli.pause import resume
from guard.control.pause import pause_decision, resume_decision
from guard.decisions.decision import decode_decision, encode_decision
from guard.errors import UsageError
from guard.units import DAY_MS, HOUR_MS, MINUTE_MS, EventTimeMs

NOW = EventTimeMs(1_000_000)


def test_a_pause_allows_everybody_until_its_end() -> None:
    """The contract's words: scope all, subject *, action allow."""
    decision = pause_decision(NOW, HOUR_MS)

    assert decision.key == b"all:*"
    assert (decision.action, decision.issued_at, decision.expires_at) == ("allow", NOW, NOW + HOUR_MS)
    assert (decision.origin, decision.mode) == ("operator", "enforce")


def test_resume_is_over_as_it_begins() -> None:
    """An `allow` that lasts no time lifts the pause and exempts nobody."""
    decision = resume_decision(NOW)

    assert decision.key == b"all:*"
    assert decision.issued_at == decision.expires_at == NOW


def test_pause_and_resume_have_ids_of_their_own_and_survive_the_wire() -> None:
    """No id with two bodies, also for operators' decisions."""
    pause, resume = pause_decision(NOW, HOUR_MS), resume_decision(NOW)

    assert pause.decision_id != resume.decision_id
    assert decode_decision(encode_decision(pause)) == pause


@pytest.mark.parametrize("for_ms", [0, -1, MINUTE_MS - 1, DAY_MS + 1])
def test_a_pause_lasts_a_minute_to_a_day(for_ms: int) -> None:
    """A pause that nobody ends must end by itself soon enough."""
    with pytest.raises(UsageError, match="between one minute and one day"):
        pause_decision(NOW, for_ms)


@pytest.mark.parametrize(
    ("text", "right_ms"),
    [("90s", 90_000), ("30m", 30 * MINUTE_MS), ("1h", HOUR_MS), ("1h30m", 90 * MINUTE_MS), ("2d", 2 * DAY_MS), ("0s", 0)],
)
def test_durations_read_as_people_write_them(text: str, right_ms: int) -> None:
    """An hour is `1h` everywhere."""
    assert duration_ms(text) == right_ms


@pytest.mark.parametrize("text", ["", "1", "h", "1 h", "-1h", "1.5h", "1H", "1h!", "\u0661h", "1" * 10_000 + "h", "1h\n"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """Better a line about the unit than a pause of a wrong length."""
    with pytest.raises(UsageError, match="it should be like 30m"):
        duration_ms(text)


@pytest.mark.parametrize("address", ["foo", "foo:bar", ":::", "", "a b:1", "h:1,", "h:1;h:2"])
def test_an_address_that_is_none_is_a_usage_error(address: str) -> None:
    """Exit code 2 before anything is tried, not a traceback from the client's parser."""
    app = typer.Typer()
    app.command()(resume)
    result = CliRunner().invoke(app, ["--bootstrap", address])

    assert result.exit_code == 2
    assert "HOST:PORT" in result.output
