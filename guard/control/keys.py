"""The keys that policies must be signed with, as the operator configures them."""

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path

from guard.errors import UsageError
from guard.policy.errors import shown
from guard.policy.signature import KEY_BYTES, KeyRing

KEYS_VARIABLE = "GUARD_POLICY_KEYS"
UNSIGNED_VARIABLE = "GUARD_POLICY_UNSIGNED"
FILE_BYTES_MAX = 64 * 1024


def key_ring(environment: Mapping[str, str]) -> KeyRing:
    """The key ring of `GUARD_POLICY_KEYS` and `GUARD_POLICY_UNSIGNED`; raises UsageError with the variable in the line.

    `GUARD_POLICY_KEYS` holds `id=BASE64` entries (Ed25519 public keys of 32 bytes) separated by commas or white space,
    or `@FILE`, a file of such entries.
    """
    unsigned = environment.get(UNSIGNED_VARIABLE, "")
    if unsigned not in ("", "0", "1"):
        raise UsageError(f"{UNSIGNED_VARIABLE}: {shown(unsigned)}; it should be 1 or 0")
    text = environment.get(KEYS_VARIABLE, "").strip()
    entries = (_file(text[1:]) if text.startswith("@") else text).replace(",", " ").split()
    if text and not entries:
        raise UsageError(f"{KEYS_VARIABLE}: {shown(text)} holds no key; it should hold id=BASE64 entries")
    return KeyRing(dict(_key(entry) for entry in entries), unsigned == "1")


def _file(path: str) -> str:
    try:
        with Path(path).open(encoding="utf-8") as file:
            return file.read(FILE_BYTES_MAX)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{KEYS_VARIABLE}: {shown(path)} cannot be read ({type(error).__name__}); it should be a file of id=BASE64 entries"
        ) from None


def _key(entry: str) -> tuple[str, bytes]:
    key_id, _, text = entry.partition("=")
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key_id or len(key) != KEY_BYTES:
        raise UsageError(f"{KEYS_VARIABLE}: {shown(entry)}; it should be id=BASE64 of a {KEY_BYTES}-byte Ed25519 public key")
    return key_id, key
