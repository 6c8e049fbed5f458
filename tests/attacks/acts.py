"""State-changing requests that must happen once however often they are sent: how each one's moment is
prepared, and the request itself. test_parallel.py sends them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from app.accounts import operations as accounts
from app.accounts.models import Account
from app.accounts.viewer import Viewer
from app.directory.models import Person
from app.domain.scoring.sheets import sheet_items
from app.draw import operations as draw_steps
from app.ledger.append import append
from app.panel import operations as panels
from app.programme.instruments import instrument_for
from app.programme.models import Figure
from app.scoring.entries import merged
from tests.aggregation import builders as scored
from tests.attacks import world as steps
from tests.conftest import PASSWORD, Make
from tests.draw import builders as draws
from tests.field.virtual import VirtualTablet, bound

NEW_PASSWORD = {"password": "a quite different password", "again": "a quite different password"}


@dataclass(frozen=True)
class Shot:
    """One POST: by whom (None: nobody is signed in), where, and with what."""

    viewer: Viewer | None
    path: str
    form: dict[str, Any] = field(default_factory=dict)
    json: dict[str, Any] | None = None  # in the form's place


@dataclass(frozen=True)
class Act:
    """`ground` is the installation that it is played on: world, blank or scored."""

    name: str
    prepare: Callable[[Any, steps.World], Shot]
    ground: str = "world"


def _link(purpose: str, path: str, form: dict[str, Any], login: str = "office2") -> Any:
    def prepare(session: Any, world: steps.World) -> Shot:
        account = session.scalars(select(Account).where(Account.login == login)).one()
        token = accounts.invite(session, None, purpose=purpose, person_id=account.person_id)
        return Shot(None, f"/{path}/{token}", form)

    return prepare


def sign_up(session: Any, world: steps.World) -> Shot:
    token = accounts.invite(session, world.people["admin"], purpose="signup", role="keeper")
    return Shot(None, f"/join/{token}", {"name": "虚拟新人", "login": "newcomer", **NEW_PASSWORD})


def first_factor(session: Any, world: steps.World) -> Shot:
    office = world.people["office2"]
    link, _ = accounts.make_link(
        session, None, purpose="enrol", role="office", person_id=office.person_id,
        valid=timedelta(minutes=10),
    )  # fmt: skip
    return Shot(None, f"/enrol/{link}")


def _proposal(session: Any, world: steps.World) -> Any:
    colleague = steps.account(session, Person(name="虚拟监督乙"), "supervisor2", "supervisor")
    for viewer in (colleague, world.people["supervisor"]):
        accounts.start_totp(session, session.get(Account, viewer.id), session.info["keys"])
    request, _ = accounts.propose(
        session, world.people["admin"], account=session.get(Account, colleague.id),
        reason="测试", half_hash="x",
    )  # fmt: skip
    return request


def confirm_renewal(session: Any, world: steps.World) -> Shot:
    request = _proposal(session, world)
    return Shot(world.people["supervisor"], f"/accounts/resets/{request.id}/confirm")


def propose_renewal(session: Any, world: steps.World) -> Shot:
    request = _proposal(session, world)
    accounts.decide(session, world.people["supervisor"], request=request, confirm=False)
    return Shot(
        world.people["admin"], f"/accounts/{request.account_id}/renew", {"reason": "本人到场"}
    )


def revoke(session: Any, world: steps.World) -> Shot:
    return Shot(world.people["admin"], f"/accounts/{world.people['office2'].id}/revoke")


def open_sitting(session: Any, world: steps.World) -> Shot:
    steps.declare(session, world)
    return Shot(world.people["office"], f"/r/one/sittings/{world.site.sittings[0]}/open")


def attend(session: Any, world: steps.World) -> Shot:
    steps.declare(session, world)
    sitting = world.sitting(session)
    panels.open_sitting(session, world.people["office"], sitting=sitting)
    form = {"seat": world.site.seats[0]}
    return Shot(world.expert(1), f"/r/one/sittings/{sitting.id}/sign-in", form)


def declare(session: Any, world: steps.World) -> Shot:
    viewer = world.expert(1)
    path = f"/r/one/panels/{world.site.id}/declare/secrecy"
    return Shot(viewer, path, {"signed_name": viewer.name, "agreed": "y"})


def _gathered(session: Any, world: steps.World) -> Any:
    steps.declare(session, world)
    return steps.gather(session, world)


def open_statement(session: Any, world: steps.World) -> Shot:
    sitting = _gathered(session, world)
    form = {"presenter_name": "虚拟陈述", "presenter_post": "虚构职务"}
    return Shot(world.people["office"], f"/r/one/sittings/{sitting.id}/statement/open", form)


def close_statement(session: Any, world: steps.World) -> Shot:
    sitting = _gathered(session, world)
    steps.speak(session, world, sitting, close=False)
    form = {"unconfirmed": "absent", "note": "虚构：代表已离场"}
    return Shot(world.people["office"], f"/r/one/sittings/{sitting.id}/statement/close", form)


def open_scoring(session: Any, world: steps.World) -> Shot:
    sitting = _gathered(session, world)
    steps.speak(session, world, sitting)
    return Shot(world.people["office"], f"/r/one/sittings/{sitting.id}/scoring")


def _tablet(session: Any, world: steps.World) -> tuple[VirtualTablet, str, dict[str, Any]]:
    """The first expert's tablet, scoring open: (tablet, key of the sheet, instrument)."""
    sitting = steps.to_scoring(session, world)
    _, form = instrument_for(session, sitting.panel.round, sitting.subject, "site")
    return VirtualTablet(bound(session, world.expert(1)).id, form["digest"]), sitting.id, form


