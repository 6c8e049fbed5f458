"""The ceremony through its pages, with the server started anew between any two steps."""

from __future__ import annotations

import dataclasses
import io
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

import app.draw.operations_ceremony as operations_ceremony
from app.accounts import operations as accounts
from app.accounts.models import Account
from app.accounts.viewer import Viewer
from app.domain.draw import chain
from app.domain.types import Conflict
from app.draw import device as devices
from app.draw import operations, parties
from app.draw.models import Draw, Seat
from app.draw.models_ceremony import DeviceKey, ObserverLink
from app.exercise import device
from app.factory import create_app
from app.programme.models import Round
from tests.conftest import PASSWORD
from tests.draw.builders import DICE, Staff, cosign_form, make_pool, make_round, verify
from tests.draw.test_ceremony_dice import picture

BASE = "/r/r1/draws"
PARTIES = ("office", "supervisor", "observer")


class Hall:
    """An application that is thrown away after every request; what people carry are cookies."""

    def __init__(self, settings: Any, make: Any) -> None:
        self.settings = dataclasses.replace(settings, demo=True)
        self.tokens: dict[str, str] = {}
        with self.write() as session:
            make_pool(session)
            make_round(session, kind="real")
            self.people = Staff(session, make)
            self.people.secrets["observer"] = secrets.token_bytes(32)
            for role in ("office", "supervisor"):
                viewer: Viewer = self.people.viewer(role)
                self.tokens[role] = accounts.open_sign_in(
                    session, session.get_one(Account, viewer.id), agent="t", address="t", hours=9
                )

    @contextmanager
    def app(self) -> Iterator[Any]:
        application = create_app(self.settings)
        application.config["WTF_CSRF_ENABLED"] = False
        yield application
        application.extensions["mingjian.db"].dispose()

    @contextmanager
    def write(self) -> Iterator[Any]:
        with self.app() as application, application.extensions["mingjian.db"].write() as session:
            yield session

    def ask(self, who: str, method: str, where: str, **more: Any) -> Any:
        with self.app() as application:
            client = application.test_client()
            if who in self.tokens:
                with client.session_transaction() as cookie:
                    cookie["_user_id"], cookie["_fresh"] = self.tokens[who], True
            answer = client.open(where, method=method, **more)
            answer.get_data()
            return answer

    def post(self, who: str, where: str, **data: Any) -> Any:
        return self.ask(who, "POST", where, data=data)


@pytest.fixture
def hall(settings: Any, make: Any) -> Hall:
    return Hall(settings, make)


@pytest.fixture
def page(hall: Hall) -> str:
    """A draft with three parties; nobody has registered a chain."""
    with hall.write() as session:
        round_ = session.scalars(select(Round)).one()
        draw = operations.request_draw(
            session, hall.people.office, round=round_, stage="desk",
            subject_ids=[s.id for s in round_.subjects],
            panels=[{"id": "P1", "seats": 5}], parties=PARTIES,
        )  # fmt: skip
        return f"{BASE}/{draw.id}"


def observer_address(hall: Hall, page: str) -> str:
    shown = hall.post("office", f"{page}/observer")
    assert shown.status_code == 200
    return "/observe/" + re.search(r"/observe/([\w-]+)", shown.text).group(1)  # type: ignore[union-attr]


def to_cosigned(hall: Hall, page: str) -> str:
    """Chains, commitment, device and cosignature; the observer's address."""
    for name in ("office", "supervisor"):
        value = chain(hall.people.secrets[name], 32).hex()
        assert hall.post(name, f"{page}/party", party=name, commitment=value).status_code == 302
    address = observer_address(hall, page)
    value = chain(hall.people.secrets["observer"], 32).hex()
    assert hall.post("observer", f"{address}/chain", commitment=value).status_code == 302
    assert hall.post("office", f"{page}/commit").status_code == 302
    no_key = hall.ask("supervisor", "GET", f"{page}/cosign")
    assert "您还没有登记设备密钥" in no_key.text and "/device" in no_key.text
    viewer = hall.people.supervisor
    public = device.public_of(viewer.id)
    form = {
        "label": "测试平板", "password": PASSWORD, "public": public,
        "proof": device._key(viewer.id).sign(devices.registration(viewer.id, public)).hex(),
    }  # fmt: skip
    assert hall.post("supervisor", "/device", **form).status_code == 302
    assert devices.fingerprint(public) in hall.ask("supervisor", "GET", "/device").text
    form = cosign_form(hall.people, hall.write)
    wrong = hall.post("supervisor", f"{page}/cosign", **{**form, "password": "not my password"})
    assert wrong.status_code == 422 and "密码不对" in wrong.text
    assert hall.post("supervisor", f"{page}/cosign", **form).status_code == 302
    return address


