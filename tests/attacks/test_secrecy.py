"""Non-interference (threat T9): two worlds that differ only in one expert's draft marks answer
every GET of everybody else with the same bytes."""

from __future__ import annotations

import re
import shutil

import pytest
from flask import url_for

from app import clock
from app.accounts import operations as accounts
from app.accounts.models import Account
from app.config import Settings
from app.domain.scoring.sheets import sheet_items
from app.factory import create_app
from app.scoring import operations as scoring
from tests.attacks import world as steps
from tests.conftest import PG

pytestmark = pytest.mark.skipif(PG, reason="copies the database file; the pages are the same")


MOVING = ("Set-Cookie", "Content-Length", "Date")  # lengths are compared with the bodies


def moving(text: str) -> str:
    """The page without form tokens and the ledger's head (a salted hash), in letters or as QR."""
    text = re.sub(r'<path d="[^"]*"', "", text)
    text = re.sub(r'(name="csrf_token" value|name="csrf" content)="[^"]*"', "", text)
    return re.sub(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b", "HASH", text)


def addresses(app, world, sheet_id):
    """Every address that a GET can reach in this world."""
    values = {
        "slug": [world.slug], "sitting_id": [world.site.sittings[0]], "panel_id": [world.site.id],
        "sheet_id": [sheet_id], "subject_id": world.subjects[:1], "kind": ["conflict", "xlsx"],
        "material_id": world.materials[:1], "draw_id": [world.site.draw_id], "number": [1],
        "filename": [], "name": ["first"],
    }  # fmt: skip
    found = []
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            if "GET" not in rule.methods or rule.endpoint == "static":
                continue
            for n in range(2 if "kind" in rule.arguments else 1):
                chosen = {a: (values.get(a) or ["0" * 16]) for a in rule.arguments}
                found.append(
                    url_for(rule.endpoint, **{a: v[min(n, len(v) - 1)] for a, v in chosen.items()})
                )
    return found


def test_another_experts_draft_leaves_no_trace_in_anybodys_pages(settings, world, tmp_path):
    start = create_app(settings)
    database = start.extensions["mingjian.db"]
    watchers = {
        **{role: world.people[role] for role in ("office", "supervisor", "admin", "keeper")},
        "leader": world.expert(2), "colleague": world.expert(3), "presenter": world.presenters[0],
    }  # fmt: skip
    tokens = {}
    with database.write() as session:
        sitting = steps.to_scoring(session, world)
        steps.panels.set_leader(
            session, world.people["office"], panel=world.panel(session), seat=world.seat(session, 2)
        )
        sheet = scoring.start_sheet(session, world.expert(1), sitting=sitting)
        items = sheet_items(sheet.instrument)
        for name, viewer in watchers.items():
            tokens[name] = accounts.open_sign_in(
                session, session.get(Account, viewer.id), agent="a", address="b", hours=9
            )
        sheet_id = sheet.id
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.dispose()
    high, low = steps.complete_marks(items), steps.complete_marks(items, low=True)
    half = dict(list(high.items())[: len(high) // 3])
    now = clock.now()
    answers = []
    for number, marks in enumerate((high, low, half)):
        home = tmp_path / f"world{number}"
        shutil.copytree(settings.home, home)
        app = create_app(Settings(home=home, database_url=f"sqlite:///{home / 'mingjian.db'}"))
        with clock.fixed(now), app.extensions["mingjian.db"].write() as session:
            row = session.get(type(sheet), sheet_id)
            scoring.save_draft(session, world.expert(1), sheet=row, changes=marks, version=0)
        got = {}
        for name, token in tokens.items():
            client = app.test_client()
            with client.session_transaction() as cookie:
                cookie["_user_id"], cookie["_fresh"] = token, True
            with clock.fixed(now):
                for where in addresses(app, world, sheet_id):
                    response = client.get(where)
                    kept = {k: v for k, v in response.headers if k not in MOVING}
                    body = response.get_data()
                    if response.mimetype == "text/html":
                        body = moving(body.decode()).encode()
                    got[name, where] = (response.status_code, sorted(kept.items()), body)
        answers.append(got)
        app.extensions["mingjian.db"].dispose()
    whole_high, whole_low, part = answers
    assert len(whole_high) > 300
    assert sum(status == 200 for status, _, _ in whole_high.values()) > 60
    differing = [
        key for key in whole_high
        if whole_high[key] != whole_low[key] and not volatile(key[1])
    ]  # fmt: skip
    assert differing == [], "same number of items done: everybody, the office too, sees the same"
    counted = f"/r/{world.slug}/sittings/{world.site.sittings[0]}/progress"
    differing = [
        key for key in whole_high if whole_high[key] != part[key] and not volatile(key[1])
    ]  # fmt: skip
    boards = [key for key in differing if re.fullmatch(r"/r/\w+/panels/\w+/board", key[1])]
    assert {who for who, _ in boards} == {"office"}
    assert set(differing) == {("office", counted), *boards}, "item counts are for the office alone"


def volatile(where: str) -> bool:
    """Files whose bytes carry the moment at which they were packed."""
    return where.endswith((".xlsx", "export.xlsx"))
