"""The truth dealt out anew: whatever finds more than chance then, has seen the labels."""

import random

import msgspec

from guard.evaluation.result import RunResult


def shuffled(result: RunResult, variant: str) -> RunResult:
    """The result with kinds, families and campaigns exchanged among its accounts at random; what happened to each stays.

    Campaigns, considered ones too, and false positives are gone: none has a meaning under a made-up truth.
    """
    truths = [(row.kind, row.is_honest, row.family, row.campaign) for row in result.accounts]
    random.Random(f"{result.seed}:shuffled").shuffle(truths)
    rows = tuple(
        msgspec.structs.replace(row, kind=kind, is_honest=is_honest, family=family, campaign=campaign)
        for row, (kind, is_honest, family, campaign) in zip(result.accounts, truths, strict=True)
    )
    return msgspec.structs.replace(result, variant=variant, accounts=rows, campaigns=(), clusters=(), false_positives=(), candidates=())
