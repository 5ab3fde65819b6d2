"""How a worker is set up: one frozen value from flags and `GUARD_*` variables, checked where it enters."""

import gc
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from guard.errors import UsageError

TRUE_WORDS: Final = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}


class WorkerConfig(Struct, frozen=True, kw_only=True):
    """Everything a worker needs to know beyond what is on the topics."""

    bootstrap: str
    """Kafka brokers to begin with: HOST:PORT, several with commas between them."""
    group: str = "guard"
    """Consumer group, and the beginning of every transactional id: workers of one installation share it."""
    enforce: bool = False
    """Whether the built-in policy is out of shadow; a policy on `guard.policy` says for itself."""
    session_timeout_ms: int = 6_000
    """After so long without a heartbeat a worker's partitions go to others."""
    flush_ms: int = 100
    """Distance between two flushes of a shard. Shorter is faster and dearer: a transaction costs about 5 ms of processor."""
    waiting_records_max: int = 20_000
    """Records per shard that may be fetched and not committed; beyond it no more are fetched."""
    stall_ms: int = 30_000
    """Without progress for so long, while there is work, the worker ends to be started again."""
    metrics_host: str = "127.0.0.1"
    metrics_port: int = 9464
    """0: any free port."""


class Number(Struct, frozen=True):
    """The range of a whole number."""

    low: int
    high: int


NUMBERS: Final[Mapping[str, Number]] = {
    "session_timeout_ms": Number(6_000, 10_000),
    "flush_ms": Number(10, 1_000),
    "waiting_records_max": Number(1_000, 1_000_000),
    "stall_ms": Number(5_000, 600_000),
    "metrics_port": Number(0, 65_535),
}
"""Settings that are whole numbers, with what they may be. A session is 6 s or longer: brokers refuse less by default."""


YOUNG_OBJECTS = 50_000
OLD_ROUNDS = 100


def calm_collector() -> None:
    """Let the cyclic garbage collector look seldom: a worker keeps a million records that have no cycles, and looking costs."""
    gc.set_threshold(YOUNG_OBJECTS, 20, OLD_ROUNDS)


def variable(setting: str) -> str:
    """The environment variable of a setting."""
    return f"GUARD_{setting.upper()}"


def worker_config(flags: Mapping[str, str | bool | None], environment: Mapping[str, str]) -> WorkerConfig:
    """The configuration from flags (None where not given), then variables, then the defaults. Raises UsageError."""
    found: dict[str, str | int | bool] = {}
    for setting in WorkerConfig.__struct_fields__:
        flag = flags.get(setting)
        name = f"--{setting.replace('_', '-')}" if flag is not None else variable(setting)
        value = flag if flag is not None else environment.get(variable(setting))
        if value is not None and value != "":
            found[setting] = _checked(setting, name, value)
    if "bootstrap" not in found:
        raise UsageError("GUARD_BOOTSTRAP is not set, nor is --bootstrap; it should be HOST:PORT of a Kafka broker")
    return WorkerConfig(**found)  # type: ignore[arg-type]  # each value has been checked for its setting


def _checked(setting: str, name: str, value: object) -> str | int | bool:
    if setting in NUMBERS:
        return _number(name, str(value), NUMBERS[setting])
    if setting == "enforce":
        return _truth(name, value)
    if setting == "bootstrap":
        return _addresses(name, str(value))
    return _word(name, str(value))


def _number(name: str, value: str, number: Number) -> int:
    is_plain = value.isascii() and value.isdigit() and len(value) <= 9
    if not is_plain or not number.low <= int(value) <= number.high:
        raise UsageError(f"{name} is {value[:60]!a}; it should be a whole number from {number.low} to {number.high}")
    return int(value)


def _truth(name: str, value: object) -> bool:
    word = str(value).lower()
    if word not in TRUE_WORDS:
        raise UsageError(f"{name} is {word[:60]!a}; it should be 1 or 0, true or false, yes or no")
    return TRUE_WORDS[word]


def _addresses(name: str, value: str) -> str:
    for address in value.split(","):
        host, colon, port = address.rpartition(":")
        if not (host and colon and port.isascii() and port.isdigit() and 0 < int(port[:6]) <= 65_535) or " " in address:
            raise UsageError(f"{name} is {value[:60]!a}; it should be HOST:PORT, or several with commas between them")
    return value


def _word(name: str, value: str) -> str:
    allowed = {"-", "_", ".", ":"}
    if len(value) > 128 or not all(c.isascii() and (c.isalnum() or c in allowed) for c in value):
        raise UsageError(f"{name} is {value[:60]!a}; it should be 1 to 128 letters, digits and . _ -")
    return value
