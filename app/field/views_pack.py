"""The package as the tablet fetches it (docs/sync-protocol.md section 2)."""

from __future__ import annotations

from typing import Any

from flask import jsonify, request, url_for
from flask_login import current_user
from flask_wtf.csrf import generate_csrf

from app.accounts import queries
from app.field import packs, unlocks
from app.field.pages import blueprint, refused
from app.field.views_tablets import REFUSED
from app.ui.access import allow
from app.ui.request import database, db, me


@blueprint.get("/api/pack")
@allow("expert", "presenter", "office")
def pack() -> Any:
    """All that one tablet needs without signal; only for a tablet that the viewer has bound."""
    tablet_id = request.args.get("tablet", "")
    other = current_user.tablet_id not in (None, tablet_id)
    with database().read() as reading:
        live = queries.live_tablet(reading, me(), tablet_id) is not None
        locked = unlocks.without_secret(reading, me()) if live else []
    if other or not live:
        return refused(403, "tablet", REFUSED)
    if locked:  # once for each sitting: the first package that names it makes its unlock secret
        with database().write() as writing:
            unlocks.make_unlocks(writing, locked)
    found = packs.pack(db(), me(), tablet_id, _material_url)
    return jsonify(**found, csrf=generate_csrf())


def _material_url(slug: str, material_id: str) -> str:
    return url_for("panel.read_material", slug=slug, material_id=material_id)
