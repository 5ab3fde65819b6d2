"""The policy document: a closed, documented JSON object. It is accepted whole or refused whole, with one line for each fault."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, create_model, model_validator

from guard.decisions.decision import Action, Mode
from guard.policy.policy import (
    BLOCK_FAMILIES_MIN,
    FOREVER_AT,
    LADDER_DEFAULT,
    THROTTLE_PATIENCE_MS,
    THROTTLE_RATE_RPM_DEFAULT,
    TTL_MS_DEFAULT,
    TTL_MS_MAX,
    TTL_MS_MIN,
    Caps,
    Jitter,
)
from guard.scoring.reasons import REASONS
from guard.scoring.thresholds import THRESHOLDS
from guard.units import DAY_MS, HOUR_MS, STRING_CHARS_MAX

DOCUMENT_BYTES_MAX: Final = 256 * 1024
ALLOWED_MAX: Final = 2_000
ORDERS_MAX: Final = 1_000
RELEASES_MAX: Final = 200
VERSION_MAX: Final = 2**53 - 1
"""The largest whole number that every JSON reader keeps exactly."""

JITTER_KEY_CHARS_MIN: Final = 16
"""64 bits as hex digits: beyond guessing for a boundary that changes daily."""

BOOKKEEPING_CODES: Final = frozenset({"operator_order", "allow_list", "released", "idle_throttle", "cap"})
"""Codes that tell what was done, not what was seen: no rule to switch off."""

RULE_CODES: Final = tuple(sorted(REASONS.keys() - BOOKKEEPING_CODES))

_SCOPES = Literal["account", "payment_fingerprint", "organisation", "campaign"]
_SCORE: Final = dict(LADDER_DEFAULT)


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("it should hold printable characters only")
    return text


def _rule(code: str) -> str:
    if code not in RULE_CODES:
        raise ValueError(
            "no such rule; `guard reasons` lists the codes" if code not in REASONS else "this code is no rule and cannot be switched"
        )
    return code


Identifier = Annotated[str, StringConstraints(min_length=1, max_length=STRING_CHARS_MAX), AfterValidator(_printable)]
Note = Annotated[str, StringConstraints(max_length=256), AfterValidator(_printable)]
EventTime = Annotated[int, Field(ge=0, le=FOREVER_AT)]
Score = Annotated[float, Field(gt=0.0, le=1.0)]
TtlMs = Annotated[int, Field(ge=TTL_MS_MIN, le=TTL_MS_MAX)]
Rate = Annotated[int, Field(ge=1, le=100_000)]
RuleCode = Annotated[str, AfterValidator(_rule), Field(json_schema_extra={"enum": list(RULE_CODES)})]
RuleCodes = Annotated[list[RuleCode], Field(max_length=len(RULE_CODES))]


class Part(BaseModel):
    """Strict and closed: no field is guessed, converted or ignored."""

    model_config: ClassVar[ConfigDict] = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class SignatureDocument(Part):
    """Ed25519 over the canonical JSON (sorted keys, no blanks, UTF-8) of the document without this field."""

    key_id: Identifier = Field(description="name of the configured public key")
    value: Identifier = Field(description="the 64 signature bytes in base64")


class ScopesDocument(Part):
    """Mode by scope, where it differs from `mode`."""

    account: Mode | None = Field(default=None, description="accounts")
    payment_fingerprint: Mode | None = Field(default=None, description="payment fingerprints")
    organisation: Mode | None = Field(default=None, description="organisations")
    campaign: Mode | None = Field(default=None, description="campaigns")


class ScoresDocument(Part):
    """Score (0-1) from which each action is taken; strictly rising."""

    throttle: Score = Field(default=_SCORE[Action.THROTTLE], description="throttle from this score on")
    challenge: Score = Field(default=_SCORE[Action.CHALLENGE], description="challenge from this score on")
    block: Score = Field(default=_SCORE[Action.BLOCK], description="block from this score on")

    @model_validator(mode="after")
    def _rising(self) -> "ScoresDocument":
        if not self.throttle < self.challenge < self.block:
            raise ValueError(f"throttle {self.throttle}, challenge {self.challenge}, block {self.block} should rise strictly")
        return self


class TtlDocument(Part):
    """How long a decision lasts, milliseconds."""

    throttle: TtlMs = Field(default=TTL_MS_DEFAULT[Action.THROTTLE], description="milliseconds a throttle lasts")
    challenge: TtlMs = Field(default=TTL_MS_DEFAULT[Action.CHALLENGE], description="milliseconds a challenge lasts")
    block: TtlMs = Field(default=TTL_MS_DEFAULT[Action.BLOCK], description="milliseconds a block lasts")


class JitterDocument(Part):
    """A subject crosses a rung a little above it, elsewhere than others do, so that nobody learns from one account about the next.

    Off by default: a fresh install has no secret, and while nobody probes it only costs, as fleets go free for longer.
    """

    share_max: float = Field(
        default=0.0, ge=0.0, le=0.5, description="at most this share of the doubt a rung leaves (1 - score); 0, the default: off"
    )
    period_ms: int = Field(default=Jitter().period_ms, ge=HOUR_MS, le=30 * DAY_MS, description="milliseconds that an offset stays")
    key: Note = Field(default="", description="the operators' secret, 16 characters or more: who knows it knows the offsets")


class LadderDocument(Part):
    """From score to action."""

    scores: ScoresDocument = Field(default=ScoresDocument(), description="scores of the rungs")
    ttl_ms: TtlDocument = Field(default=TtlDocument(), description="time to live of the rungs")
    throttle_rate_rpm: Rate = Field(
        default=THROTTLE_RATE_RPM_DEFAULT, description="requests per minute that a throttle leaves, per account"
    )
    throttle_patience_ms: TtlMs | None = Field(
        default=THROTTLE_PATIENCE_MS,
        description="milliseconds a campaign goes on under a throttle that takes nothing from it, until it is challenged; null: for ever",
    )
    block_families_min: int = Field(
        default=BLOCK_FAMILIES_MIN, ge=BLOCK_FAMILIES_MIN, le=10, description="independent evidence families under a block"
    )
    jitter: JitterDocument = Field(default=JitterDocument(), description="where exactly a subject crosses")


class CapsDocument(Part):
    """New sanctions per hour of event time; what exceeds a cap goes to shadow with reason `cap`."""

    accounts: int = Field(default=Caps().accounts, ge=0, le=10_000_000, description="accounts an hour, per shard")
    payment_fingerprints: int = Field(
        default=Caps().payment_fingerprints, ge=0, le=10_000_000, description="payment fingerprints and organisations an hour, per shard"
    )
    campaign_members: int = Field(
        default=Caps().campaign_members, ge=0, le=100_000_000, description="campaign members an hour, over all campaigns"
    )


class AllowedDocument(Part):
    """One subject that no sanction reaches."""

    scope: _SCOPES = Field(description="kind of subject")
    subject: Identifier = Field(description="the identifier in that scope")
    expires_at: EventTime = Field(default=int(FOREVER_AT), description="end, event time in milliseconds; without it the entry has none")
    author: Identifier = Field(description="who vouches")
    note: Note = Field(default="", description="why")


class OrderDocument(Part):
    """An operator's own decision about one subject."""

    scope: _SCOPES = Field(description="kind of subject")
    subject: Identifier = Field(description="the identifier in that scope")
    action: Literal["throttle", "challenge", "block"] = Field(description="what gateways do; to let somebody through, use allow_list")
    rate_rpm: Rate | None = Field(default=None, description="requests per minute still allowed; only with throttle")
    expires_at: EventTime = Field(description="end, event time in milliseconds")
    note: Note = Field(default="", description="why")

    @model_validator(mode="after")
    def _rate_only_with_throttle(self) -> "OrderDocument":
        if self.rate_rpm is not None and self.action != "throttle":
            raise ValueError("rate_rpm belongs to throttle only; leave it away")
        return self


