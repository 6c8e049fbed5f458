"""Scores that explain themselves: agreement, how sure the ranks are, how the experts mark.

The supervisor reads all of it. The office reads agreement and ranks, on the marks that it sees beside a
run anyway, but neither who is pivotal nor anybody's severity. Before there is a run there is nothing to
look at, and a GET keeps nothing.
"""

from __future__ import annotations

from typing import Any

from flask import g, render_template, request
from markupsafe import Markup

from app.aggregation import diagnostics_drawings as drawings
from app.aggregation import queries
from app.aggregation.diagnostics import SHADOW_RULE, Diagnosis
from app.aggregation.diagnostics_agreement import item_agreements, panel_agreements, simulated
from app.aggregation.diagnostics_checks import check_agreements
from app.aggregation.diagnostics_kept import kept
from app.aggregation.diagnostics_queries import diagnosis_of, names_of_raters
from app.aggregation.diagnostics_words import (
    changed_list,
    consistency_words,
    drift_words,
    said_text,
    severity_words,
)
from app.aggregation.pages import blueprint
from app.aggregation.reading import Reading
from app.documents.charts_ranks import percent
from app.documents.charts_raters import signed
from app.domain.types import Language
from app.ui.access import allow
from app.ui.language import language
from app.ui.request import db, me


def _language() -> Language:
    return "en" if language() == "en" else "zh"


def _svg(drawn: str | None) -> Markup | None:
    return None if drawn is None else Markup(drawn)  # our own SVG, escaped there


@blueprint.get("/runs/<int:number>/agreement")
@allow("office", "supervisor")
def agreement(slug: str, number: int) -> Any:
    """How far the experts agree, what it triggered, what to do; `?interval=stage/panel` simulates the
    bounds where no formula gives any."""
    run = queries.run(db(), me(), g.round, number)
    reading = Reading(run)
    asked = request.args.get("interval", "")
    rows = []
    for found in panel_agreements(reading):
        residuals = drawings.Residuals(reading, found.stage, found.panel)
        key = f"{found.stage}/{found.panel}"
        rows.append(
            {
                "key": key,
                "found": found,
                "items": item_agreements(reading, found.stage, found.panel),
                "residuals": residuals,
                "heat": _svg(None if residuals.reason else residuals.svg(_language())),
                "simulated": simulated(reading, found.stage, found.panel)
                if asked == key and found.lacks_interval
                else None,
            }
        )
    return render_template(
        "aggregation/diagnostics_agreement.html",
        run=run,
        rows=rows,
        checks=check_agreements(reading.counties),
        signed=signed,
    )


@blueprint.get("/runs/<int:number>/ranks")
@allow("office", "supervisor")
def ranks(slug: str, number: int) -> Any:
    """How sure each rank is and what the list hangs on; `?top=K` looks at another cut line."""
    run = queries.run(db(), me(), g.round, number)
    looked = diagnosis_of(db(), run)
    if looked.stale is not None:
        return _stale(looked, "ranks")
    cut = looked.cut(request.args.get("top", type=int))
    found = kept("ranks", looked, cut, lambda: looked.certainty(cut))
    overseer = me().role == "supervisor"
    names = names_of_raters(db(), [r for r, _ in found.pivotal]) if overseer else {}
    return render_template(
        "aggregation/diagnostics_ranks.html",
        run=run,
        reading=looked.reading,
        found=found,
        cut=cut,
        overseer=overseer,
        names=names,
        others=[o for o in found.others if overseer or o.name != SHADOW_RULE],
        intervals=_svg(drawings.intervals_with_cut(looked.reading, found, _language())),
        chances=_svg(drawings.chances(looked.reading, found, _language())),
        class_name=drawings.class_name,
        changed=changed_list,
        percent=percent,
        said=said_text,
        seed=looked.seed,
    )


@blueprint.get("/runs/<int:number>/raters")
@allow("supervisor")
def raters(slug: str, number: int) -> Any:
    """How each expert marks; severity only where all can be compared with one another."""
    run = queries.run(db(), me(), g.round, number)
    looked = diagnosis_of(db(), run)
    if looked.stale is not None:
        return _stale(looked, "raters")
    cut = looked.cut(request.args.get("top", type=int))
    stages = [
        {
            "found": found,
            "forest": _svg(drawings.forest(found, _language()) if found.found.connected else None),
            "h": _svg(drawings.mandel_chart(found, "h", _language())),
            "k": _svg(drawings.mandel_chart(found, "k", _language())),
            "mandel": drawings.mandel_rows(found),
        }
        for found in kept("raters", looked, None, looked.all_raters)
    ]
    return render_template(
        "aggregation/diagnostics_raters.html",
        run=run,
        reading=looked.reading,
        found_of=stages,
        shadow=kept("shadow", looked, cut, lambda: looked.shadow(cut)),
        cut=cut,
        class_name=drawings.class_name,
        severity_words=severity_words,
        consistency_words=consistency_words,
        drift_words=drift_words,
        said=said_text,
    )


def _stale(looked: Diagnosis, page: str) -> Any:
    return render_template(
        "aggregation/diagnostics_stale.html", run=looked.run, reason=looked.stale, page=page
    )