def state(hall: Hall, page: str) -> dict[str, Any]:
    answer = hall.ask("supervisor", "GET", f"{page}/state")
    assert answer.status_code == 200
    return dict(answer.get_json())


def throw(hall: Hall, page: str) -> None:
    for role in ("office", "supervisor"):
        for count in (1, 37, 50):
            sent = {"source": "dice", "values": DICE[:count]}
            answer = hall.ask(role, "POST", f"{page}/dice/save", json=sent)
            assert answer.status_code == 200, answer.text
            assert state(hall, page)["sources"][0]["typed"][role] == count
    assert state(hall, page)["sources"][0]["values"] == DICE


def test_a_restart_between_any_two_steps_loses_nothing(
    hall: Hall, page: str, tmp_path: Path
) -> None:
    address = to_cosigned(hall, page)
    before = state(hall, page)
    assert before["cosignature"]["name"].startswith("supervisor-")
    assert before["sources"][0]["typed"] == {"office": 0, "supervisor": 0}
    throw(hall, page)
    codes = {name: chain(hall.people.secrets[name], 31).hex() for name in PARTIES}
    assert hall.post("observer", f"{address}/code", code=codes["observer"]).status_code == 302
    for role in ("office", "supervisor"):
        stop = hall.post(role, f"{page}/abort", reason="不满意", cause="other")
        assert "结果已经注定" in stop.text and stop.status_code == 422
    assert hall.post("supervisor", f"{page}/code", party="supervisor", code=codes["supervisor"])
    assert state(hall, page)["result"] is None
    # The office has gone home: the supervisor opens its envelope.
    last = hall.post("supervisor", f"{page}/code", party="office", code=codes["office"])
    assert last.status_code == 302
    done = state(hall, page)
    assert done["state"] == "completed" and len(done["key"]) == 64
    (panel,) = done["result"]
    assert [line["seat"] for line in panel["lines"] if line["seat"]] == [1, 2, 3, 4, 5]
    assert all(line["why"] for line in panel["lines"] if not line["seat"])
    bundle = hall.ask("office", "GET", f"{page}/transcript")
    assert verify(bundle.data, tmp_path / "v").returncode == 0
    assert hall.post("office", f"{page}/complete").status_code == 409
    with hall.write() as session:
        draw = session.scalars(select(Draw)).one()
        assert [(p.name, p.codes) for p in draw.parties] == [(n, [codes[n]]) for n in PARTIES]
        assert len(list(session.scalars(select(Seat)))) == 5
        with pytest.raises(IntegrityError), session.begin_nested():
            copied = {c.name: getattr(draw, c.key) for c in Draw.__table__.columns}
            copied |= {"id": "f" * 16, "attempt": 2, "salt": "0" * 32}
            session.execute(Draw.__table__.insert().values(copied))


