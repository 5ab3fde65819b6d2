"""Who may sign a policy: Ed25519, detached, over the canonical JSON of the document without its `signature`.

Whether a signature is demanded depends on what is configured here, never on what the document says about itself:
a document cannot talk its way out by leaving the signature away, by another algorithm's name or by an unknown key.
"""

import base64
import binascii
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from guard.policy.errors import shown
from guard.policy.strictjson import canonical

KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64


class KeyRing(Struct, frozen=True):
    """The public keys (32 bytes, by key id) whose signatures count, and whether unsigned documents are let in beside them."""

    keys: dict[str, bytes] = {}
    unsigned_allowed: bool = False

    def complaint(self, document: dict[str, Any]) -> str | None:
        """One line when the document's signature, or its absence, is a reason to refuse it; else None."""
        if "signature" not in document:
            return None if self.unsigned_allowed or not self.keys else "signature: missing; keys are configured, so sign the document"
        signature = document["signature"]
        if not isinstance(signature, dict) or signature.keys() != {"key_id", "value"}:
            return f"signature: {shown(signature)}; it should be an object of key_id and value"
        return self._unverified(document, signature["key_id"], signature["value"])

    def _unverified(self, document: dict[str, Any], key_id: object, value: object) -> str | None:
        key = self.keys.get(key_id) if isinstance(key_id, str) else None
        if key is None:
            known = ", ".join(sorted(self.keys)) or "none"
            return f"signature.key_id: {shown(key_id)} cannot be verified; configured keys: {known}"
        signature = _decoded(value)
        if signature is None:
            return f"signature.value: {shown(value)}; it should be {SIGNATURE_BYTES} bytes in base64"
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, signed_bytes(document))
        except InvalidSignature:
            return f"signature.value: does not fit the document under key {shown(key_id)}; sign it again after the last change"
        return None


UNSIGNED: Final = KeyRing()
"""No key configured: unsigned documents are accepted, signed ones cannot be verified and are refused."""


def signed_bytes(document: dict[str, Any]) -> bytes:
    """What the signature covers: everything but itself."""
    return canonical({name: value for name, value in document.items() if name != "signature"})


def signed(document: dict[str, Any], key_id: str, private_key: bytes) -> dict[str, Any]:
    """The document with its signature; `private_key` is the 32-byte Ed25519 seed."""
    signature = Ed25519PrivateKey.from_private_bytes(private_key).sign(signed_bytes(document))
    return {**document, "signature": {"key_id": key_id, "value": base64.b64encode(signature).decode()}}


def _decoded(value: object) -> bytes | None:
    try:
        signature = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):
        return None
    return signature if len(signature) == SIGNATURE_BYTES else None
