"""The world of the access matrix, and which id stands for which cell.

Ownership cells of an object id: `own` (what this role works with), `sibling` (the same kind in the
same round, but another county's, panel's or expert's), `other` (of another round), `absent`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select

from app import clock
from app.accounts import operations as accounts
from app.accounts.models import Account, ResetRequest, SignIn, Tablet
from app.accounts.viewer import Viewer
from app.directory.models import Organisation, Person
from app.domain.scoring.yaml_source import LOADER
from app.draw import operations as draws
from app.draw.models import TRAINEE_ACT, Seat
from app.field.models_desk import Reminder
from app.field.models_media import MediaFile
from app.ledger.append import append
from app.panel import operations as panels
from app.panel import queries as panel_queries
from app.panel.models import Challenge, Panel
from app.panel.models_statement import Listening, Recording, StatementFile
from app.panel.models_trainees import Trainee
from app.programme.models import CaseFile, Figure, FormVersion, Round
from app.registry.models import Absence, Expert, ExpertCorrection, Interest
from app.registry.models_registers import CountyHead, Residence
from app.scoring import operations as scoring
from app.scoring.models import GivenMark
from app.scoring.models_paper import PaperSheet
from tests.attacks import runs
from tests.attacks import world as steps

HERE = Path(__file__).parent
ROLES = ("office", "keeper", "supervisor", "expert", "presenter", "admin")
ABSENT = "0" * 16
NUMBERED = {"run", "report"}  # found by their number in the round
NO_NUMBER = 9999
REACHED = {200, 302, 303, 400, 409, 422}
FIELD_ROLES = ("office", "expert", "presenter")
CELLS = ("own", "sibling", "other", "absent")


def table() -> dict[str, dict[str, Any]]:
    """The readable file: endpoint -> who may, which ids, and what is out of the ordinary."""
    return yaml.load((HERE / "matrix.yaml").read_text(), Loader=LOADER)


@dataclass
class Stage:
    """The prepared world: viewers by role, and kind -> cell -> id."""

    world: steps.World
    viewers: dict[str, Viewer]
    ids: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)  # kind, role, cell

    def id_of(self, kind: str, role: str, cell: str) -> Any:
        known = self.ids[kind]
        if cell == "absent":
            return NO_NUMBER if kind in NUMBERED else ABSENT
        return (known.get(role) or known["*"]).get(cell)


def _figure(session: Any, subject_id: str) -> str:
    row = Figure(
        subject_id=subject_id, key="gdp23_wan", value=Decimal(1), year=2011, source="测试",
        entered_at=datetime(2012, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    session.add(row)
    session.flush()
    append(session, None, "test.figure")
    return row.id


def _case(session: Any, subject_id: str) -> str:
    row = CaseFile(
        subject_id=subject_id, kind="licence", number="测试1号", title="测试案卷", on=date(2012, 1, 1),
        entered_at=datetime(2012, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    session.add(row)
    session.flush()
    append(session, None, "test.case")
    return row.id


def _given(session: Any, subject_id: str) -> str:
    row = GivenMark(
        subject_id=subject_id, place="declare", item="M1",
        entry={"type": "mark", "value": {"pass": True}}, evidence="测试", instrument_digest="0" * 64,
        entered_at=datetime(2012, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    session.add(row)
    session.flush()
    append(session, None, "test.given")
    return row.id


def _tablet(session: Any, viewer: Viewer) -> str:
    then = datetime(2012, 1, 1, tzinfo=UTC)
    row = Tablet(
        account_id=viewer.id, label="测试平板", agent="t", public_key="x", bound_at=then,
        last_seen_at=then,
    )  # fmt: skip
    session.add(row)
    session.flush()
    append(session, None, "test.tablet")
    return row.id


def _paper(session: Any, world: steps.World, sitting: Any, seat_id: str, sheet_id: str) -> str:
    """A paper sheet that nobody has read yet."""
    row = PaperSheet(
        sitting_id=sitting.id, seat_id=seat_id, key=sitting.id, sheet_id=sheet_id, replaced={},
        started_by=world.people["office"].id, started_at=datetime(2012, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    session.add(row)
    session.flush()
    append(session, None, "test.paper")
    return row.id


def _reminder(session: Any, world: steps.World, panel_id: str, seat_id: str, viewer: Viewer) -> str:
    row = Reminder(
        panel_id=panel_id, seat_id=seat_id, account_id=viewer.id, words={"zh": "测试", "en": "test"},
        sent_by=world.people["office"].id, sent_at=datetime(2012, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    session.add(row)
    session.flush()
    append(session, None, "test.reminder")
    return row.id


def _trainee(session: Any, panel_id: str, number: int) -> str:
    """Somebody in training beside the panel, as `app.panel.trainees` writes it down."""
    expert, _ = steps.expert(session, number)
    panel, then = session.get_one(Panel, panel_id), datetime(2012, 1, 1, tzinfo=UTC)
    seat = Seat(
        draw_id=panel.draw_id, panel=panel.code, number=1, act=TRAINEE_ACT, expert_id=expert.id,
        ticket="", state="removed", reason="trainee", changed_at=then,
    )  # fmt: skip
    session.add(seat)
    session.flush()
    row = Trainee(panel_id=panel.id, seat_id=seat.id, reason="测试见习", appointed_at=then)
    session.add(row)
    session.flush()
    append(session, None, "test.trainee")
    return row.id


def _media(session: Any, viewer: Viewer) -> str:
    """A photo of somebody whose sittings are not over: a 404 to everybody who may ask."""
    row = MediaFile(
        account_id=viewer.id, sha256="a" * 64, size=1, mime="image/jpeg", kept_sha256="a" * 64,
        kept_size=1, kept_mime="image/jpeg", arrived_at=datetime(2012, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    session.add(row)
    session.flush()
    append(session, None, "test.media")
    return row.id


def _said(session: Any, viewers: dict[str, Viewer], *sittings: Any) -> dict[str, dict[str, Any]]:
    """A recording, a file and everybody's opened recording of each sitting: kind -> role -> cells. The
    bytes of the sound are not in the store."""
    then = datetime(2012, 1, 1, tzinfo=UTC)
    by = next(iter(viewers.values())).id
    sounds, papers = [], []
    for sitting in sittings:
        statement = panel_queries.statement(session, sitting)
        sounds.append(
            Recording(
                statement_id=statement.id, origin="uploaded", sha256="b" * 64, manifest="c" * 64,
                pieces=1, size=1, mime="audio/webm", account_id=by, arrived_at=then,
            )
        )  # fmt: skip
        papers.append(
            StatementFile(
                statement_id=statement.id, kind="attachment", sha256="d" * 64, mime="image/png",
                size=1, name="x.png", added_by=by, added_at=then,
            )
        )  # fmt: skip
    session.add_all([*sounds, *papers])
    session.flush()
    heard = {
        role: [
            Listening(recording_id=row.id, account_id=viewer.id, opened_at=clock.now())
            for row in sounds
        ]
        for role, viewer in viewers.items()
    }
    session.add_all([row for rows in heard.values() for row in rows])
    session.flush()
    append(session, None, "test.said")
    cells = lambda rows: dict(zip(CELLS, (row.id for row in rows), strict=False))  # noqa: E731
    return {
        "recording": {"*": cells(sounds)},
        "statement file": {"*": cells(papers)},
        "listening": {role: cells(rows) for role, rows in heard.items()},
    }


def _draft(session: Any, world: steps.World, slug: str, place: int) -> str:
    """A draw that was only asked for, on a county that no panel has."""
    round_ = session.scalars(select(Round).where(Round.slug == slug)).one()
    return draws.request_draw(
        session, world.people["office"], round=round_, stage="site",
        subject_ids=[round_.subjects[place].id], panels=[{"id": "P1", "seats": 5}],
    ).id  # fmt: skip


def prepare(session: Any, world: steps.World) -> Stage:
    """Scoring in progress on the first county, the second in its statement with a challenge."""
    office = world.people["office"]
    scored = steps.to_scoring(session, world)
    sheets = [scoring.start_sheet(session, world.expert(n), sitting=scored).id for n in (1, 2)]
    spoken = steps.gather(session, world, 1)
    steps.speak(session, world, spoken, close=False)
    asked = [
        Challenge(
            sitting_id=sitting.id, seat_id=world.site.seats[5], reason="曾公开评论本区规划",
            raised_at=datetime(2012, 1, 1, tzinfo=UTC),
        )
        for sitting in (scored, spoken)
    ]  # fmt: skip
    session.add_all(asked)
    append(session, None, "test.challenges")
    panels.set_leader(session, office, panel=world.panel(session), seat=world.seat(session, 1))
    drafts = [
        _draft(session, world, slug, place)
        for slug, place in ((world.slug, 3), (world.slug, 4), (world.other_slug, 3))
    ]
    steps.declare(session, world, world.desk)
    steps.gather(session, world, 0, world.desk)
    steps.declare(session, world, world.other)
    there = steps.gather(session, world, 0, world.other)
    steps.speak(session, world, there)
    panels.open_scoring(session, office, sitting=there)
    far = scoring.start_sheet(session, world.other.experts[0], sitting=there).id
    viewers = {
        "office": office, "keeper": world.people["keeper"],
        "supervisor": world.people["supervisor"], "admin": world.people["admin"],
        "expert": world.expert(1), "presenter": world.presenters[0],
    }  # fmt: skip
    first, second, third = (
        session.scalars(select(Expert).where(Expert.person_id == v.person_id)).one()
        for v in (world.expert(1), world.expert(2), world.other.experts[0])
    )
    stage_of = {first.id: world.expert(1).id, second.id: world.expert(2).id}
    rows: dict[str, list[Any]] = {"absence": [], "interest": []}
    for expert in (first, second):
        rows["absence"].append(
            Absence(expert_id=expert.id, since=date(2030, 1, 1), until=date(2030, 1, 2))
        )
        rows["interest"].append(
            Interest(
                expert_id=expert.id, kind="kin", side="expert", region_code="110101",
                evidence="测试", declared_by=stage_of[expert.id], declared_at=datetime(2012, 1, 1, tzinfo=UTC),
            )
        )  # fmt: skip
    body = Organisation(name="测试单位", kind="institute", region_code="110101", source="test")
    dated = {"basis": "测试", "recorded_at": datetime(2012, 1, 1, tzinfo=UTC)}
    head = CountyHead(region_code="110101", name="虚拟区长", post="区长", **dated)
    lived = [
        Residence(expert_id=expert.id, kind="residence", region_code="110101", **dated)
        for expert in (first, second)
    ]
    wish = ExpertCorrection(
        expert_id=first.id, field="matter", wanted=session.info["keys"].encrypt("测试"),
        explanation="测试", asked_by=world.expert(1).id, asked_at=datetime(2012, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    session.add_all([head, wish, *lived, *rows["absence"], *rows["interest"], body])
    session.flush()
    append(session, None, "test.rows")
    colleague = steps.account(session, Person(name="虚拟监督乙"), "supervisor2", "supervisor")
    renewal = ResetRequest(
        account_id=colleague.id, means="supervisor", reason="测试", half_hash="x",
        proposed_by=world.people["admin"].id, proposed_at=clock.now(),
        expires_at=clock.now() + timedelta(hours=24),
    )  # fmt: skip
    session.add(renewal)
    append(session, None, "test.renewal")
    signed = {}
    for role, viewer in viewers.items():
        account = session.get(Account, viewer.id)
        accounts.open_sign_in(session, account, agent="t", address="t", hours=1)
        signed[role] = session.scalars(
            select(SignIn.id).where(SignIn.account_id == viewer.id)
        ).first()
    stage = Stage(world, viewers)
    everybody = {
        "sitting": (scored.id, world.desk.sittings[0], world.other.sittings[0]),
        "panel": (world.site.id, world.desk.id, world.other.id),
        "sheet": (sheets[0], sheets[1], far),
        "seat": (world.site.seats[0], world.desk.seats[0], world.other.seats[0]),
        "subject": (world.subjects[0], world.subjects[1], world.other_subjects[0]),
        "material": (world.materials[0], world.materials[1], world.materials[-1]),
        "draw": tuple(drafts),
        "seated draw": (world.site.draw_id, world.desk.draw_id, world.other.draw_id),
        "challenge": (asked[0].id, asked[1].id, None),
        "figure": tuple(
            _figure(session, s) for s in (*world.subjects[:2], world.other_subjects[0])
        ),
        "case": tuple(_case(session, s) for s in (*world.subjects[:2], world.other_subjects[0])),
        "given": tuple(_given(session, s) for s in (*world.subjects[:2], world.other_subjects[0])),
        **runs.held(session, world, (sheets[0], sheets[1]), far),
        "expert": (first.id, second.id, third.id),
        "absence": (rows["absence"][0].id, rows["absence"][1].id, None),
        "head": (head.id, None, None),
        "expert correction": (wish.id, None, None),
        "residence": (lived[0].id, lived[1].id, None),
        "interest": (rows["interest"][0].id, rows["interest"][1].id, None),
        "organisation": (body.id, None, None),
        "renewal": (renewal.id, None, None),
        "account": (world.people["office2"].id, None, None),
        "day": (str(scored.on), str(scored.on), str(scored.on)),
        "paper": (
            _paper(session, world, scored, world.site.seats[0], sheets[0]),
            _paper(session, world, scored, world.site.seats[1], sheets[1]),
            _paper(session, world, there, world.other.seats[0], far),
        ),
        "reminder": (
            _reminder(session, world, world.site.id, world.site.seats[0], world.expert(1)),
            _reminder(session, world, world.site.id, world.site.seats[1], world.expert(2)),
            None,
        ),
        "trainee": tuple(
            _trainee(session, ids.id, number)
            for number, ids in ((71, world.site), (72, world.desk), (73, world.other))
        ),
        "media": (_media(session, world.expert(1)), None, None),
        "form_version": (session.scalars(select(FormVersion.id)).first(), None, None),
    }
    for kind, values in everybody.items():
        stage.ids[kind] = {"*": dict(zip(CELLS, values, strict=False))}
    stage.ids |= _said(session, viewers, scored, spoken)
    stage.ids["sitting"]["presenter"] = {
        "own": scored.id, "sibling": spoken.id, "other": world.other.sittings[0],
    }  # fmt: skip
    stage.ids["material"]["expert"] = {
        "own": world.materials[0], "sibling": world.materials[3], "other": world.materials[-1],
    }  # fmt: skip
    bound = {role: _tablet(session, v) for role, v in viewers.items() if role in FIELD_ROLES}
    foreign = _tablet(session, world.expert(2))
    far_away = _tablet(session, world.other.experts[0])
    stage.ids["tablet"] = {r: {"own": own, "sibling": foreign} for r, own in bound.items()}
    stage.ids["tablet"]["*"] = {"own": foreign}
    stage.ids["tablet of the round"] = {"*": {"own": bound["expert"], "other": far_away}}
    stage.ids["sign_in"] = {
        role: {"own": signed[role], "sibling": signed["office" if role != "office" else "keeper"]}
        for role in signed
    }
    return stage
