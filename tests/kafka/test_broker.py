"""The embedded broker: real Kafka, there at once, gone at the end whatever happens."""

import asyncio
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from guard.errors import BrokerUnreachableError, UsageError
from guard.streaming.admin import create_topics
from guard.streaming.broker import EmbeddedBroker
from guard.streaming.broker.artifacts import Jar, cache_folder, fetched, pinned
from guard.topics import Topic

PATIENCE_SECONDS = 60.0
STARTER = """
import sys
from guard.streaming.broker import EmbeddedBroker
with EmbeddedBroker() as kafka:
    print(kafka.port, kafka.log.parent, flush=True)
    sys.stdin.read()
"""


async def _put(bootstrap: str, value: bytes) -> int:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id="t") as producer:
        async with producer.transaction():
            answer = await producer.send_and_wait(Topic.POLICY, value)
        return answer.timestamp


async def _first(bootstrap: str) -> bytes:
    async with AIOKafkaConsumer(
        Topic.POLICY, bootstrap_servers=bootstrap, auto_offset_reset="earliest", isolation_level="read_committed"
    ) as consumer:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return (await consumer.getone()).value


def _ends(is_over) -> bool:
    until = time.monotonic() + PATIENCE_SECONDS
    while not is_over() and time.monotonic() < until:
        time.sleep(0.02)
    return is_over()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_transaction_written_is_read_back_and_the_broker_stamps_its_time(own_broker):
    """The demo and every integration test stand on this: transactions, and LogAppendTime."""
    asyncio.run(create_topics(own_broker.bootstrap, 1, [Topic.POLICY]))
    before = int(time.time() * 1_000)
    stamped = asyncio.run(_put(own_broker.bootstrap, b"one"))

    assert before <= stamped <= int(time.time() * 1_000)
    assert asyncio.run(_first(own_broker.bootstrap)) == b"one"


def test_a_given_folder_keeps_the_topics_for_the_next_start(tmp_path):
    """`guard broker --data` is of use only if tomorrow's start finds today's records, on whatever port."""
    with EmbeddedBroker(data=tmp_path / "mine") as first:
        asyncio.run(create_topics(first.bootstrap, 1, [Topic.POLICY]))
        asyncio.run(_put(first.bootstrap, b"kept"))
    with EmbeddedBroker(data=tmp_path / "mine") as second:
        found = asyncio.run(_first(second.bootstrap))

    assert found == b"kept"
    assert not second.is_running


def test_nothing_is_left_when_whoever_started_it_is_killed(tmp_path):
    """A demo ended with kill -9 must not leave a Java process and its files behind."""
    with subprocess.Popen([sys.executable, "-c", STARTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as starter:
        port, folder = starter.stdout.readline().split()
        was_up = _listens(int(port))
        starter.kill()

    assert was_up
    assert _ends(lambda: not _listens(int(port)))
    assert _ends(lambda: not Path(folder).exists())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_says_how_to_use_it_and_ends_with_0_when_told_to(tmp_path, number):
    """SIGTERM is how a supervisor ends it, Ctrl-C how a person does."""
    program = "import typer; from guard.cli.broker import broker; typer.run(broker)"
    command = [sys.executable, "-c", program, "--port", "0", "--data", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        lines = [running.stdout.readline() for _ in range(3)]
        running.send_signal(number)
        running.communicate(timeout=PATIENCE_SECONDS)
    port = int(lines[1].rsplit(":", 1)[1])

    assert lines[1].strip() == f"export GUARD_BOOTSTRAP=127.0.0.1:{port}"
    assert running.returncode == 0
    assert not _listens(port)


def test_a_taken_port_is_one_clear_line(own_broker):
    """The commonest mistake: another Kafka is up already."""
    with pytest.raises(UsageError, match=f"port {own_broker.port} on 127.0.0.1 is taken; choose another"):
        EmbeddedBroker(port=own_broker.port).start()


def test_a_setting_that_kafka_refuses_is_told_in_its_words():
    """Without Kafka's own line nobody could mend it."""
    with pytest.raises(BrokerUnreachableError, match=r"num\.io\.threads"):
        EmbeddedBroker(settings={"num.io.threads": "none"}).start()


def test_a_jar_that_cannot_be_fetched_is_named_with_its_cause(tmp_path, monkeypatch):
    """The first start needs the network; without it the line must say what was missing and why."""
    monkeypatch.setenv("GUARD_MAVEN", "http://127.0.0.1:1/repository")
    monkeypatch.setattr("guard.streaming.broker.artifacts.PAUSE_SECONDS", 0)

    with pytest.raises(BrokerUnreachableError, match=r"org\.yaml:snakeyaml:2\.4 could not be fetched in 3 tries \(ConnectionError"):
        fetched(tmp_path, print, [jar for jar in pinned() if jar.artifact == "snakeyaml"])


def test_a_jar_that_was_changed_in_the_cache_is_never_run(tmp_path, monkeypatch):
    """A cache is a place others can write to: what does not hash as pinned is fetched again, or refused."""
    monkeypatch.setenv("GUARD_MAVEN", "http://127.0.0.1:1/repository")
    monkeypatch.setattr("guard.streaming.broker.artifacts.PAUSE_SECONDS", 0)
    jar = next(jar for jar in pinned() if jar.artifact == "jspecify")
    [sound] = fetched(cache_folder(), print, [jar])
    spoilt = jar.path(tmp_path / "kafka-4.1.0")
    spoilt.parent.mkdir()
    spoilt.write_bytes(sound.read_bytes() + b"!")

    with pytest.raises(BrokerUnreachableError, match="jspecify"):
        fetched(tmp_path, print, [jar])


def test_bytes_that_are_not_the_pinned_ones_are_refused(tmp_path, monkeypatch):
    """A registry or mirror that serves another file under the name must not get it run."""
    jar = next(jar for jar in pinned() if jar.artifact == "jspecify")
    repository = tmp_path / "repository" / "org/jspecify/jspecify/1.0.0"
    repository.mkdir(parents=True)
    (repository / "jspecify-1.0.0.jar").write_bytes(b"not a jar")
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(tmp_path / "repository")]
    monkeypatch.setattr("guard.streaming.broker.artifacts.PAUSE_SECONDS", 0)

    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        monkeypatch.setenv("GUARD_MAVEN", f"http://127.0.0.1:{server.stdout.readline().split(' port ')[1].split()[0]}")
        with pytest.raises(BrokerUnreachableError, match=r"jspecify:1\.0\.0 .*SHA-256 is not the pinned one"):
            fetched(tmp_path / "cache", print, [jar])
        server.kill()


def test_every_jar_is_pinned_by_version_and_hash():
    """What runs is what was read and tested."""
    jars = pinned()

    assert all(isinstance(jar, Jar) and len(bytes.fromhex(jar.sha256)) == 32 for jar in jars)
    assert len({jar.artifact for jar in jars}) == len(jars) == 46


def test_the_cache_lies_where_it_is_told_and_never_in_the_tree(monkeypatch):
    """GUARD_CACHE, then the desktop's convention, then the home folder."""
    monkeypatch.delenv("GUARD_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    by_convention = cache_folder()
    monkeypatch.setenv("GUARD_CACHE", "/elsewhere")

    assert by_convention == Path("/somewhere/guard")
    assert cache_folder() == Path("/elsewhere")
