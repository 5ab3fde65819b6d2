"""What harvesting accounts look like, from examples: a logistic regression over the accounts' features, taught by labels and campaigns.

The weights are a function of a frozen state and the lessons since, in their order. So a lesson can be taken back exactly:
the model is begun anew from the frozen state without it. Lessons older than `LESSONS_MAX` go into the frozen state for good.
"""

from collections.abc import Callable, Mapping
from math import exp, log10
from typing import Final, TypeVar

from msgspec import Struct
from river import linear_model, optim, preprocessing

from guard.features.table import Feature

RATE: Final = 0.05
"""Step of the gradient descent; river's default of 0.01 needs thousands of lessons, and there are dozens."""
SHRINK: Final = 0.01
"""L2: no feature gets a large weight from a few examples."""
WEIGHT_MAX: Final = 3.0
"""No weight leaves these bounds, whatever is taught."""
SIGMAS_MAX: Final = 4.0
"""A feature farther out than this counts as if it were this far: nobody buys innocence with one extreme number."""
LESSONS_MAX: Final = 512
"""Lessons that can still be taken back; when they are full, the older half is frozen."""
EACH_MIN: Final = 20
"""Examples of either kind (extraction, benign) before the model says anything."""
CAP: Final = 0.1
"""What it may weigh at its most: less than a family needs to count for a block, far below the first rung."""
SPEAKS_FROM: Final = 0.9
"""Probability from which it speaks: even odds are no evidence."""


_Number = TypeVar("_Number", int, float)


class Lesson(Struct, frozen=True, array_like=True):
    """One example: features in [0, 1], whether it is extraction, and who says so (`label`, `crowd`, or a campaign's id)."""

    features: dict[str, float]
    is_extraction: bool
    provenance: str


class Weights(Struct, frozen=True):
    """A model's whole state in numbers: of the scaler, how often, mean and variance by feature; of the regression, the weights."""

    counts: dict[str, int] = {}
    means: dict[str, float] = {}
    variances: dict[str, float] = {}
    weights: dict[str, float] = {}
    intercept: float = 0.0
    steps: int = 0
    extraction: int = 0
    benign: int = 0


def scaled(table: tuple[Feature, ...], features: Mapping[str, float]) -> dict[str, float]:
    """Every feature that is known, in [0, 1] by its own range: linear where the range is small, else by its logarithm."""
    return {one.name: _unit(one, features[one.name]) for one in table if one.name in features}


def _unit(feature: Feature, value: float) -> float:
    value = min(max(value, feature.low), feature.high)
    if feature.high <= 1.0:
        return (value - feature.low) / (feature.high - feature.low)
    return log10(1.0 + value - feature.low) / log10(1.0 + feature.high - feature.low)


class SupervisedModel:
    """River's StandardScaler | LogisticRegression with bounded weights. Scoring is one sum over known features, about 2 us."""

    def __init__(self, frozen: Weights | None = None, lessons: tuple[Lesson, ...] = ()) -> None:
        self.frozen = Weights() if frozen is None else frozen
        self.lessons: list[Lesson] = []
        self._begin()
        for lesson in lessons:
            self.learn(lesson)

    def _begin(self) -> None:
        state = self.frozen
        self._scaler = preprocessing.StandardScaler()
        self._scaler.counts.update(state.counts)
        self._scaler.means.update(state.means)
        self._scaler.vars.update(state.variances)
        self._regression = self._regression_of(state.weights, state.intercept, state.steps)
        self.extraction, self.benign = state.extraction, state.benign
        self._line: dict[str, tuple[float, float, float]] = {}
        self._draw()

    @staticmethod
    def _regression_of(weights: dict[str, float], intercept: float, steps: int) -> linear_model.LogisticRegression:
        made = linear_model.LogisticRegression(optimizer=optim.SGD(RATE), l2=SHRINK, clip_gradient=1.0, intercept_lr=RATE)
        made.intercept = intercept
        made.optimizer.n_iterations = steps
        for name, weight in weights.items():
            made._weights[name] = weight  # noqa: SLF001  # river has no public way to begin with weights
        return made

    @property
    def is_ready(self) -> bool:
        """It has seen enough of both kinds."""
        return min(self.extraction, self.benign) >= EACH_MIN

    def score(self, features: Mapping[str, float]) -> float:
        """The probability of extraction, 0-1, for features in [0, 1]; a missing one counts as the mean. 0 while it is not ready."""
        if not self.is_ready:
            return 0.0
        total = self._regression.intercept
        for name, value in features.items():
            if name in self._line:
                weight, mean, deviation = self._line[name]
                total += weight * min(max((value - mean) / deviation, -SIGMAS_MAX), SIGMAS_MAX)
        return float(1.0 / (1.0 + exp(-total)))

    def learn(self, lesson: Lesson) -> None:
        """Take one example in. Who may teach, and how often, is for the caller to see to."""
        self.lessons.append(lesson)
        self._take(lesson)
        if len(self.lessons) > LESSONS_MAX:
            self._freeze(LESSONS_MAX // 2)
        self._draw()

    def _take(self, lesson: Lesson) -> None:
        self._scaler.learn_one(lesson.features)
        x = {name: min(max(z, -SIGMAS_MAX), SIGMAS_MAX) for name, z in self._scaler.transform_one(lesson.features).items()}
        self._regression.learn_one(x, lesson.is_extraction)
        for name, weight in self._regression.weights.items():
            if abs(weight) > WEIGHT_MAX:
                self._regression._weights[name] = min(max(weight, -WEIGHT_MAX), WEIGHT_MAX)  # noqa: SLF001  # as above
        self.extraction += lesson.is_extraction
        self.benign += not lesson.is_extraction

    def _draw(self) -> None:
        scaler = self._scaler
        for name, weight in self._regression.weights.items():
            deviation = scaler.vars[name] ** 0.5
            if deviation > 0:
                self._line[name] = (weight, scaler.means[name], deviation)

    def _freeze(self, count: int) -> None:
        older = SupervisedModel(self.frozen)
        for lesson in self.lessons[:count]:
            older._take(lesson)
        self.frozen = older.weights()
        del self.lessons[:count]

    def weights(self) -> Weights:
        """All that it knows, in numbers; features in the order of their names."""
        scaler, regression = self._scaler, self._regression
        return Weights(
            _ordered(scaler.counts), _ordered(scaler.means), _ordered(scaler.vars), _ordered(regression.weights),
            regression.intercept, regression.optimizer.n_iterations, self.extraction, self.benign,
        )  # fmt: skip

    def take_back(self, is_revoked: Callable[[str], bool]) -> int:
        """Forget the lessons of such a provenance as if they had never been; how many there were."""
        kept = [lesson for lesson in self.lessons if not is_revoked(lesson.provenance)]
        gone = len(self.lessons) - len(kept)
        if gone:
            self.lessons = kept
            self._begin()
            for lesson in kept:
                self._take(lesson)
            self._draw()
        return gone


def _ordered(numbers: Mapping[str, _Number]) -> dict[str, _Number]:
    return {name: numbers[name] for name in sorted(numbers)}
