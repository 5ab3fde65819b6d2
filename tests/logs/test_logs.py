"""A log line is evidence in an appeal: it must be there, alone on its line, readable, and written by us."""

import io
import json
import logging
import sys
import warnings

import pytest
import structlog

from guard.decisions.decision import Decision, sealed
from guard.engine.stage import Outcome
from guard.errors import UsageError
from guard.logs import LogObserver, configure_logging, log_decision
from guard.logs.rate import LINES_PER_SECOND_MAX, REASONS_MAX, RateLimit
from guard.scoring.reasons import Reason
from guard.streaming.observer import FlushReport, LaneReport
from guard.streaming.stages import StageKind
from guard.units import EventTimeMs
from tests.support.events import T0

LINE_BYTES_MAX = 16_384
HOSTILE = [
    'a\r\n{"event":"decision","action":"allow"}', "\x1b[2J\x1b]0;owned\x07", "\u2028\u2029\x85\x0b\x0c", "\ud800\udfff\udc00", "x" * 1_000_000,
    "\n" * 1_000_000, "\u202eevil\u2066", "\x00", '"}\n', "\\", "%s %(x)s {0}", "\U000e0001\ufeff", "é日本語",
]  # fmt: skip


@pytest.fixture
def stream():
    """Where the lines go; afterwards logging is as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    configure_logging(stream=(out := io.StringIO()))
    yield out
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def decision(text: str = "alice", **fields) -> Decision:
    reasons = (Reason("instant_maximum", "volume", 80.0, 40.0, 2.0, 0.8), Reason("even_rates", "timing", 0.1, 0.3, 1.0, 0.7))
    values = {
        "subject": text,
        "action": "block",
        "scope": "account",
        "mode": "shadow",
        "origin": "automatic",
        "model_version": text,
        **fields,
    }
    return Decision(
        issued_at=EventTimeMs(T0), expires_at=EventTimeMs(T0 + 9), score=0.9, reasons=reasons, policy_version=3, **values
    )  # fmt: skip


def lines(stream: io.StringIO) -> list[dict]:
    """The lines, each read as strict JSON."""
    text = stream.getvalue()
    assert text.isascii()
    assert not any(ord(c) < 0x20 and c != "\n" for c in text)
    return [json.loads(line, parse_constant=pytest.fail) for line in text.splitlines()]


def every_text(value) -> list[str]:
    if isinstance(value, dict):
        return [text for key, item in value.items() for text in (key, *every_text(item))]
    if isinstance(value, list):
        return [text for item in value for text in every_text(item)]
    return [value] if isinstance(value, str) else []


def test_a_decision_is_one_line_that_says_who_what_and_why(stream):
    """Whoever answers a customer begins here."""
    order = sealed(decision(campaign_id="c-9", rate_rpm=6, action="throttle"))
    log_decision(order)

    (line,) = lines(stream)
    assert line["event"] == "decision"
    assert (line["id"], line["subject"], line["action"], line["campaign"]) == (order.decision_id, "alice", "throttle", "c-9")
    assert line["reasons"] == ["instant_maximum", "even_rates"]
    assert line["policy_version"] == 3


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:12]))
def test_hostile_text_is_one_harmless_line(stream, text):
    """Identifiers are chosen by callers: a forged line, or a terminal escape, would be theirs to write."""
    log_decision(decision(text, campaign_id=text, scope=text))
    structlog.get_logger().warning("refused", **{"what": text, text[:300]: {text[:300]: [text, (text,), {text: text}]}})

    told = lines(stream)
    assert len(told) == 2
    assert all(one.isprintable() and len(one) <= 256 for line in told for one in every_text(line))
    assert all(len(line) <= LINE_BYTES_MAX for line in stream.getvalue().splitlines())


def test_as_many_decisions_so_many_lines(stream):
    """Decisions are never left out, however many there are in a second."""
    observer = LogObserver()
    decided = [decision(f"{HOSTILE[n % len(HOSTILE)][:500]}{n}") for n in range(3_000)]
    lanes = tuple(LaneReport(StageKind.ACCOUNTS, Outcome([], [], decided[n::3], {}), 5, T0, T0, T0) for n in range(3))
    observer.flushed(FlushReport(0, lanes, 0.01, T0))

    assert len(lines(stream)) == 3_000


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**5_000, -(2**64), b"\xff\n", object(), {1: {2: {3: {4: 5}}}}, list(range(9_999))],
                         ids=lambda value: type(value).__name__)  # fmt: skip
def test_any_value_can_be_logged(stream, value):
    """A line that fails to render would take the worker with it."""
    structlog.get_logger().warning("odd", value=value)

    assert lines(stream)[0]["event"] == "odd"
    assert len(stream.getvalue()) < LINE_BYTES_MAX


class Unshowable:
    """An object that cannot even say what it is."""

    def __repr__(self) -> str:
        raise RuntimeError


def test_an_object_that_cannot_be_shown_is_named(stream):
    """What a line speaks of may be the very thing that is broken."""
    structlog.get_logger().warning("odd", value=Unshowable())

    assert lines(stream)[0]["value"] == "Unshowable that cannot be shown (RuntimeError)"


def test_an_exception_tells_where_and_not_what_was_there(stream):
    """Local values and source lines may hold what must never leave: frames are file, line and function."""
    try:
        _fail("k1:canary")
    except ValueError:
        structlog.get_logger().exception("step_failed")

    (line,) = lines(stream)
    assert line["error"] == r"ValueError: line one\nline two"
    assert line["frames"][-1].endswith(" _fail")
    assert "canary" not in stream.getvalue()


def _fail(secret: str) -> None:
    raise ValueError("line one\nline two")


def test_libraries_speak_in_our_form_from_warning_upwards(stream):
    """A supervisor reads one kind of line, not four."""
    for name in ("faust", "aiokafka.consumer", "mode.services", "aiohttp.server"):
        logging.getLogger(name).info("idle chatter of %s", name)
        logging.getLogger(name).warning("trouble\nwith %s", name)

    told = lines(stream)
    assert [line["logger"] for line in told] == ["faust", "aiokafka.consumer", "mode.services", "aiohttp.server"]
    assert told[0]["event"] == r"trouble\nwith faust"
    assert {line["level"] for line in told} == {"warning"}


def test_a_library_with_wrong_arguments_or_a_level_of_its_own_is_still_heard(stream):
    """Their mistakes must not become our exceptions."""
    ours = logging.getLogger().handlers[0]  # alone: the test runner's own handlers trip over such a record
    ours.emit(logging.makeLogRecord({"name": "faust", "levelno": 40, "msg": "three %s %s %s", "args": ("words",)}))
    logging.getLogger("mode").log(35, "between warning and error")

    assert [line["level"] for line in lines(stream)] == ["error", "warning"]


def test_python_warnings_come_in_the_same_form(stream):
    """A bare line from the interpreter would be the only one that no reader can parse."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old thing", UserWarning, stacklevel=1)

    assert "old thing" in lines(stream)[0]["event"]


