"""Tokens as a provider issues them: what is known of an account, signed, for Envoy to read (deploy/envoy/jwt.yaml)."""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Final

from msgspec import Struct

ISSUER: Final = "https://provider.example"
_HEAD: Final = {"alg": "HS256", "typ": "JWT"}


class Customer(Struct, frozen=True):
    """An account as its provider knows it."""

    name: str
    payment: str
    """The keyed hash of its payment instrument."""
    created: int
    """UTC milliseconds."""
    limit: int = 120
    """Requests a minute."""


class Issuer:
    """Signs tokens with one key of its own."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def token(self, customer: Customer) -> str:
        """The customer's API key (RFC 7519, HS256)."""
        claims = {
            "iss": ISSUER, "sub": customer.name, "payment": customer.payment, "created": str(customer.created), "plan": "pro",
            "limit": str(customer.limit),
        }  # fmt: skip
        signed = f"{_encoded(json.dumps(_HEAD).encode())}.{_encoded(json.dumps(claims).encode())}"
        return f"{signed}.{_encoded(hmac.digest(self._key, signed.encode(), hashlib.sha256))}"

    def write_keys(self, path: Path) -> None:
        """The key as Envoy reads it (RFC 7517)."""
        path.write_text(json.dumps({"keys": [{"kty": "oct", "alg": "HS256", "k": _encoded(self._key)}]}))


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
