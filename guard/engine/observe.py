"""Taking one exchange into an account's memory. About 4 us; the hot path."""

from typing import Final

from guard.engine.account_record import AccountRecord
from guard.events.request import RequestEvent
from guard.scoring.learned.past import OwnPast
from guard.state.behaviour import ELICITATION, GAP_MS, GAP_SQUARE, NEW_SLOT, RUBRIC, SAME_PARAMETERS, SECONDS_MAX, SINGLE_TURN

PAST_AFTER: Final = 16
"""Exchanges before an account gets a past of its own to be compared with: most accounts never make as many."""

SINGLE_TURN_MESSAGES_MAX: Final = 2
"""A system prompt and one question."""

_HASH_MASK: Final = (1 << 32) - 1


def observe(record: AccountRecord, event: RequestEvent, at: int) -> None:
    """Take the exchange in. What it does not say is missing, not zero."""
    b = record.behaviour
    b.exchanges += 1
    _declare(record, event, at)
    elicitation, rubric = event.reasoning_elicitation, event.rubric_grading
    single_turn = _is_single_turn(event)
    gap_ms = at - b.windows.at
    if b.exchanges > 1:
        parameters = hash((event.temperature or -1.0, event.max_tokens or 0, event.n or 0, len(event.model))) & _HASH_MASK
        b.fade_in(SAME_PARAMETERS, 1.0 if parameters == b.parameters_hash else 0.0)
        b.parameters_hash = parameters
        if gap_ms >= 0:
            b.fade_in(GAP_MS, gap_ms)
            b.fade_in(GAP_SQUARE, gap_ms * gap_ms)
            b.fade_in(NEW_SLOT, float(b.is_new_slot(at)))
    b.windows.observe(at, 1.0, event.input_tokens, event.output_tokens, event.reasoning_tokens or 0)
    if elicitation is not None:
        b.fade_in(ELICITATION, elicitation)
    if rubric is not None:
        b.fade_in(RUBRIC, rubric)
    if single_turn is not None:
        b.fade_in(SINGLE_TURN, single_turn)
    if b.exchanges > PAST_AFTER:
        if record.past is None:
            record.past = OwnPast()
        record.past.observe(at, event.output_tokens, max(elicitation or 0.0, rubric or 0.0), single_turn or 0.0)


def _declare(record: AccountRecord, event: RequestEvent, at: int) -> None:
    """What the gateway says about the account itself, when it says it."""
    b = record.behaviour
    if event.org_id is not None:
        record.organisation = event.org_id
    if event.account_created is not None:
        created_s = event.account_created // 1_000
        if created_s != b.created_s:
            b.created_s = min(created_s, SECONDS_MAX)
    if event.rate_limit_rpm is not None and event.rate_limit_rpm != b.limit_rpm:
        b.limit_rpm = min(event.rate_limit_rpm, SECONDS_MAX)
    if not b.first_s:
        b.first_s = min(at // 1_000, SECONDS_MAX)


def _is_single_turn(event: RequestEvent) -> float | None:
    if event.messages is None:
        return None if event.conversation is None and event.conversation_after is None else float(event.conversation is None)
    return 1.0 if event.messages <= SINGLE_TURN_MESSAGES_MAX and event.conversation is None else 0.0
