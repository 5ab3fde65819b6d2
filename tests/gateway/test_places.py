"""A topic is known again by the record that was read last: one that was made anew is told from it, however long it is."""

from dataclasses import dataclass

from guard.gateway.places import Places


@dataclass
class Record:
    """A record of a topic."""

    offset: int
    value: bytes | None = b""


def topic(*values: bytes, first: int = 0) -> list[Record]:
    """Its records from `first` on."""
    return [Record(first + number, value) for number, value in enumerate(values)]


def read(*values: bytes) -> Places:
    """A reader, connected anew, that had read these."""
    before = Places()
    before.unread(0, topic(*values))
    return Places(before.known)


def test_a_connection_begins_with_the_record_that_was_read_last_and_takes_what_comes_after() -> None:
    """The one record read twice is the price of knowing the topic again."""
    places = read(b"a", b"b", b"c")
    assert places.begin(0, 0) == 2
    assert places.unread(0, topic(b"c", b"d", first=2)) == topic(b"d", first=3)
    assert places.unread(0, topic(b"e", first=4)) == topic(b"e", first=4)


def test_a_topic_made_anew_is_told_from_the_old_one_though_it_is_longer_by_now() -> None:
    """Orders of both would be obeyed as if they were one."""
    assert read(b"a", b"b", b"c").unread(0, topic(b"z", b"d", first=2)) is None


def test_a_record_that_compaction_took_is_no_proof_and_everything_is_read_again() -> None:
    """Rather read twice than mixed."""
    assert read(b"a", b"b", b"c").unread(0, topic(b"d", first=5)) is None


def test_a_topic_that_begins_anew_under_an_open_connection_is_noticed() -> None:
    """The client goes on at the beginning by itself when its offset is gone."""
    places = Places()
    places.unread(0, topic(b"a", b"b", b"c"))
    assert places.unread(0, topic(b"a", b"b")) is None


def test_a_topic_shorter_than_what_was_read_is_noticed_before_anything_is_read() -> None:
    """Nothing would come until it had grown as long."""
    places = read(b"a", b"b", b"c")
    assert [places.is_beyond(0, end) for end in (0, 2, 3, 9)] == [True, True, False, False]
    assert not places.is_beyond(1, 0)
    places.forget()
    assert places.begin(0, 7) == 7
