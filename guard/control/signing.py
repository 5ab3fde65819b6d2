"""Signing a policy document with an Ed25519 key from a PEM file, and the entry by which workers verify it."""

import base64
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guard.errors import UsageError


def private_key(path: Path) -> bytes:
    """The 32-byte seed in an unencrypted PEM file; raises UsageError when there is none."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UsageError(
            f"{path}: no usable private key ({type(error).__name__}); it should be an unencrypted Ed25519 key in PEM"
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{path}: a key of another kind; it should be an unencrypted Ed25519 key in PEM")
    return key.private_bytes_raw()


def public_key(seed: bytes) -> bytes:
    """The 32 bytes that verify what the seed signs."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def key_entry(key_id: str, seed: bytes) -> str:
    """The entry of `GUARD_POLICY_KEYS` for the seed's public key."""
    return f"{key_id}={base64.b64encode(public_key(seed)).decode()}"