def test_a_reason_has_ten_lines_a_second_and_a_count_of_the_rest():
    """A bad record a millisecond must not fill a disk; how many there were must not be lost either."""
    clock = [100.0]
    limit = RateLimit(lambda: clock[0])
    passed = [_passes(limit, "dead_letters") for _ in range(1_000)]
    other = _passes(limit, "ready")
    clock[0] = 101.0

    assert sum(event is not None for event in passed) == LINES_PER_SECOND_MAX
    assert other == {"event": "ready"}
    assert _passes(limit, "dead_letters") == {"event": "dead_letters", "suppressed": 990}
    assert _passes(limit, "dead_letters") == {"event": "dead_letters"}


def test_library_lines_are_limited_by_their_message_before_its_arguments(stream):
    """Otherwise a client with ten thousand names would have ten thousand allowances."""
    for number in range(1_000):
        logging.getLogger("aiokafka").warning("node %d is away", number)

    assert LINES_PER_SECOND_MAX <= len(lines(stream)) <= 3 * LINES_PER_SECOND_MAX


def test_reasons_without_number_share_one_allowance():
    """The limiter's own memory is bounded."""
    limit = RateLimit(lambda: 0.0)
    passed = [_passes(limit, f"reason-{n}") for n in range(5_000)]

    assert sum(event is not None for event in passed) == REASONS_MAX + LINES_PER_SECOND_MAX


def test_a_closed_stream_loses_lines_and_nothing_else(stream):
    """The end of a pipe must not end the worker."""
    stream.close()
    log_decision(decision())

    assert stream.closed


def test_lines_for_a_person_are_lines_too(stream, capsys):
    """On a terminal the same strings are just as hostile."""
    configure_logging(json=False, stream=(out := io.StringIO()))
    log_decision(decision("a\r\nb\x1b[2J"))

    assert out.getvalue().count("\n") == 1
    assert "\x1b[2J" not in out.getvalue()
    assert r"a\r\nb\x1b[2J" in out.getvalue()


def test_an_unknown_level_is_one_clear_line():
    """It comes from a flag or the environment."""
    with pytest.raises(UsageError, match="log level 'loud': it should be one of debug, info, warning, error, critical"):
        configure_logging("loud")


def test_the_level_holds(stream):
    """Decisions are info: an operator may ask for less."""
    configure_logging("error", stream=stream)
    log_decision(decision())
    logging.getLogger("faust").warning("not now")
    LogObserver().interrupted("fenced by a newer worker")

    assert [line["event"] for line in lines(stream)] == ["interrupted"]


def test_stderr_is_where_lines_go_by_default(stream, capsys):
    """Standard output belongs to what a command answers."""
    configure_logging(stream=sys.stderr)
    log_decision(decision())
    out, err = capsys.readouterr()

    assert out == ""
    assert json.loads(err)["event"] == "decision"


def _passes(limit: RateLimit, event: str) -> dict | None:
    try:
        return dict(limit(None, "warning", {"event": event}))
    except structlog.DropEvent:
        return None
