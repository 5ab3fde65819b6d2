"""`guard policy sign`: from a PEM key to a document that workers with its public key accept."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from typer.testing import CliRunner, Result

from guard.cli.policy import policy_app
from guard.control.keys import key_ring
from guard.control.signing import key_entry, private_key
from guard.errors import UsageError
from guard.policy.parse import parse_policy
from tests.support.policies import GOOD

Key = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey


def _pem(folder: Path, key: Key) -> Path:
    path = folder / "key.pem"
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return path


def _sign(folder: Path, pem: Path, document: object) -> Result:
    file = folder / "policy.json"
    file.write_text(json.dumps(document))
    return CliRunner().invoke(policy_app, ["sign", str(file), "--key", str(pem), "--key-id", "k1"])


def test_what_is_signed_here_is_accepted_by_workers_with_the_printed_entry(tmp_path: Path) -> None:
    """The whole way of an operator who begins to sign."""
    pem = _pem(tmp_path, ed25519.Ed25519PrivateKey.generate())
    result = _sign(tmp_path, pem, GOOD)
    ring = key_ring({"GUARD_POLICY_KEYS": key_entry("k1", private_key(pem))})

    assert result.exit_code == 0, result.output
    assert key_entry("k1", private_key(pem)) in result.stderr
    assert parse_policy(result.stdout.encode(), ring).version == GOOD["version"]


def test_a_document_that_would_be_refused_is_not_signed(tmp_path: Path) -> None:
    """A signature under a broken document only hides the mistake."""
    result = _sign(tmp_path, _pem(tmp_path, ed25519.Ed25519PrivateKey.generate()), {**GOOD, "mode": "on"})

    assert result.exit_code == 3
    assert "mode: 'on'" in result.stderr
    assert result.stdout == ""


def test_a_key_of_another_kind_or_none_at_all_is_named(tmp_path: Path) -> None:
    """Exit code 2 and the file's name."""
    with pytest.raises(UsageError, match=r"key\.pem: a key of another kind"):
        private_key(_pem(tmp_path, ec.generate_private_key(ec.SECP256R1())))
    with pytest.raises(UsageError, match="none: no usable private key"):
        private_key(tmp_path / "none")
