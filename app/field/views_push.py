"""A tablet's own calls about its sheets: push, take over, look at a branch (JSON).

docs/sync-protocol.md sections 4 and 5.
"""

from __future__ import annotations

from typing import Any

from flask import jsonify, request
from flask_login import current_user

from app import clock
from app.accounts import queries, tablets
from app.accounts.models import Tablet
from app.domain.types import Conflict, NotFound
from app.field import branches, seals  # noqa: F401  (seals: sheets that wait for photos)
from app.field.ops import second
from app.field.pages import MALFORMED, blueprint, json_body, refused
from app.field.places import find_place, state_of
from app.field.push import MAX_BYTES, MAX_OPERATIONS, Push, read_all
from app.field.views_tablets import REFUSED
from app.scoring.queries import ABSENT
from app.ui.access import allow
from app.ui.errors import WORDS
from app.ui.request import db, me


def _tablet(tablet_id: Any) -> Tablet | None:
    """The viewer's own tablet, in use, and the one that opened this session if one did."""
    if not isinstance(tablet_id, str) or current_user.tablet_id not in (None, tablet_id):
        return None
    return queries.live_tablet(db(), me(), tablet_id)


@blueprint.post("/api/push")
@allow("expert", "office")
def push() -> Any:
    """Operations in, receipts out; all of it in one transaction."""
    if (request.content_length or 0) > MAX_BYTES:
        return refused(413, "too_large", WORDS[413].happened)
    body = json_body()
    ops = (body or {}).get("ops")
    if body is None or body.get("v") != 1 or not isinstance(ops, list):
        return refused(422, "invalid", MALFORMED)
    if len(ops) > MAX_OPERATIONS:
        return refused(413, "too_large", WORDS[413].happened)
    ready = read_all(ops)  # before the transaction, in which nobody else can write
    tablet = _tablet(body.get("tablet"))
    if tablet is None:
        return refused(403, "tablet", REFUSED)
    answer = Push(db(), me(), tablet).run(ops, ready)
    tablets.tablet_seen(db(), tablet.id)
    return jsonify(answer)


@blueprint.post("/api/take-over")
@allow("expert")
def take_over() -> Any:
    """Make this tablet the active one of a sheet."""
    body = json_body() or {}
    key = body.get("sheet")
    if not isinstance(key, str):
        return refused(422, "invalid", MALFORMED)
    tablet = _tablet(body.get("tablet"))
    if tablet is None:
        return refused(403, "tablet", REFUSED)
    try:
        place = branches.take_over(db(), me(), tablet, key)
    except NotFound as error:
        return refused(404, "absent", error.text)
    except Conflict as error:
        return refused(409, "conflict", error.text)
    told = state_of(db(), me(), place)
    entries = place.sheet.entries if place.sheet is not None else {}
    return jsonify(v=1, server_time=second(clock.now()), sheets={key: {**told, "entries": entries}})


@blueprint.get("/api/branches")
@allow("expert")
def own_branches() -> Any:
    """Both columns of what waits for the owner's choice."""
    if _tablet(request.args.get("tablet")) is None:
        return refused(403, "tablet", REFUSED)
    place = find_place(db(), me(), request.args.get("sheet", ""))
    if place is None:
        return refused(404, "absent", ABSENT)
    return jsonify(branches=branches.compared(db(), place))
