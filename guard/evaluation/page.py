"""The report for people: one HTML page without any outside resource, to be read from the top."""

import html
import math
from collections.abc import Iterable, Sequence
from typing import Final

from guard.evaluation.calibration import Bin, calibration
from guard.evaluation.figures import figures, score_figures
from guard.evaluation.intervals import Measured
from guard.evaluation.metrics import recall
from guard.evaluation.result import RunResult
from guard.evaluation.tables import (
    CAUGHT_SHARE,
    MISSED_SHARE,
    ByVariant,
    by_variant_of,
    hostile_families,
    leakage_means,
    less_told,
    main_of,
    totals,
)
from guard.evaluation.targets import Row, Verdict, held
from guard.evaluation.variants import UNGUARDED, VARIANTS
from guard.simulation.families import FAMILIES

LEAK_AUC: Final = 0.9
"""A raw field that alone tells the sides apart this well says more about the simulator than about the guard."""
FALSE_POSITIVES_SHOWN: Final = 1_000
"""In the page; the JSON has all of them."""

STYLE: Final = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;width:100%;margin:1em 0}td,th{text-align:left;padding:.25em .6em;border-bottom:1px solid #ddd}"
    "td{vertical-align:top}.wide{overflow-x:auto}.wide td,.wide th{white-space:nowrap;font-size:13px}"
    ".wide td:nth-child(2){white-space:normal;min-width:18em}"
    "svg{max-width:100%;height:auto}.missed{color:#b00020;font-weight:600}.met{color:#1b6e2c}small{color:#666}"
)


def page(results: Sequence[RunResult]) -> str:
    """The whole page."""
    by_variant = by_variant_of(results)
    main = main_of(by_variant)
    parts = [
        f"<h1>Evaluation</h1><p>{_intro(results)}</p><p>{_reading(main)}</p>",
        *_targets(held(main, by_variant)),
        *(f"<h2>{html.escape(title)}</h2>{svg}" for title, svg in figures(main).items()),
        *_scores(main),
        *_variants(by_variant),
        *_less_told(by_variant),
        *_harvest(main, by_variant),
        "<h2>Honest accounts sanctioned</h2>",
        _false_positives(main),
        "<h2>Leakage of the simulator</h2>",
        f"<p><small>AUC of one raw field alone; from {LEAK_AUC} on the field gives the fleets away.</small></p>",
        _table(
            ("field", "AUC", ""),
            ((name, f"{auc:.3f}", "gives away" if auc >= LEAK_AUC else "") for name, auc in leakage_means(main).items()),
        ),
    ]
    body = "".join(parts)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Evaluation</title><style>{STYLE}</style><body>{body}</body></html>\n'
    )


def _intro(results: Sequence[RunResult]) -> str:
    worlds = ", ".join(sorted({result.world for result in results}))
    seeds = ", ".join(str(seed) for seed in sorted({result.seed for result in results}))
    loop = "closed loop" if all(result.is_closed for result in results) else "open loop"
    return html.escape(f"Worlds {worlds}; seeds {seeds}; {loop}; {sum(result.events for result in results):,} exchanges judged in all.")


def _reading(main: Sequence[RunResult]) -> str:
    played = "; ".join(f"{name}: {FAMILIES[name].what}" for name in hostile_families(main) if name in FAMILIES)
    variant = main[0].variant if main else ""
    return html.escape(
        f"Targets and figures are those of the variant {variant}. Intervals are 95 %; - means that so few accounts or campaigns show none. "
        "met: the bad end of the interval clears the bound, too; met, not proven: only the measured number does; not measured: nobody in "
        f"these worlds plays it, or a variant to compare with was not run. Families of attack here: {played}."
    )


def _targets(rows: Sequence[Row]) -> Iterable[str]:
    absent = [row for row in rows if row.verdict is Verdict.UNMEASURED]
    yield "<h2>Targets</h2>"
    yield _table(
        ("target", "measured, with 95 % interval", "bound", "verdict", "anchor"), (_cells(row) for row in rows if row not in absent)
    )
    if absent:
        yield f"<p><small>Not measured: {html.escape('; '.join(row.name for row in absent))}.</small></p>"