class ReleaseDocument(Part):
    """A model that opens: a rush toward it is expected then."""

    model: Identifier = Field(description="model name as in request events")
    at: EventTime = Field(description="when it opens, event time in milliseconds")


_THRESHOLD_FIELDS: Final[dict[str, Any]] = {
    row.name: (float, Field(row.default, ge=row.low, le=row.high, description=f"{row.unit}; {row.why}")) for row in THRESHOLDS.values()
}
if TYPE_CHECKING:

    class ThresholdsDocument(Part):
        """Numbers that rules compare with: one field for each row of guard.scoring.thresholds."""
else:
    ThresholdsDocument = create_model("ThresholdsDocument", __base__=Part, __doc__="Numbers that rules compare with.", **_THRESHOLD_FIELDS)


class PolicyDocument(Part):
    """Everything operators decide about judging. Left-out fields take the defaults of the built-in policy."""

    version: int = Field(ge=1, le=VERSION_MAX, description="whole number above every version accepted before")
    author: Identifier = Field(description="the name of whoever answers for this document")
    effective_at: EventTime = Field(description="event time in milliseconds from which it holds; 0 for at once")
    signature: SignatureDocument | None = Field(default=None, description="detached Ed25519 signature")
    mode: Mode = Field(default=Mode.SHADOW, description="shadow: decided, published apart, not obeyed; enforce: obeyed by gateways")
    modes: ScopesDocument = Field(default=ScopesDocument(), description="exceptions from mode by scope")
    ladder: LadderDocument = Field(default=LadderDocument(), description="from score to action")
    caps: CapsDocument = Field(default=CapsDocument(), description="blast radius")
    thresholds: ThresholdsDocument = Field(default=ThresholdsDocument(), description="numbers that rules compare with")
    rules_off: RuleCodes = Field(default=[], description="reason codes neither weighed nor reported")
    rules_shadow: RuleCodes = Field(default=[], description="reason codes reported with weight 0")
    allow_list: list[AllowedDocument] = Field(default=[], max_length=ALLOWED_MAX, description="subjects that no sanction reaches")
    orders: list[OrderDocument] = Field(default=[], max_length=ORDERS_MAX, description="operators' own decisions")
    releases: list[ReleaseDocument] = Field(default=[], max_length=RELEASES_MAX, description="release calendar")
    rebaseline_at: EventTime = Field(
        default=0, description="the models of the crowd forget what they learned before, event time in milliseconds; 0 for never"
    )

    def contradictions(self) -> Iterator[str]:
        """One line for each place where two parts of the document do not fit together."""
        yield from _twice("allow_list", [(entry.scope, entry.subject) for entry in self.allow_list])
        yield from _twice("orders", [(order.scope, order.subject) for order in self.orders])
        for code in sorted(set(self.rules_off) & set(self.rules_shadow)):
            yield f"rules_shadow: {code} is also in rules_off; keep one"
        if self.ladder.jitter.share_max and len(self.ladder.jitter.key) < JITTER_KEY_CHARS_MIN:
            yield f"ladder.jitter.key: it should be a secret of {JITTER_KEY_CHARS_MIN} characters or more where share_max is above 0"
        for index, order in enumerate(self.orders):
            if order.expires_at <= self.effective_at:
                yield f"orders[{index}].expires_at: {order.expires_at}; it should be after effective_at {self.effective_at}"


def _twice(field: str, keys: list[tuple[str, str]]) -> Iterator[str]:
    seen: set[tuple[str, str]] = set()
    for index, (scope, subject) in enumerate(keys):
        if (scope, subject) in seen:
            yield f"{field}[{index}]: {scope} {subject!a} stands twice; keep one"
        seen.add((scope, subject))
