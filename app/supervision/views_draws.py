"""Every draw and one draw: time line, replay, differences between pools, rates and shares."""

from __future__ import annotations

from typing import Any

from flask import render_template, request, url_for

from app.draw import messages, papers
from app.draw.sources import named
from app.supervision import queries_draws, rates, shares, snapshots
from app.supervision.pages import KINDS, blueprint
from app.ui.access import allow
from app.ui.language import language
from app.ui.request import db, me

TOP = 15  # rows of a picture


@blueprint.get("/draws")
@allow("supervisor")
def draws() -> Any:
    """Every attempt of every round, aborted ones too."""
    return render_template(
        "supervision/draws.html",
        lines=queries_draws.all_draws(db(), me(), request.args.get("sort", "-at")),
        messages=messages,
    )


@blueprint.get("/draws/<draw_id>")
@allow("supervisor")
def draw(draw_id: str) -> Any:
    """One draw: what was committed, cosigned and typed, and everything on record in order."""
    found = queries_draws.one(db(), me(), draw_id)
    return render_template(
        "supervision/draw.html",
        draw=found,
        attempts=queries_draws.same_purpose(db(), found),
        moments=queries_draws.timeline(db(), me(), found),
        refused=queries_draws.refused(db(), me(), found),
        sources=queries_draws.sources(found),
        parties=queries_draws.parties(db(), found),
        cosignatures=queries_draws.cosignatures(db(), found),
        messages=messages,
        source_named=named,
    )


@blueprint.get("/draws/<draw_id>/replay")
@allow("supervisor")
def replay(draw_id: str) -> Any:
    """The draw computed again in this browser from its transcript."""
    found = queries_draws.one(db(), me(), draw_id)
    at: dict[str, Any] = {"slug": found.round.slug, "draw_id": found.id}
    return render_template(
        "supervision/replay.html",
        draw=found,
        transcript=url_for("draw.transcript", **at) if found.transcript_sha256 else "",
        verifiers=papers.verifiers(),
        messages=messages,
    )


@blueprint.get("/differences")
@allow("supervisor")
def differences() -> Any:
    """What differs between the frozen pools of two committed draws."""
    committed = snapshots.committed(db(), me())
    before, after = request.args.get("before", ""), request.args.get("after", "")
    shown = snapshots.difference(db(), me(), before, after) if before and after else None
    return render_template(
        "supervision/differences.html",
        draws=committed,
        shown=shown,
        before=before,
        after=after,
        messages=messages,
    )


def _kind() -> str:
    kind = request.args.get("kind", "")
    return kind if kind in KINDS else rates.main_kind(db())


@blueprint.get("/rates", endpoint="rates")
@allow("supervisor")
def rate_page() -> Any:
    """Declines, unanswered calls and removals by operator and reason."""
    return render_template(
        "supervision/rates.html", rates=rates.rates(db(), me(), _kind()), messages=messages
    )


@blueprint.get("/shares", endpoint="shares")
@allow("supervisor")
def share_page() -> Any:
    """Seats of each expert and employer over the rounds, against the frozen chances."""
    found = shares.shares(db(), me(), _kind())
    of = "employer" if request.args.get("of") == "employer" else "expert"
    rows = found.employers if of == "employer" else found.experts
    return render_template(
        "supervision/shares.html",
        found=found,
        of=of,
        rows=shares.ordered(rows, request.args.get("sort", "p")),
        picture=shares.picture(rows[:TOP], language()) if rows else "",
        top=TOP,
    )
