"""Taking one exchange into an account's memory. About 4 us; the hot path."""

from typing import Final

from guard.engine.account_record import AccountRecord
from guard.events.request import RequestEvent
from guard.scoring.online.past import OwnPast
from guard.state.behaviour import ELICITATION, GAP_MS, GAP_SQUARE, RUBRIC, SAME_PARAMETERS, SINGLE_TURN

PAST_AFTER: Final = 16
"""Exchanges before an account gets a past of its own to be compared with: most accounts never make as many."""

SINGLE_TURN_MESSAGES_MAX: Final = 2
"""A system prompt and one question."""

_HASH_MASK: Final = (1 << 64) - 1


def observe(record: AccountRecord, event: RequestEvent, at: int) -> None:
    """Take the exchange in. What it does not say is missing, not zero."""
    b = record.behaviour
    b.exchanges += 1
    if event.org_id is not None:
        record.principal = event.org_id
    if event.account_created is not None:
        b.created_at = event.account_created
    if event.rate_limit_rpm is not None:
        b.limit_rpm = event.rate_limit_rpm
    fade_in = b.fade_in
    gap_ms = at - b.windows.at
    if not b.first_at:
        b.first_at = at
    elif gap_ms >= 0:
        fade_in(GAP_MS, gap_ms)
        fade_in(GAP_SQUARE, gap_ms * gap_ms)
    b.windows.observe(at, 1.0, event.input_tokens, event.output_tokens, event.reasoning_tokens or 0)
    if event.reasoning_elicitation is not None:
        fade_in(ELICITATION, event.reasoning_elicitation)
    if event.rubric_grading is not None:
        fade_in(RUBRIC, event.rubric_grading)
    single_turn = _is_single_turn(event)
    if single_turn is not None:
        fade_in(SINGLE_TURN, single_turn)
    parameters = hash((event.temperature or -1.0, event.max_tokens or 0, event.n or 0, len(event.model))) & _HASH_MASK
    if b.exchanges > 1:
        fade_in(SAME_PARAMETERS, 1.0 if parameters == b.parameters_hash else 0.0)
    b.parameters_hash = parameters
    if b.exchanges > PAST_AFTER:
        if record.past is None:
            record.past = OwnPast()
        record.past.observe(
            at, event.input_tokens, event.output_tokens, event.reasoning_elicitation, event.rubric_grading, single_turn
        )


def _is_single_turn(event: RequestEvent) -> float | None:
    if event.messages is None:
        return None if event.conversation is None and event.conversation_after is None else float(event.conversation is None)
    return 1.0 if event.messages <= SINGLE_TURN_MESSAGES_MAX and event.conversation is None else 0.0
