"""How many enforcers share a rate, told by their last words."""

from guard.gateway.presence import GONE_MS, Presence

AT = 1_790_000_000_000


def heard(*words: tuple[str, int]) -> Presence:
    """What one knows who has heard these."""
    presence = Presence()
    for name, at in words:
        presence.hear(name, AT + at, is_leaving=False)
    return presence


def test_who_is_silent_while_others_speak_is_gone_and_who_says_so_at_once() -> None:
    """A share that nobody gives would be missing from every rate."""
    presence = heard(("a", 0), ("b", 0), ("c", 0), ("b", 5_000), ("c", 5_000), ("b", 10_000), ("c", 10_000))
    assert presence.count == 3
    presence.hear("b", AT + GONE_MS + 1, is_leaving=False)
    assert presence.count == 2
    presence.hear("b", AT + GONE_MS + 2, is_leaving=True)
    assert presence.count == 1


def test_when_all_were_silent_it_was_the_broker_and_all_are_still_there() -> None:
    """The first to be back after an outage would give the whole rate, and so would the next."""
    presence = heard(("a", 0), ("b", 1_000), ("c", 2_000), ("a", 90_000))
    assert presence.count == 3
    presence.hear("b", AT + 100_000, is_leaving=False)
    presence.hear("a", AT + 90_000 + GONE_MS + 1, is_leaving=False)
    assert presence.count == 2
