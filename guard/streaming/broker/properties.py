"""The settings of the embedded node: one broker that is its own controller, quick to start, with Kafka's own semantics."""

from collections.abc import Mapping
from pathlib import Path

HOST = "127.0.0.1"
"""Nobody but this machine reaches it: it has no authentication."""

SETTINGS: dict[str, str] = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "inter.broker.listener.name": "PLAINTEXT",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    # Topics come from `guard topics create`; a misspelt one should fail, not appear.
    "auto.create.topics.enable": "false",
    "log.message.timestamp.type": "LogAppendTime",
    # One node can hold one copy.
    "default.replication.factor": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # Fewer internal partitions start and stop sooner; fifty are for clusters.
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.num.partitions": "1",
    # A group of one or two workers need not wait for more, and tests of crashes want sessions shorter than 6 s.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    # A small heap: the cleaner's buffer alone is 128 MB by default.
    "log.cleaner.dedupe.buffer.size": "16777216",
    "log.cleaner.io.buffer.size": "262144",
    "log.index.size.max.bytes": "1048576",
    "num.network.threads": "2",
    "num.io.threads": "4",
    # A deleted topic's files go now, so that one of the same name can follow at once on a small disc.
    "log.segment.delete.delay.ms": "1000",
}


def render(port: int, controller_port: int, data: Path, changes: Mapping[str, str]) -> str:
    """The text of a server.properties file; `changes` win over `SETTINGS`."""
    places = {
        "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
        "controller.quorum.voters": f"1@{HOST}:{controller_port}",
        "log.dirs": _escaped(str(data)),
    }
    return "".join(f"{name}={value}\n" for name, value in {**SETTINGS, **places, **changes}.items())


def _escaped(text: str) -> str:
    r"""A value as Java's property files want it: `\` doubled, what is not ASCII as \uXXXX."""
    units = text.replace("\\", "\\\\").encode("utf-16-be")
    codes = [int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2)]
    return "".join(chr(code) if 0x20 <= code < 0x7F else f"\\u{code:04x}" for code in codes)