def _cells(row: Row) -> tuple[str, ...]:
    found, _, rest = row.line.removeprefix(f"{row.name}: ").partition(", bound ")
    return row.name, found, rest.rpartition(": ")[0], row.verdict.value, row.anchor


def _scores(main: Sequence[RunResult]) -> Iterable[str]:
    found = calibration(main)
    if found is None:
        return
    yield "<h2>What a score is worth</h2><p><small>"
    yield html.escape(
        "An account's score is the highest that it, its card or a campaign with it ever reached, sanctioned or not. A score is calibrated "
        "where the share of true campaign accounts beside it is as large as the score. The share depends on how many fleets these worlds "
        "hold, so it is no forecast for another crowd; scores of subjects that a label exempts count, too. What belongs to one "
        "fleet rises and falls together, so the intervals beside these shares are narrower than what is known."
    )
    yield "</small></p>"
    yield _table(
        ("highest score", "accounts", "mean score", "truly a campaign's", "considered campaigns", "truly one"),
        _bins(found.accounts, found.campaigns),
    )
    errors = (("accounts", found.accounts_error), ("accounts with any score", found.spoken_error), ("campaigns", found.campaigns_error))
    told = "; ".join(f"{name} {error:.3f}" for name, error in errors if error is not None)
    yield f"<p>Expected calibration error (mean distance between score and share): {html.escape(told)}.</p>"
    yield "<h2>How far the honest tail lies below the rungs</h2><p><small>"
    yield "Thresholds are set on honest accounts alone. A block also needs two independent families of evidence.</small></p>"
    yield _table(
        ("rung", "from score", "honest accounts that reached it", "hostile accounts that reached it"),
        ((rung.action, f"{rung.score:g}", _number(rung.honest, 100), _number(rung.hostile, 100)) for rung in found.rungs),
    )
    yield _table(
        ("of the honest accounts", "score at most", "below the first rung by"),
        (
            ("all" if share == "1" else f"{100 * float(share):g} %", f"{score:.3f}", f"{found.rungs[0].score - score:.3f}")
            for share, score in found.tail.items()
        ),
    )
    yield from (f"<h2>{html.escape(title)}</h2>{svg}" for title, svg in score_figures(main, found).items())


def _bins(accounts: Sequence[Bin], campaigns: Sequence[Bin]) -> Iterable[tuple[str, ...]]:
    of_accounts, of_campaigns = ({(one.low, one.high): one for one in side} for side in (accounts, campaigns))
    for low, high in sorted(of_accounts.keys() | of_campaigns.keys()):
        account, campaign = of_accounts.get((low, high)), of_campaigns.get((low, high))
        yield (
            f"{low:g} to {high:g}" if high else "0: nothing spoke",
            f"{account.share.n:,}" if account else "",
            f"{account.mean_score:.3f}" if account else "",
            _number(account.share, 100) if account else "",
            f"{campaign.share.n:,}" if campaign else "",
            _number(campaign.share, 100) if campaign else "",
        )


def _variants(by_variant: ByVariant) -> Iterable[str]:
    families = hostile_families(main_of(by_variant))
    header = (
        *(
            "variant",
            "what it is",
            "informedness",
            "caught",
            "honest sanctioned",
            "honest requests refused per million",
            "campaigns found",
            "campaigns blocked",
            "pooled exchanges to throttle",
            "to challenge or block",
        ),
        *(f"recall {family}" for family in families),
    )
    yield "<h2>Ablations, baselines and shuffled labels</h2>"
    yield "<p><small>Informedness: share of hostile accounts sanctioned less that of honest ones; 0 is chance. Caught, recall: share of all, or of a family's, "
    yield "accounts blocked, challenged or refused by a throttle. Pooled exchanges: of a campaign up to its first sanction and to its first challenge or block, medians.</small></p>"
    yield _table(
        header,
        (
            (
                total.variant,
                VARIANTS[total.variant],
                _number(total.informedness, 1),
                _number(total.caught, 100),
                _number(total.honest_sanctioned, 100),
                _number(total.honest_refused_per_million, 1),
                _number(total.cluster_recall, 100),
                _number(total.campaigns_blocked, 100),
                _number(total.pooled_to_throttle, 1),
                _number(total.pooled_to_stop, 1),
                *(_number(recall(by_variant[total.variant], (family,)), 100) for family in families),
            )
            for total in totals(by_variant)
        ),
        "wide",
    )


