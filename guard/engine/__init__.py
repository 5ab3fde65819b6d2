"""The engine: three stages over one verb chain (observe, features, score, judge), pure and replayable.

`accounts` takes request events, `links` what accounts share, `campaigns` what shared keys have in common.
"""
