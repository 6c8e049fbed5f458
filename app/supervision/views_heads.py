"""Heads from paper held against the ledger, proofs as files, and the supervisor's own list."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, abort, flash, redirect, render_template, request, url_for

from app.domain.types import DomainError
from app.supervision import heads, operations
from app.supervision.forms import KeepForm
from app.supervision.pages import blueprint
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, keys, me


def _page(form: KeepForm, status: int = 200, **given: Any) -> Any:
    shown = {"answer": None, "problem": None, "typed": "", "size": "", "root": "", **given}
    kept = heads.kept(db(), me())
    return render_template("supervision/compare.html", form=form, kept=kept, **shown), status


@blueprint.get("/compare")
@allow("supervisor")
def compare() -> Any:
    """A head from paper held against the present ledger."""
    typed = request.args.get("head", "")
    size, root = request.args.get("size", ""), request.args.get("root", "")
    asked: dict[str, Any] = {"typed": typed, "size": size, "root": root}
    if not any(part.strip() for part in asked.values()):
        return _page(KeepForm())
    try:
        printed = heads.parse(typed, size, root)
    except DomainError as error:
        return _page(KeepForm(), 422, problem=error.text, **asked)
    (answer,) = heads.compare(db(), me(), [printed])
    form = KeepForm()
    form.head.data = str(printed)
    return _page(form, answer=answer, **asked)


@blueprint.post("/compare")
@allow("supervisor")
def keep() -> Any:
    """Put a head from paper on the own list."""
    form = KeepForm()
    if form.validate_on_submit():
        try:
            printed = heads.parse(form.head.data or "")
            operations.keep_head(db(), me(), printed, form.source.data or "")
        except DomainError as error:
            form.refuse(error, "head")
        else:
            flash(say("账本头已列入您的清单。", "The head is on your list."), "done")
            return redirect(url_for("supervision.compare", head=str(printed)))
    return _page(form, 422)


@blueprint.get("/compare/proof")
@allow("supervisor")
def proof() -> Any:
    """The consistency proof or the conflict proof of one head, as a file."""
    try:
        printed = heads.parse(request.args.get("head", ""))
    except DomainError:
        abort(404)
    (answer,) = heads.compare(db(), me(), [printed])
    name = "consistency" if answer.ok else "conflict"
    return _json(
        heads.proof_document(answer, keys()), f"{name}-{printed.size}-{answer.now.size}.json"
    )


@blueprint.get("/ledger/<int:seq>")
@allow("supervisor")
def inclusion(seq: int) -> Any:
    """One entry with its path to the present head; `?file=1` as a file."""
    found = heads.inclusion_document(db(), me(), seq, keys())
    if request.args.get("file"):
        return _json(found, f"inclusion-{seq}.json")
    return render_template("supervision/inclusion.html", proof=found)


def _json(document: dict[str, Any], name: str) -> Response:
    text = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True)
    return Response(
        text,
        mimetype="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
