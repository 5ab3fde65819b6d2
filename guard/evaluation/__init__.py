"""How well the guard does: worlds by seeds by variants, one result each, and one report over all of them.

`ledger` sees a run, `metrics` turns results into numbers, `targets` holds them against the bounds, `report` prints them.
"""
