"""A shard's models as one thing: their version, their snapshot, and when it is due."""

import zlib
from typing import Final

import msgspec
from msgspec import Struct

from guard.errors import GuardError
from guard.scoring.learned.change import ScoreChange
from guard.scoring.learned.crowd import CrowdModel
from guard.scoring.learned.drift import DriftModel
from guard.scoring.learned.quota import Quota
from guard.scoring.learned.supervised import Lesson, SupervisedModel, Weights

FORMAT: Final = 1
VERSION: Final = "online-1"
"""Named in every decision: which form of the models judged."""
SNAPSHOT_EVERY: Final = 200
"""Lessons between two snapshots; a crash loses at most so many."""
SNAPSHOT_BYTES_MAX: Final = 200_000


class _Snapshot(Struct, array_like=True):
    format: int
    seed: int
    learned: int
    crowd: list[dict[str, float]]
    ranks: list[float]
    moves: list[tuple[float, ...]]
    baseline: str = ""
    given: list[tuple[int, ...]] = []
    weights: Weights | None = None
    examples: list[Lesson] = []
    rebaselined_at: int = 0


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Snapshot).decode


class ShardModels:
    """The crowd model, the drift model and the supervised model of one shard, and who taught them lately."""

    def __init__(self, seed: int, baseline: str = "") -> None:
        self.seed = seed
        self.baseline = baseline
        """Short id of the baseline file that they began with; empty if they began with nothing."""
        self.version: Final = f"{VERSION}+{baseline}" if baseline else VERSION
        """Named in every decision."""
        self.quota = Quota()
        self.supervised = SupervisedModel()
        self.crowd = CrowdModel(seed)
        self.drift = DriftModel()
        self.change = ScoreChange()
        self.rebaselined_at = 0
        """Event time from which an operator had the crowd learned anew; 0 if never."""
        self._unsaved = 0
        self._learned = 0

    def drain_learned(self) -> int:
        """Lessons since the last call."""
        learned, self._learned = self._learned, 0
        return learned

    @property
    def due_snapshot(self) -> bool:
        """Enough was learned since the last snapshot."""
        return self._unsaved >= SNAPSHOT_EVERY

    def learn(self, vector: dict[str, float], moves: tuple[float, ...] | None) -> None:
        """One lesson of the benign crowd: how it looks, and how far it moved if it has a past."""
        self.change.observe(self.crowd.rank(vector), None if moves is None else self.drift.score(moves))
        self.crowd.learn(vector)
        if moves is not None:
            self.drift.learn(moves)
        self._count_lesson()

    def learn_example(self, lesson: Lesson) -> None:
        """One example for the supervised model."""
        self.supervised.learn(lesson)
        self._count_lesson()

    def restore_crowd(self, lessons: list[dict[str, float]], learned: int, ranks: list[float], moves: list[tuple[float, ...]]) -> None:
        """Give a fresh crowd and drift model what others of their kind had learned. Raises ValueError for numbers out of range."""
        self.crowd.restore(lessons, learned, ranks)
        for one in moves:
            self.drift.learn(one)

    def begin_anew(self, at: int) -> None:
        """Forget the crowd and how far its members move; what labels and campaigns taught stays. `at` is the operator's event time."""
        self.crowd, self.drift, self.change = CrowdModel(self.seed), DriftModel(), ScoreChange()
        self.rebaselined_at = at
        self._unsaved += SNAPSHOT_EVERY

    def take_back(self, campaigns: frozenset[str]) -> int:
        """Forget the examples that rested on these campaigns; how many there were."""
        gone = self.supervised.take_back(campaigns.__contains__)
        self._unsaved += SNAPSHOT_EVERY if gone else 0
        return gone

    def _count_lesson(self) -> None:
        self._unsaved += 1
        self._learned += 1

    def to_bytes(self) -> bytes:
        """The lessons that still matter, packed; the same models give the same bytes. At most 200 KB, mostly 40."""
        self._unsaved = 0
        crowd, examples = self.crowd, self.supervised
        snapshot = _Snapshot(
            FORMAT, self.seed, crowd.learned, list(crowd.lessons), list(crowd.ranks), list(self.drift.lessons),
            self.baseline, list(self.quota.given), examples.frozen, examples.lessons,
            self.rebaselined_at,
        )  # fmt: skip
        return zlib.compress(_encode(snapshot), 1)

    @classmethod
    def from_bytes(cls, packed: bytes) -> "ShardModels":
        """The models that were packed. Raises GuardError for damaged bytes or a newer format."""
        try:
            stored = _decode(zlib.decompress(packed))
        except (zlib.error, msgspec.MsgspecError) as error:
            raise GuardError(f"model snapshot: {error}; it should be one that a guard wrote") from None
        if stored.format > FORMAT:
            raise GuardError(f"model snapshot has format {stored.format}, this guard reads up to {FORMAT}: run the newer version")
        models = cls(stored.seed, stored.baseline)
        models.quota = Quota(stored.given)
        models.rebaselined_at = stored.rebaselined_at
        models.supervised = SupervisedModel(stored.weights, tuple(stored.examples))
        try:
            models.restore_crowd(stored.crowd, stored.learned, stored.ranks, stored.moves)
        except ValueError as error:
            raise GuardError(f"model snapshot: {error}; it should be one that a guard wrote") from None
        return models
