"""After the draw: transcript and record, calls, seats, and removals that open a replacement act."""

from __future__ import annotations

from typing import Any

from flask import request

from app.draw import operations, papers, queries
from app.draw.forms_calls import ContactForm, RemovalForm
from app.draw.room import BOTH, back, blueprint, download, filled, the_draw
from app.ui.access import allow
from app.ui.language import language
from app.ui.request import db, me, settings


@blueprint.get("/draws/<draw_id>/transcript")
@allow(*BOTH)
def transcript(slug: str, draw_id: str) -> Any:
    """The transcript ZIP, for the verifier."""
    draw = the_draw(draw_id)
    data = queries.transcript(db(), me(), settings(), draw)
    name = f"transcript-{draw.kind}-{(draw.commitment_hash or '')[:16]}.zip"
    return download(data, "application/zip", name)


@blueprint.get("/draws/<draw_id>/slip")
@allow(*BOTH)
def slip(slug: str, draw_id: str) -> Any:
    """The record of the draw for signature, as PDF."""
    draw = the_draw(draw_id)
    data = papers.slip(db(), me(), draw, language(), settings())
    return download(data, "application/pdf", f"draw-{(draw.commitment_hash or draw.id)[:16]}.pdf")


@blueprint.post("/draws/<draw_id>/seats/<seat_id>/contact")
@allow("office")
def contact(slug: str, draw_id: str, seat_id: str) -> Any:
    draw, form = the_draw(draw_id), ContactForm()
    seat = queries.seat(draw, seat_id)
    return filled(
        draw,
        "contact_form",
        form,
        lambda: operations.record_contact(
            db(),
            me(),
            seat,
            form.channel.data,
            form.outcome.data,
            form.reason.data,
            form.note.data or "",
        ),
        ("通知已登记。", "The call is on record."),
    )


@blueprint.post("/draws/<draw_id>/seats/<seat_id>/confirm")
@allow("office")
def confirm(slug: str, draw_id: str, seat_id: str) -> Any:
    operations.confirm_seat(db(), me(), queries.seat(the_draw(draw_id), seat_id))
    return back(slug, draw_id, "席位已确认。", "The seat is confirmed.")


@blueprint.post("/draws/<draw_id>/removals")
@allow("office")
def removals(slug: str, draw_id: str) -> Any:
    draw, form = the_draw(draw_id), RemovalForm()
    chosen = [queries.seat(draw, key) for key in request.form.getlist("seats")]
    return filled(
        draw,
        "removal_form",
        form,
        lambda: operations.record_removals(
            db(),
            me(),
            draw,
            [(seat, form.reason.data, form.evidence.data or "") for seat in chosen],
        ),
        ("更换已登记，等待监督人员会签。", "The removals are on record and await the supervisor."),
    )
