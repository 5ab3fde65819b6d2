"""Which models count as new: first sight in a crowd that was heard for a while, by more than one account, or by the calendar."""

from guard.state.releases import HEARD_MIN, MODELS_MAX, RELEASE_MS, Releases

AT = 1_700_000_000_000
HEARD = HEARD_MIN + 1


def _released(releases: Releases, model: str, at: int = AT) -> None:
    releases.hear(model, "a", at, HEARD, {})
    releases.hear(model, "b", at + 1, HEARD, {})


def test_a_model_that_was_there_from_the_beginning_is_no_release() -> None:
    """A new guard has seen no model yet: all of them would be released at once."""
    releases = Releases()
    for account in ("a", "b"):
        releases.hear("m-1", account, AT, HEARD_MIN, {})
    assert not releases.is_on(AT)


def test_a_model_first_seen_later_is_a_release_from_its_second_account_on() -> None:
    """A model of one account is private; its first sight counts, not its second."""
    releases = Releases()
    releases.hear("m-2", "a", AT, HEARD, {})
    releases.hear("m-2", "a", AT + 5, HEARD, {})
    assert not releases.is_on(AT + 5)
    releases.hear("m-2", "b", AT + 10, HEARD, {})
    assert (releases.wave_at, releases.wave) == (AT, ["m-2"])
    assert releases.is_on(AT + RELEASE_MS)
    assert not releases.is_on(AT + RELEASE_MS + 1)


def test_models_released_within_a_day_are_one_wave_and_the_next_day_begins_another() -> None:
    """A large and a small model come out together: who takes the one or the other has moved."""
    releases = Releases()
    _released(releases, "m-2")
    _released(releases, "m-3", AT + RELEASE_MS // 2)
    assert releases.wave == ["m-2", "m-3"]
    _released(releases, "m-4", AT + 2 * RELEASE_MS)
    assert (releases.wave_at, releases.wave) == (AT + 2 * RELEASE_MS, ["m-4"])


def test_the_calendar_makes_a_known_model_a_release_once_and_an_old_date_makes_none() -> None:
    """Operators know of a release under an old name; what they announced long ago is none."""
    releases = Releases()
    for account in ("a", "b"):
        releases.hear("m-1", account, AT, 0, {})
    assert not releases.hear("m-1", "c", AT + 10, HEARD, {"m-1": AT - RELEASE_MS})
    assert releases.hear("m-1", "c", AT + 10, HEARD, {"m-1": AT + 5})
    assert not releases.hear("m-1", "d", AT + 11, HEARD, {"m-1": AT + 5})
    assert (releases.wave_at, releases.wave) == (AT + 5, ["m-1"])


def test_beyond_the_bound_a_private_model_gives_way_and_public_ones_do_not() -> None:
    """Fine-tuned models come by the thousand, each for one account."""
    releases = Releases()
    for number in range(MODELS_MAX - 1):
        releases.hear(f"old-{number}", "a", AT, 0, {})
    releases.hear("private", "a", AT, HEARD, {})
    assert releases.hear("another", "b", AT, HEARD, {})
    assert len(releases.models) == MODELS_MAX
    assert "private" not in releases.models
    assert releases.hear("another", "c", AT + 1, HEARD, {})
    assert not releases.hear("one-too-many", "a", AT, HEARD, {})
