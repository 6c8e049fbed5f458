"""A small round with an invented pool, and a draw carried to any state."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.db import new_id
from app.directory.models import Employment, Organisation, Person
from app.domain.draw import chain
from app.draw import operations, operations_acts
from app.draw.models import Draw
from app.exercise import device
from app.ledger.append import append
from app.programme.models import Round, Subject
from app.programme.scheme import copied_scheme, standard_rules
from app.registry.models import DISCIPLINES, Expert
from tests.conftest import PASSWORD

ROOT = Path(__file__).parents[2]
REVIEW = date(2012, 11, 20)
COUNTY = "610822"
DICE = [n % 6 + 1 for n in range(50)]
KINDS = ("technical", "technical", "technical", "economic", "management")


def make_round(
    session: Session, *, kind: str = "drill", slug: str = "r1", **overrides: Any
) -> Round:
    """A round on two counties of Shaanxi with the library's rules."""
    rules = standard_rules({"rules": overrides} if overrides else None)
    made = Round(
        slug=slug, title_zh="测试届", title_en="Test round", kind=kind, phase="open",
        scheme_id="mlr-model-county-2015", scheme_digest="0" * 64,
        scheme=copied_scheme("mlr-model-county-2015"),
        rules=rules.as_mapping(), rules_digest=rules.digest(),
        score_rule={}, score_rule_digest="0" * 64, review_on=REVIEW,
        created_at=datetime(2012, 10, 1, tzinfo=UTC),
    )  # fmt: skip
    session.add(made)
    for position, (code, name) in enumerate(((COUNTY, "府谷县"), ("610823", "横山县")), 1):
        made.subjects.append(
            Subject(
                position=position, region_code=code, name_zh=name, name_en=f"County {code}",
                region_class="", class_basis="测试", facts={}, status="qualified",
            )
        )  # fmt: skip
    session.flush()
    append(session, None, "test.round")
    return made


def make_body(session: Session, name: str, kind: str, region: str, **more: Any) -> Organisation:
    body = Organisation(name=name, kind=kind, region_code=region, **more)
    session.add(body)
    session.flush()
    return body


def make_expert(session: Session, number: int, body: Organisation, **more: Any) -> Expert:
    """A plainly invented expert whom no rule excludes from a county of Shaanxi."""
    expert = _new_expert(session, number, body, **more)
    session.flush()
    return expert


def _new_expert(session: Session, number: int, body: Organisation, **more: Any) -> Expert:
    """Not in the database before the next flush: a pool is written at once, not one by one."""
    person = Person(
        id=new_id(),
        name=f"测试专家{number:03d}",
        birth_date=session.info["keys"].encrypt("1965-05-05"),
    )
    session.add(person)
    session.add(Employment(person_id=person.id, organisation_id=body.id, since=date(2000, 1, 1)))
    values: dict[str, Any] = {
        "number": f"E{number:04d}", "status": "active", "kind": KINDS[number % 5],
        "discipline": DISCIPLINES[number % 7], "source": "institute", "title": "研究员",
        "title_rank": 4, "career_start": 1990, "region_code": "420102",
        "nominated_by": "测试单位〔2012〕1号", "consent_at": datetime(2012, 1, 5, tzinfo=UTC),
        "screening_document": "测试筛选记录", "verified_on": date(2012, 9, 1),
    }  # fmt: skip
    expert = Expert(person_id=person.id, **{**values, **more})
    session.add(expert)
    return expert


def make_pool(session: Session, count: int = 60, bodies: int = 20) -> list[Expert]:
    """`count` experts at `bodies` institutes in Hubei."""
    employers = [
        make_body(session, f"测试研究院{n:02d}", "institute", "420102") for n in range(bodies)
    ]
    experts = [_new_expert(session, n, employers[n % bodies]) for n in range(count)]
    session.flush()
    append(session, None, "test.pool")
    return experts


class Staff:
    """The people of a ceremony and their secret chains."""

    def __init__(self, session: Session, make: Any) -> None:
        self.office: Viewer = make.viewer(session, "office")
        self.supervisor: Viewer = make.viewer(session, "supervisor")
        self.secrets = {name: secrets.token_bytes(32) for name in ("office", "supervisor")}

    def code(self, party: str, act: int = 1, index: int = 32) -> str:
        return chain(self.secrets[party], index - act).hex()

    def viewer(self, party: str) -> Viewer:
        return self.office if party == "office" else self.supervisor


def request(session: Session, staff: Staff, round_: Round, seats: int = 5, **more: Any) -> Draw:
    panel = {"id": "P1", "seats": seats, **more.pop("panel", {})}
    draw = operations.request_draw(
        session, staff.office, round=round_, stage="desk",
        subject_ids=[s.id for s in round_.subjects], panels=[panel], **more,
    )  # fmt: skip
    for name in draw.request["parties"]:
        operations.register_party(
            session, staff.viewer(name), draw, name, chain(staff.secrets[name], 32).hex()
        )
    return draw


def to_dice(session: Session, staff: Staff, draw: Draw) -> Draw:
    """Committed, cosigned, both lists of dice typed."""
    operations.commit_draw(session, staff.office, draw)
    device.cosign(session, staff.supervisor, draw)
    for viewer in (staff.office, staff.supervisor):
        operations.enter_dice(session, viewer, draw, "dice", DICE)
    return draw


def cosign_form(staff: Staff, write: Any) -> dict[str, str]:
    """What the cosign page sends: the supervisor's password and his device's signature."""
    with write() as session:
        draw = session.scalars(select(Draw).where(Draw.state == "committed")).one()
        device.register(session, staff.supervisor)
        signature = device.signature(staff.supervisor, draw)
    return {"password": PASSWORD, "signature": signature}


def act_cosign_form(staff: Staff, write: Any) -> dict[str, str]:
    """What the cosign page of an act sends: a signature over the ledger's present head."""
    with write() as session:
        head = operations_acts.head_now(session)
    signature = device.sign(staff.supervisor, head)
    return {"password": PASSWORD, "size": str(head.size), "signature": signature}


def completed(session: Session, staff: Staff, draw: Draw) -> Draw:
    """The whole path."""
    to_dice(session, staff, draw)
    for name in draw.request["parties"]:
        operations.reveal_code(session, staff.viewer(name), draw, name, staff.code(name))
    # The last code draws by itself; a drill without parties has none.
    return draw if draw.parties else operations.complete_draw(session, staff.office, draw)


def verify(data: bytes, folder: Path) -> subprocess.CompletedProcess[str]:
    """The verifier alone, in a folder without the product."""
    folder.mkdir(exist_ok=True)
    shutil.copy(ROOT / "app" / "verify.py", folder / "verify.py")
    (folder / "t.zip").write_bytes(data)
    return subprocess.run(
        [sys.executable, "-I", "verify.py", "t.zip", "--json"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
