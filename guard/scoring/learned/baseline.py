"""A baseline: what models have learned, as a portable file, so that day one is not blind. JSON, hashed, bounded, no pickle."""

import hashlib
from collections.abc import Iterable
from math import isfinite
from typing import Final

import msgspec
from msgspec import Struct

from guard.errors import InputError
from guard.scoring.learned.crowd import RANKS_MAX, WINDOW, squashed
from guard.scoring.learned.drift import LESSONS_MAX as MOVES_MAX
from guard.scoring.learned.models import ShardModels
from guard.scoring.learned.past import MOVES
from guard.scoring.learned.supervised import WEIGHT_MAX, SupervisedModel, Weights

FORMAT: Final = 1
BASELINE_BYTES_MAX: Final = 1024 * 1024
"""A full baseline takes about a quarter of it."""
FEATURES_MAX: Final = 64
"""Features of a supervised model; the accounts' table has about a dozen."""
ID_DIGITS: Final = 8

_VECTOR: Final = frozenset(squashed({}))


class Baseline(Struct, frozen=True, forbid_unknown_fields=True):
    """What was learned: lessons and ranks of the crowd model, moves of the drift model, weights of the supervised one."""

    seed: int
    learned: int
    """Lessons of the crowd in all; the newest of them follow."""
    crowd: list[dict[str, float]]
    ranks: list[float]
    moves: list[tuple[float, ...]]
    supervised: Weights


class _Head(Struct):
    format: int


class _File(Struct, frozen=True):
    format: int
    sha256: str
    baseline: Baseline


_encode: Final = msgspec.json.Encoder(order="deterministic").encode


def digest(baseline: Baseline) -> str:
    """The SHA-256 of its canonical form: JSON with sorted keys, no blanks, shortest floats."""
    return hashlib.sha256(_encode(baseline)).hexdigest()


def short_id(baseline: Baseline) -> str:
    """The first digits of its hash, as every decision names it."""
    return digest(baseline)[:ID_DIGITS]


def baseline_of(models: ShardModels) -> Baseline:
    """What these models know. Lessons of the supervised model become weights: in the file nothing can be taken back any more."""
    crowd = models.crowd
    return Baseline(
        models.seed, crowd.learned, list(crowd.lessons), list(crowd.ranks), list(models.drift.lessons), models.supervised.weights()
    )


def models_of(baseline: Baseline) -> ShardModels:
    """Models that begin with it. Every shard begins with the same."""
    models = ShardModels(baseline.seed, short_id(baseline))
    models.restore_crowd(baseline.crowd, baseline.learned, baseline.ranks, baseline.moves)
    models.supervised = SupervisedModel(baseline.supervised)
    return models


def encode_baseline(baseline: Baseline) -> bytes:
    """The file's bytes; the same lessons give the same bytes."""
    return _encode(_File(FORMAT, digest(baseline), baseline)) + b"\n"


def decode_baseline(content: bytes) -> Baseline:
    """The baseline in a file's bytes. Raises InputError with one line for what is oversized, newer, damaged or out of range."""
    if len(content) > BASELINE_BYTES_MAX:
        raise InputError(f"baseline: more than {BASELINE_BYTES_MAX:,} bytes; it should be a file that `guard fit` wrote")
    try:
        head = msgspec.json.decode(content, type=_Head)
        if head.format > FORMAT:
            raise InputError(f"baseline: format {head.format}, this guard reads up to {FORMAT}; run the newer version or fit again")
        file = msgspec.json.decode(content, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"baseline: {ascii(str(error))[1:-1][:160]}; it should be a file that `guard fit` wrote") from None
    if file.sha256 != digest(file.baseline):
        raise InputError("baseline: its content does not match its sha256; it was changed or damaged, fetch it again or fit anew")
    _check(file.baseline)
    return file.baseline


def _check(baseline: Baseline) -> None:
    weights = baseline.supervised
    sizes = (len(weights.counts), len(weights.means), len(weights.variances), len(weights.weights))
    limits = (
        ("crowd", len(baseline.crowd) <= 2 * WINDOW and all(one.keys() == _VECTOR and _within(one.values()) for one in baseline.crowd)),
        ("ranks", len(baseline.ranks) <= RANKS_MAX and _within(baseline.ranks)),
        ("moves", len(baseline.moves) <= MOVES_MAX and all(len(one) == len(MOVES) and _within(one, 1e3) for one in baseline.moves)),
        ("learned", len(baseline.crowd) <= baseline.learned <= 2**53 and 0 <= baseline.seed < 2**31),
        ("supervised", max(sizes) <= FEATURES_MAX and _within(weights.weights.values(), WEIGHT_MAX)),
        ("supervised", _within(weights.means.values()) and _within(weights.variances.values()) and _within([weights.intercept], 1e3)),
        ("supervised", min(weights.variances.values(), default=0.0) >= 0.0 <= min(weights.steps, weights.extraction, weights.benign)),
    )
    for name, is_right in limits:
        if not is_right:
            raise InputError(f"baseline: {name} is outside its limits; it should be a file that `guard fit` wrote")


def _within(numbers: Iterable[float], limit: float = 1.0) -> bool:
    return all(isfinite(one) and abs(one) <= limit for one in numbers)
