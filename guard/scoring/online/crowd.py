"""How far a subject stands outside the crowd: half-space trees, and the rank of their raw score among recent honest ones."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Final

from river import utils
from river.anomaly import HalfSpaceTrees

from guard.scoring.online.packing import Reader, Writer

TREES: Final = 10
HEIGHT: Final = 6
"""1,270 nodes, about 0.3 MB; the default 10 x 8 costs four times the memory and a third more time and ranks no better in our stories."""

WINDOW: Final = 250
"""Lessons after which the trees' masses are renewed (the method's own default)."""

CROWD_WINDOW: Final = 1_000
"""Recent raw scores that a new one is ranked among: the last per cent is then ten lessons."""

WARM_LESSONS: Final = 500
"""Below, the score is 0: the first window fills the trees, the second one the ranks."""

CAP: Final = 0.6
"""An unsupervised score alone must never reach the first rung, 0.7."""

UNUSUAL_RANK: Final = 0.99
"""Within the crowd's 99 % nothing is said."""

MEAN_LESSONS_MAX: Final = 10_000
"""Lessons over which the crowd's mean of a feature is averaged; later it follows."""


class CrowdModel:
    """Half-space trees over features in [0, 1] (Tan, Ting, Liu 2011), ranked: 0 within the crowd's 99 %, `CAP` beyond all of it.

    A missing feature is taken to be the crowd's mean, so that what a gateway does not tell makes nobody look odd (river's own
    rule, the heavier half, depends on where in its window the model is). Values outside [0, 1] count as the nearer end.
    Bounded: 10 trees of 127 nodes, 1,000 scores. Score about 9 us, lesson about 30 us.
    """

    def __init__(self, names: Sequence[str], seed: int) -> None:
        assert len(set(names)) == len(names) > 0
        self.names = tuple(sorted(names))
        self._trees = HalfSpaceTrees(n_trees=TREES, height=HEIGHT, window_size=WINDOW, seed=seed)
        self._means = [0.5] * len(self.names)
        self._ranks: utils.SortedWindow[float] = utils.SortedWindow(CROWD_WINDOW)
        self.learned = 0
        self._build()

    def _build(self) -> None:
        """The trees grow at their first lesson: give them one, then take it back."""
        self._trees.learn_one(dict.fromkeys(self.names, 0.5))
        self._trees.counter = 0
        for node in self._nodes():
            node.l_mass = 0

    def _nodes(self):  # type: ignore[no-untyped-def] # noqa: ANN202 - river's nodes have no type of their own
        return [node for nodes in self._trees._tree_nodes for node in nodes]  # noqa: SLF001 - masses are the model's memory

    def score(self, features: Mapping[str, float]) -> float:
        """0 within the crowd's 99 %, up to `CAP` beyond all of it; 0 before the model is warm. Changes nothing."""
        return CAP * self.rank(features)

    def rank(self, features: Mapping[str, float]) -> float:
        """How far beyond the crowd's 99 %, 0-1. Changes nothing."""
        if self.learned < WARM_LESSONS:
            return 0.0
        crowd = self._ranks.data
        rank = bisect_left(crowd, self._raw(self._complete(features))) / len(crowd)
        return max(0.0, (rank - UNUSUAL_RANK) / (1.0 - UNUSUAL_RANK))

    def learn(self, features: Mapping[str, float]) -> None:
        """Take one honest subject's features in."""
        complete = self._complete(features)
        if self.learned >= WINDOW:
            self._ranks.append(self._raw(complete))
        self._trees.learn_one(complete)
        self.learned += 1
        step = 1.0 / min(self.learned, MEAN_LESSONS_MAX)
        for place, name in enumerate(self.names):
            self._means[place] += (complete[name] - self._means[place]) * step

    def _raw(self, complete: Mapping[str, float]) -> float:
        return float(self._trees.score_one(complete))

    def _complete(self, features: Mapping[str, float]) -> dict[str, float]:
        get = features.get
        return {name: min(max(get(name, mean), 0.0), 1.0) for name, mean in zip(self.names, self._means, strict=True)}

    def write(self, out: Writer) -> None:
        """All that has been learnt, splits included, so that no later version of the library can grow other trees."""
        nodes = self._nodes()
        branches = [node for node in nodes if node.children] if False else [node for node in nodes if hasattr(node, "threshold")]
        out.texts(self.names)
        out.ints((self.learned, self._trees.counter, int(self._trees._first_window), TREES, HEIGHT, WINDOW, CROWD_WINDOW))  # noqa: SLF001
        out.ints([self.names.index(node.feature) for node in branches])
        out.floats([node.threshold for node in branches])
        out.ints([node.l_mass for node in nodes])
        out.ints([node.r_mass for node in nodes])
        out.floats(self._means)
        out.floats(self._ranks.unsorted_window)
