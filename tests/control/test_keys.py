"""The configured signing keys: read once, with the variable named when they are wrong."""

import base64
from pathlib import Path

import pytest

from guard.control.keys import key_ring
from guard.errors import UsageError

KEY = bytes(range(32))
ENTRY = f"k1={base64.b64encode(KEY).decode()}"


def test_no_variable_means_no_key() -> None:
    """A fresh install accepts unsigned documents."""
    ring = key_ring({})

    assert ring.keys == {}
    assert not ring.unsigned_allowed


def test_keys_come_from_the_variable_or_from_a_file(tmp_path: Path) -> None:
    """Containers mount files, people type."""
    file = tmp_path / "keys"
    file.write_text(f"{ENTRY}\n{ENTRY.replace('k1', 'k2')}\n")

    assert key_ring({"GUARD_POLICY_KEYS": ENTRY}).keys == {"k1": KEY}
    assert key_ring({"GUARD_POLICY_KEYS": f"@{file}"}).keys == {"k1": KEY, "k2": KEY}


def test_unsigned_documents_are_let_in_only_by_a_one() -> None:
    """`false` must not mean yes."""
    assert key_ring({"GUARD_POLICY_KEYS": ENTRY, "GUARD_POLICY_UNSIGNED": "1"}).unsigned_allowed
    with pytest.raises(UsageError, match="GUARD_POLICY_UNSIGNED: 'false'"):
        key_ring({"GUARD_POLICY_UNSIGNED": "false"})


@pytest.mark.parametrize("text", ["k1", "k1=", "=AAAA", "k1=AAAA", "k1=%%", ",", "@/nowhere/keys", "k1=" + "A" * 45])
def test_a_key_that_is_none_stops_the_start(text: str) -> None:
    """A typing error must not turn into 'no keys configured, everybody may write'."""
    with pytest.raises(UsageError, match="GUARD_POLICY_KEYS"):
        key_ring({"GUARD_POLICY_KEYS": text})
