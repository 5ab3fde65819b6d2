"""LiteLLM's proxy obeys decisions: name `guard.gateway.litellm.hook` among `litellm_settings.callbacks` (litellm 1.108).

Set GUARD_BOOTSTRAP, and GUARD_HASH_KEY (and _PREVIOUS) as for `guard ingest`, so that accounts are called the same on both ways. What the
operator writes into a key's metadata as `payment_fingerprint`, `plan` and `account_created` is known on both. Reporting is LiteLLM's own
callback `generic_api`, to `guard ingest`. This module needs litellm, which the guard does not.
"""

import os
from typing import Any, Final

import msgspec
from fastapi import HTTPException
from litellm.integrations.custom_logger import CustomLogger

from guard.convert.litellm import DECISION, account_of
from guard.errors import UsageError
from guard.events.fingerprint.usage import text
from guard.events.hashing import hash_key
from guard.events.identifiers import Identifiers
from guard.gateway.clock import SteadyClock
from guard.gateway.enforcer import Caller, Enforcer, Ruling
from guard.gateway.service import EnforcerService, ServiceConfig


class GuardHook(CustomLogger):
    """Asked before each call. Follows the decisions from the first call on; until they are read, calls pass."""

    def __init__(self, enforcer: Enforcer | None = None, identifiers: Identifiers | None = None) -> None:
        super().__init__()
        self._enforcer = enforcer
        self._identifiers = identifiers
        self._service: EnforcerService | None = None

    async def async_pre_call_hook(self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: str) -> None:  # noqa: ANN401
        """LiteLLM's question: returns for whoever may pass. Raises HTTPException. The decision goes into the metadata, for the event."""
        del cache, call_type
        ruling = self._ruling(user_api_key_dict)
        _mark(data, ruling.decision_id)
        if ruling.refusal is not None:
            raise HTTPException(ruling.refusal.status, msgspec.json.decode(ruling.refusal.body), ruling.refusal.headers)

    def _ruling(self, key: Any) -> Ruling:  # noqa: ANN401
        enforcer, identifiers = self._ready()
        account = account_of(key.user_id, key.team_id, key.api_key)
        payment = text((key.metadata or {}).get("payment_fingerprint"))
        organisation = key.org_id or key.team_id
        return enforcer.rule(Caller.under_each_key(identifiers, account, payment, organisation, key.request_route or "/"))

    def _ready(self) -> tuple[Enforcer, Identifiers]:
        """Begun with the first call, when a loop runs."""
        if self._identifiers is None:
            key = hash_key(os.environ.get("GUARD_HASH_KEY", ""))
            if key is None:
                raise UsageError("GUARD_HASH_KEY is not set; it should be NAME:HEX, the key that `guard ingest` hashes under")
            self._identifiers = Identifiers(key, hash_key(os.environ.get("GUARD_HASH_KEY_PREVIOUS", ""), "GUARD_HASH_KEY_PREVIOUS"))
        if self._enforcer is None:
            clock = SteadyClock()
            self._enforcer = Enforcer(now=clock)
            self._service = EnforcerService(
                ServiceConfig(bootstrap=os.environ.get("GUARD_BOOTSTRAP", "127.0.0.1:9092")), self._enforcer, clock
            )
            self._service.start()
        return self._enforcer, self._identifiers


def _mark(data: dict[str, Any], decision_id: str) -> None:
    """Write the decision where the callback's payload carries it; whatever the caller wrote there goes."""
    for name in ("metadata", "litellm_metadata"):
        if isinstance(around := data.get(name), dict):
            said = around.get("spend_logs_metadata")
            kept = {key: value for key, value in said.items() if key != DECISION} if isinstance(said, dict) else {}
            around["spend_logs_metadata"] = kept | ({DECISION: decision_id} if decision_id else {})


hook: Final = GuardHook()