def _items(form: dict[str, Any]) -> list[dict[str, Any]]:
    return [item for item in sheet_items(form) if item["applies"]]


def _pushed(world: steps.World, tablet: VirtualTablet) -> Shot:
    body = {"v": 1, "tablet": tablet.id, "ops": tablet.batch()}
    return Shot(world.expert(1), "/field/api/push", json=body)


def fill(session: Any, world: steps.World) -> Shot:
    tablet, key, form = _tablet(session, world)
    tablet.fill(key, steps.complete_marks(_items(form)))
    return _pushed(world, tablet)


def seal(session: Any, world: steps.World) -> Shot:
    tablet, key, form = _tablet(session, world)
    marks = steps.complete_marks(_items(form))
    tablet.fill(key, marks)
    tablet.seal(key, world.expert(1).name, merged(_items(form), {}, marks))
    return _pushed(world, tablet)


def withdraw(session: Any, world: steps.World) -> Shot:
    tablet, key, form = _tablet(session, world)
    marks = steps.complete_marks(_items(form))
    tablet.fill(key, marks)
    tablet.seal(key, world.expert(1).name, merged(_items(form), {}, marks))
    tablet.flush(session, world.expert(1))
    tablet.do(key, "withdraw", reason="虚构理由：录入有误。")
    return _pushed(world, tablet)


def recuse(session: Any, world: steps.World) -> Shot:
    sitting = steps.to_scoring(session, world)
    path = f"/r/one/sittings/{sitting.id}/recuse"
    return Shot(world.expert(1), path, {"reason": "虚构理由：曾任顾问。"})


def absent(session: Any, world: steps.World) -> Shot:
    sitting = steps.to_scoring(session, world)
    form = {"seat": world.site.seats[3], "reason": "虚构理由：突发疾病。"}
    return Shot(world.people["office"], f"/r/one/sittings/{sitting.id}/progress", form)


def close_scoring(session: Any, world: steps.World) -> Shot:
    sitting = steps.to_scoring(session, world)
    for viewer in world.site.experts:
        steps.sealed_sheet(session, sitting, viewer)
    return Shot(world.people["office"], f"/r/one/sittings/{sitting.id}/close")


def confirm_figure(session: Any, world: steps.World) -> Shot:
    figure = Figure(
        subject_id=world.subjects[0], key="gdp23_wan", value=Decimal(100), year=2011,
        source="虚构统计", entered_by=world.people["office2"].id, entered_at=steps.BEGAN,
    )  # fmt: skip
    session.add(figure)
    session.flush()
    append(session, None, "test.figure")
    return Shot(world.people["office"], "/r/one/figures", {"tick": figure.id})


def _draw(session: Any) -> tuple[draws.Staff, Any]:
    staff = draws.Staff(session, Make())
    draws.make_pool(session)
    return staff, draws.request(session, staff, draws.make_round(session, kind="real"))


def commit_draw(session: Any, world: steps.World) -> Shot:
    staff, draw = _draw(session)
    return Shot(staff.office, f"/r/r1/draws/{draw.id}/commit")


def reveal_code(session: Any, world: steps.World) -> Shot:
    """The last code: it draws the panel too, or leaves it to be completed."""
    staff, draw = _draw(session)
    draws.to_dice(session, staff, draw)
    first, last = list(draw.request["parties"])[:2]
    draw_steps.reveal_code(session, staff.viewer(first), draw, first, staff.code(first))
    form = {"party": last, "code": staff.code(last)}
    return Shot(staff.viewer(last), f"/r/r1/draws/{draw.id}/code", form)


def abort_draw(session: Any, world: steps.World) -> Shot:
    staff, draw = _draw(session)
    form = {"reason": "虚构理由：名单有误，重新申请。", "cause": "other"}
    return Shot(staff.office, f"/r/r1/draws/{draw.id}/abort", form)


def run_aggregation(session: Any, world: steps.World) -> Shot:
    made = scored.reload(session)
    return Shot(made.office, f"/r/{made.round.slug}/runs", {"note": ""})


def sign_in_with_recovery_code(session: Any, world: steps.World) -> Shot:
    account = session.get(Account, world.people["office"].id)
    _, codes = accounts.start_totp(session, account, session.info["keys"])
    form = {"login": account.login, "password": PASSWORD, "code": codes[0]}
    return Shot(None, "/sign-in", form)


ACTS = (
    Act("a sign-up link", sign_up),
    Act("a reset link", _link("reset", "join", NEW_PASSWORD)),
    Act("a renewal link", _link("renew", "join", NEW_PASSWORD)),
    Act("an expert's entry link", _link("enter", "enter", {}, "expert01")),
    Act("the link to the first second factor", first_factor),
    Act("a recovery code", sign_in_with_recovery_code),
    Act("proposing a supervisor's renewal", propose_renewal),
    Act("confirming a supervisor's renewal", confirm_renewal),
    Act("revoking a role", revoke),
    Act("opening a sitting", open_sitting),
    Act("signing in to a sitting", attend),
    Act("signing a declaration", declare),
    Act("opening the statement", open_statement),
    Act("closing the statement", close_statement),
    Act("opening scoring", open_scoring),
    Act("filling in a sheet", fill),
    Act("sealing a sheet", seal),
    Act("withdrawing a sheet", withdraw),
    Act("standing aside", recuse),
    Act("recording an absence", absent),
    Act("closing a sitting", close_scoring),
    Act("confirming a figure", confirm_figure),
    Act("committing a draw", commit_draw, "blank"),
    Act("revealing a code", reveal_code, "blank"),
    Act("aborting a draw", abort_draw, "blank"),
    Act("running the aggregation", run_aggregation, "scored"),
)
