"""The accounts stage alone, measured: its forwards go to the topic, and nobody reads them."""

from guard.engine.accounts import AccountsStage
from guard.streaming.stages import StageKind, engine_stages
from tests.bench.measured import measure


class _Idle:
    """Takes nothing in."""

    newest_at = 0

    def __init__(self, stage: object) -> None:
        self._stage = stage

    def step(self, records: object) -> None:
        """Read, and nothing else."""

    def follow(self, control: object) -> None:
        """Nothing to follow."""

    def drain(self) -> object:
        """Nothing came of it."""
        return self._stage.drain()  # type: ignore[attr-defined]


if __name__ == "__main__":
    table = engine_stages()
    idle = {kind: (lambda *given, made=made: _Idle(made(*given))) for kind, made in table.items() if kind is not StageKind.ACCOUNTS}
    measure({**idle, StageKind.ACCOUNTS: AccountsStage})
