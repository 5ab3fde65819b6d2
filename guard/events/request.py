"""The request event: one exchange as the gateway reports it. Fields are the contract's; None means missing, not zero."""

from msgspec import Struct

RECORD_BYTES_MAX = 16_384
"""A larger record is a dead letter (contract)."""


class RequestEvent(Struct, gc=False):
    """One exchange. Times are epoch milliseconds, tokens are counts, shares are 0-1, strings at most 128 characters."""

    event_id: str
    event_time: int
    account_id: str
    model: str
    input_tokens: int
    output_tokens: int
    org_id: str | None = None
    api_key_id: str | None = None
    payment_fingerprint: str | None = None
    account_created: int | None = None
    plan: str | None = None
    rate_limit_rpm: int | None = None
    ip: str | None = None
    ip_prefix: str | None = None
    asn: int | None = None
    country: str | None = None
    client_fingerprint: str | None = None
    user_agent: str | None = None
    operation: str | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    n: int | None = None
    logprobs: bool | None = None
    messages: int | None = None
    tools: int | None = None
    tool_results: int | None = None
    conversation: str | None = None
    conversation_after: str | None = None
    prefix: str | None = None
    shape: str | None = None
    simhash: str | None = None
    prompt_chars: int | None = None
    topic: int | None = None
    reasoning_elicitation: float | None = None
    rubric_grading: float | None = None
    reasoning_signature: str | None = None
    status: int = 200
    decision_id: str | None = None
    refused: bool | None = None
    stop_reason: str | None = None
    latency_ms: int | None = None
    append_time: int | None = None

    @property
    def was_refused_by_guard(self) -> bool:
        """The gateway refused this exchange under one of our own decisions: it is no evidence against the account."""
        return self.decision_id is not None and self.status >= REFUSAL_STATUS_MIN


REFUSAL_STATUS_MIN = 400
"""A request delayed but answered under a decision is an exchange like any other; from here on it was refused."""
