"""Appeal tokens: what a refused customer hands to support, so that one decision about one account can be found again.

An HMAC over account and decision: two members of one campaign get different tokens, so that none of them learns from his token who
else is meant. Support knows the account, and finds the decision by trying those in force about it.
"""

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Final

TOKEN_BYTES: Final = 15
KEY_BYTES_MIN: Final = 16


class AppealTokens:
    """Makes tokens under a key of at least `KEY_BYTES_MIN` bytes; empty ones without a key."""

    def __init__(self, key: bytes) -> None:
        self._keyed = hmac.new(key, digestmod=sha256) if key else None

    def token(self, account: str, decision_id: str) -> str:
        """20 characters of URL-safe base64."""
        if self._keyed is None:
            return ""
        mac = self._keyed.copy()
        mac.update(f"{account}\0{decision_id}".encode("utf-8", "surrogatepass"))
        return urlsafe_b64encode(mac.digest()[:TOKEN_BYTES]).decode()

    def is_of(self, token: str, account: str, decision_id: str) -> bool:
        """Whether the token was given to this account for this decision."""
        return bool(token) and hmac.compare_digest(token.encode("utf-8", "surrogatepass"), self.token(account, decision_id).encode())
