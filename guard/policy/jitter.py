"""Where exactly a subject crosses: a little above the rung, elsewhere for each subject and period, and nobody without the key can tell.

A boundary that is the same for all is found by halving, and what one account paid to learn holds for its whole fleet. Here a fleet that
stays just below what n accounts learned still loses one account in n + 1 (the expected least of n uniform draws), and learns anew in the
next period. What it costs: subjects between the rung and their own point go free for longer. No dice: the offset is a keyed hash
(HMAC-SHA-256), so that replay and stream agree. It only asks for more, never for less.
"""

import hmac

from guard.policy.policy import Jitter


def offset_of(jitter: Jitter, scope: str, subject: str, at: int) -> float:
    """The share of a rung's remaining doubt that this subject must clear, too: 0 to below `share_max`, constant within a period."""
    if not jitter.share_max:
        return 0.0
    told = f"{scope}:{at // jitter.period_ms}:{subject}"
    digest = hmac.digest(jitter.key.encode(), told.encode(), "sha256")
    return jitter.share_max * int.from_bytes(digest[:6], "big") / 2**48


def raised(score: float, offset: float) -> float:
    """The rung's score (0-1) with `offset` (0-1) of its remaining doubt taken away: never below it, never 1, order kept."""
    return score + (1.0 - score) * offset