def test_whoever_asks_next_completes_a_draw_in_which_everything_is_in(
    hall: Hall, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = to_cosigned(hall, page)
    throw(hall, page)
    with monkeypatch.context() as patched:  # the server dies at the last code, after writing it
        patched.setattr(operations_ceremony, "settle", lambda *_: False)
        for name in ("office", "supervisor"):
            code = chain(hall.people.secrets[name], 31).hex()
            hall.post(name, f"{page}/code", party=name, code=code)
        code = chain(hall.people.secrets["observer"], 31).hex()
        hall.post("observer", f"{address}/code", code=code)
    with hall.write() as session:
        assert session.scalars(select(Draw.state)).one() == "cosigned"
    assert state(hall, page)["state"] == "completed"


def test_the_observers_link_opens_one_page_of_one_draw(hall: Hall, page: str) -> None:
    assert hall.post("supervisor", f"{page}/observer").status_code == 403
    first = observer_address(hall, page)
    second = observer_address(hall, page)
    assert hall.ask("observer", "GET", first).status_code == 404, "a new link ends the old one"
    shown = hall.ask("observer", "GET", second)
    assert shown.status_code == 200 and "测试专家" not in shown.text
    assert hall.ask("observer", "GET", page).status_code == 302
    value = chain(hall.people.secrets["observer"], 32).hex()
    mine = hall.post("office", f"{page}/party", party="observer", commitment=value)
    assert mine.status_code == 422 and "不能由他人代办" in mine.text
    bad = hall.post("observer", f"{second}/chain", commitment="x")
    assert bad.status_code == 422
    assert hall.post("observer", f"{second}/chain", commitment=value).status_code == 302
    again = hall.post("observer", f"{second}/chain", commitment="0" * 64)
    assert again.status_code == 422 and "已登记" in again.text
    early = hall.post("observer", f"{second}/code", code="0" * 64)
    assert early.status_code == 422
    with hall.write() as session:
        links = list(session.scalars(select(ObserverLink).order_by(ObserverLink.made_at)))
        assert [link.ended_at is None for link in links] == [False, True]
        assert all(second[9:] not in link.token_hash for link in links)


def test_guessed_links_are_counted_and_closed(hall: Hall, page: str) -> None:
    good = observer_address(hall, page)
    answers = [hall.ask("observer", "GET", f"/observe/{'x' * 43}").status_code for _ in range(52)]
    assert answers[:50] == [404] * 50 and answers[50:] == [429, 429]
    assert hall.ask("observer", "GET", good).status_code == 200, "who holds the link is let in"


def test_the_own_password_is_asked_and_counted(hall: Hall, page: str) -> None:
    form = {"label": "x", "public": "0" * 64, "proof": "0" * 128}
    answers = [
        hall.post("supervisor", "/device", password=f"wrong {n}", **form).text for n in range(6)
    ]
    assert all("密码不对" in text for text in answers[:5]) and "锁定 15 分钟" in answers[5]
    locked = hall.post("supervisor", "/device", password=PASSWORD, **form)
    assert locked.status_code == 422
    with hall.write() as session:
        assert list(session.scalars(select(DeviceKey))) == []


def test_dice_as_a_whole_list_photograph_and_the_wall(hall: Hall, page: str) -> None:
    to_cosigned(hall, page)
    typed = " ".join(map(str, DICE))
    assert hall.post("office", f"{page}/dice", source="dice", values=typed).status_code == 302
    shown = hall.ask("supervisor", "GET", f"{page}/dice").text
    assert typed not in shown and "[1, 2, 3" not in shown.split('data-mine="')[1].split('"')[0]
    photo = {"source": "dice", "photo": (io.BytesIO(picture()), "tray.jpg")}
    assert hall.ask("office", "POST", f"{page}/dice/photo", data=photo).status_code == 302
    kept = hall.ask("supervisor", "GET", f"{page}/dice/photo/dice")
    assert kept.mimetype == "image/jpeg" and b"SECRET PLACE" not in kept.data
    bad = hall.ask("office", "POST", f"{page}/dice/save", json={"source": "dice", "values": "1"})
    assert bad.status_code == 422 and "error" in bad.get_json()
    wall = hall.ask("office", "GET", f"{page}/present").text
    with hall.write() as session:
        digest = session.scalars(select(Draw.commitment_hash)).one()
    assert (
        f"<span>{digest[:4]} {digest[4:8]}</span>" in wall and "<svg" in wall and typed not in wall
    )
    wrong = hall.post("office", f"{page}/abort", reason="", cause="other")
    assert wrong.status_code == 422
    done = hall.post("office", f"{page}/abort", reason="骰盘被碰翻", cause="procedure")
    assert done.status_code == 302
    attempts = hall.ask("supervisor", "GET", f"{page}/attempts").text
    assert "骰盘被碰翻" in attempts and "程序有误" in attempts and "已会签，待抽取" in attempts


def test_a_chain_is_used_for_one_draw_only(hall: Hall, page: str) -> None:
    with hall.write() as session:
        draw = session.scalars(select(Draw)).one()
        link = ObserverLink(id="a" * 16)
        value = chain(hall.people.secrets["office"], 32).hex()
        operations.register_party(session, hall.people.office, draw, "office", value)
        for again in (value, chain(bytes.fromhex(value), 3).hex()):
            with pytest.raises(Exception, match="used before"):
                parties.register_observer(session, link, draw, again)
        with pytest.raises(Conflict):
            operations.register_party(session, hall.people.office, draw, "observer", "1" * 64)
        assert session.scalar(text("SELECT count(*) FROM party")) == 1
