"""Time at the gateway: trimmed clocks are followed, jumps are not, and a correction is believed in the end."""

from guard.gateway.clock import BELIEVED_MS, SteadyClock

AT = 1_790_000_000_000


class Machine:
    """A machine's two clocks, moved by hand."""

    def __init__(self) -> None:
        self.wall, self.monotonic = AT, 5_000
        self.clock = SteadyClock(lambda: self.wall, lambda: self.monotonic)

    def pass_ms(self, elapsed: int, drift: int = 0) -> int:
        self.wall += elapsed + drift
        self.monotonic += elapsed
        return self.clock()


def test_a_trimmed_clock_is_followed() -> None:
    """NTP corrects by small amounts all day; an enforcer that kept its own time would drift from whoever decides."""
    machine = Machine()
    for _ in range(1_000):
        machine.pass_ms(100, drift=5)
    assert machine.clock() == machine.wall


def test_a_jump_ahead_ends_no_block_early_and_a_jump_back_makes_none_last() -> None:
    """Else one wrong time server would release every campaign, or hold people for a day."""
    for jump in (3_600_000, -3_600_000, 86_400_000):
        machine = Machine()
        machine.wall += jump
        assert machine.pass_ms(1_000) == AT + 1_000
        assert machine.pass_ms(60_000) == AT + 61_000
        assert machine.clock.step_ms == jump


def test_a_step_that_lasts_is_a_correction() -> None:
    """A machine that booted with the wrong time must come right without a restart."""
    machine = Machine()
    machine.wall += 3_600_000
    machine.pass_ms(1)
    assert machine.pass_ms(BELIEVED_MS) == machine.wall
    assert machine.clock.step_ms == 0


def test_a_step_that_is_taken_back_leaves_no_trace() -> None:
    """Whatever was believed for a moment must not stay as an offset."""
    machine = Machine()
    machine.wall += 3_600_000
    machine.pass_ms(1_000)
    machine.wall -= 3_600_000
    assert machine.pass_ms(BELIEVED_MS) == machine.wall == AT + 1_000 + BELIEVED_MS
