"""Signed policies: where keys are configured, nothing unsigned, altered or borrowed gets in."""

import base64
import json
from random import Random
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guard.policy.errors import PolicyError
from guard.policy.parse import parse_policy
from guard.policy.signature import KeyRing, signed
from tests.support.policies import GOOD

SEED = bytes(range(32))
OTHER_SEED = bytes(32)


def _public(seed: bytes) -> bytes:
    key = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


KEYS = KeyRing({"k1": _public(SEED)})
SIGNED = signed(GOOD, "k1", SEED)


def _refused(document: dict[str, Any], keys: KeyRing = KEYS) -> str:
    with pytest.raises(PolicyError) as caught:
        parse_policy(json.dumps(document).encode(), keys)
    return str(caught.value)


def test_a_signed_document_is_accepted_however_it_is_laid_out() -> None:
    """The signature covers what the document says, not its blanks and the order of its fields."""
    turned = dict(reversed(SIGNED.items()))

    assert parse_policy(json.dumps(SIGNED).encode(), KEYS).version == GOOD["version"]
    assert parse_policy(json.dumps(turned, indent=4).encode(), KEYS).version == GOOD["version"]


def test_an_unsigned_document_is_refused_once_a_key_is_configured() -> None:
    """Leaving the signature away must not be the way around it."""
    assert "signature: missing" in _refused(GOOD)


def test_an_unsigned_document_is_accepted_beside_keys_only_when_the_operator_says_so() -> None:
    """A way to change over; a signature that is there must still fit."""
    lenient = KeyRing(KEYS.keys, unsigned_allowed=True)

    assert parse_policy(json.dumps(GOOD).encode(), lenient).version == GOOD["version"]
    assert "does not fit" in _refused({**SIGNED, "version": 8}, lenient)


def test_a_signature_that_cannot_be_verified_is_a_refusal_also_without_keys() -> None:
    """Whoever signs expects somebody to look."""
    assert "cannot be verified; configured keys: none" in _refused(SIGNED, KeyRing())


def test_a_signature_by_another_key_or_under_another_name_is_refused() -> None:
    """A key id chooses among configured keys, it never brings one along."""
    assert "does not fit" in _refused(signed(GOOD, "k1", OTHER_SEED))
    assert "'k2' cannot be verified; configured keys: k1" in _refused(signed(GOOD, "k2", SEED))


def test_a_signature_of_another_document_is_refused() -> None:
    """Yesterday's signature must not carry today's change."""
    assert "does not fit" in _refused({**GOOD, "mode": "shadow", "signature": SIGNED["signature"]})


@pytest.mark.parametrize(
    "signature",
    [
        None, "x", [], {}, {"key_id": "k1"}, {"key_id": "k1", "value": ""}, {"key_id": "k1", "value": "AAAA"},
        {"key_id": ["k1"], "value": 1},
        {"key_id": "k1", "value": "A" * 86 + "==", "algorithm": "none"}, {"key_id": "k1", "value": "\u0661" * 88},
    ],
)  # fmt: skip
def test_a_malformed_signature_is_refused_with_a_line(signature: object) -> None:
    """No algorithm to choose, nothing to leave away, no traceback."""
    assert "signature" in _refused({**GOOD, "signature": signature})


def test_ten_thousand_altered_signatures_and_documents_are_all_refused() -> None:
    """One bit is enough, wherever it lies."""
    dice = Random(22)
    good = base64.b64decode(SIGNED["signature"]["value"])
    accepted = 0
    for _ in range(10_000):
        document = {**SIGNED}
        if dice.random() < 0.5:
            bits = bytearray(good)
            bits[dice.randrange(64)] ^= 1 << dice.randrange(8)
            document["signature"] = {"key_id": "k1", "value": base64.b64encode(bits).decode()}
        else:
            document["author"] = f"tests{dice.randrange(10**6)}"
        accepted += KEYS.complaint(document) is None

    assert accepted == 0