def _less_told(by_variant: ByVariant) -> Iterable[str]:
    found = less_told(by_variant)
    if len(found) < 2:
        return
    yield "<h2>What is still caught where gateways tell less</h2><p><small>"
    yield f"Caught: at least {100 * CAUGHT_SHARE:.0f} % of the family's accounts; missed: under {100 * MISSED_SHARE:.0f} %. With the required "
    yield "fields alone the guard does not even hear which requests were refused.</small></p>"
    yield _table(
        ("variant", "what it is", "caught", "in part", "missed"),
        (
            (told.variant, VARIANTS[told.variant], *(", ".join(names) or "none" for names in (told.caught, told.in_part, told.missed)))
            for told in found
        ),
    )


def _harvest(main: Sequence[RunResult], by_variant: ByVariant) -> Iterable[str]:
    free = {
        (result.world, result.seed, row.name): row
        for result in by_variant.get(UNGUARDED, ())
        for row in result.campaigns
        if row.accounts > 1
    }
    pairs = [
        (result, row, free[key]) for result in main for row in result.campaigns if (key := (result.world, result.seed, row.name)) in free
    ]
    if not pairs or main[0].variant == UNGUARDED:
        return
    yield "<h2>What the fleets got away with</h2><p><small>Answers by the model since the campaign began, and the accounts that the fleet "
    yield "called with. Cost: how many times the accounts it needs for the same harvest.</small></p>"
    yield _table(
        ("world", "campaign", "without a guard", "with the guard", "cost"),
        (
            (f"{result.world} {result.seed}", f"{row.family} {row.name}", _got(other.harvest, other.accounts), _got(row.harvest, row.accounts),
             f"{other.harvest / other.accounts / (row.harvest / row.accounts):.3g} x" if row.harvest else "no harvest")
            for result, row, other in pairs
        ),
    )  # fmt: skip


def _got(harvest: int, accounts: int) -> str:
    return f"{harvest:,} by {accounts:,} accounts"


def _number(measured: Measured, scale: float) -> str:
    if measured.value is None:
        return "-"
    unit = " %" if scale == 100 else ""
    value, low, high = ("-" if end is None else _shown(scale * end) for end in (measured.value, measured.low, measured.high))
    return f"{value}{unit}" if low == high == "-" else f"{value}{unit} [{low}, {high}]"


def _shown(number: float) -> str:
    return "never" if math.isinf(number) else f"{number:,.0f}" if abs(number) >= 1_000 else f"{number:.3g}"


def _false_positives(main: Sequence[RunResult]) -> str:
    found = [(result, one) for result in main for one in result.false_positives]
    if not found:
        return "<p>None.</p>"
    cells = (
        (
            f"{result.world} {result.seed}",
            one.account_id,
            f"{one.kind} {one.family}",
            f"{one.action} by {one.scope}",
            "; ".join(f"{why.code} {why.value:.4g} (threshold {why.threshold:.4g}, weight {why.weight:.2g})" for why in one.reasons),
        )
        for result, one in found[:FALSE_POSITIVES_SHOWN]
    )
    beyond = len(found) - FALSE_POSITIVES_SHOWN
    return _table(("world", "account", "kind", "action", "reasons"), cells) + (
        f"<p>{beyond:,} more in report.json.</p>" if beyond > 0 else ""
    )


def _table(header: Sequence[str], cells: Iterable[Sequence[str]], look: str = "") -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in header)
    body = "".join("<tr>" + "".join(_cell(text) for text in row) + "</tr>" for row in cells)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="{look}">{table}</div>' if look else table


def _cell(text: str) -> str:
    mark = f' class="{text}"' if text in {"met", "missed"} else ""
    return f"<td{mark}>{html.escape(text)}</td>"
