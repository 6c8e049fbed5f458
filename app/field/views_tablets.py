"""Tablets: bound by a code, let in by a signature (JSON); and the pages that show and revoke them.

docs/sync-protocol.md section 1. Failed attempts are counted as those of the sign-in are.
"""

from __future__ import annotations

from typing import Any

from flask import flash, g, jsonify, redirect, render_template, request, session, url_for
from flask_login import current_user, logout_user
from flask_wtf.csrf import generate_csrf

from app import clock
from app.accounts import operations, queries
from app.accounts.devices import device
from app.accounts.pages import GONE, LOCKED, begin_session, caller
from app.accounts.session import SignedIn
from app.accounts.tablets import BAD_KEY, Opened
from app.documents.qr import qr_svg
from app.domain.types import Conflict, DomainError, Forbidden, Text
from app.field import tablets
from app.field.forms import RevokeForm
from app.field.heads import moment
from app.field.pages import MALFORMED, blueprint, desk, json_body, refused
from app.ui.access import allow, public
from app.ui.language import say
from app.ui.request import database, db, me, settings

MAX_FROM_ADDRESS = 50  # a whole panel may sit behind one address
REFUSED = Text(
    "服务器不认识这台平板，或它已被撤销。平板上的内容都在：请到签到处重新绑定，或导出后交给创建办公室。",
    "The server does not know this tablet, or it was revoked. Everything on the tablet is kept: bind "
    "it again at the check-in desk, or export and hand the file to the programme office.",
)
_ENDED = Text(
    "平板已撤销，其会话已结束。已收到的内容都在。",
    "The tablet is revoked and its sessions have ended. Everything received is kept.",
)


def _let_in(opened: Opened) -> Any:
    """The cookie, and what the tablet needs to go on."""
    begin_session(SignedIn(opened.viewer, opened.token, opened.tablet_id))
    return jsonify(
        tablet=opened.tablet_id,
        account=opened.viewer.id,
        name=opened.viewer.name,
        role=opened.viewer.role,
        csrf=generate_csrf(),
        server_time=moment(clock.now()),
    )


def _place(kind: str, tablet_id: str = "") -> str:
    """Where a failure is counted; one tablet that was revoked never locks its neighbours out."""
    return f"{kind}:{tablet_id[:16]}:{request.remote_addr}"


def _locked(place: str) -> bool:
    with database().read() as reading:
        return operations.locked(reading, place)


def _failed(place: str) -> None:
    with database().write() as writing:
        operations.count_failure(writing, place, limit=MAX_FROM_ADDRESS)


def _texts(body: dict[str, Any] | None, *names: str) -> list[str] | None:
    """The named strings of a JSON body, of a bearable length; None when one is missing."""
    found = [(body or {}).get(name) for name in names]
    if not all(isinstance(text, str) and 0 < len(text) <= 400 for text in found):
        return None
    return [str(text) for text in found]


@blueprint.post("/api/bind")
@public
def bind() -> Any:
    """A one-time code and the tablet's public key in; a session out."""
    given = _texts(json_body(), "code", "public_key", "label")
    if given is None:
        return refused(422, "invalid", MALFORMED)
    code, public_key, label = given
    place = _place("tablet-code")
    if _locked(place):
        return refused(429, "locked", LOCKED)
    try:
        with database().write() as writing:
            invitation = queries.open_invitation(writing, operations.plain_code(code))
            opened = None
            if invitation is not None and invitation.purpose in ("enter", "bind"):
                opened = operations.bind_tablet(
                    writing,
                    invitation,
                    public_key=public_key,
                    label=label,
                    **caller(),
                )
    except Forbidden as error:
        return refused(403, "code", error.text)
    except Conflict as error:
        return refused(409, "conflict", error.text)
    except DomainError as error:
        return refused(422, "key" if error.text == BAD_KEY else "invalid", error.text)
    if opened is None:
        _failed(place)
        return refused(403, "code", GONE)
    return _let_in(opened)


@blueprint.post("/api/challenge")
@public
def challenge() -> Any:
    """A nonce for the tablet to sign."""
    given = _texts(json_body(), "tablet")
    if given is None:
        return refused(422, "invalid", MALFORMED)
    if _locked(_place("tablet", given[0])):
        return refused(429, "locked", LOCKED)
    with database().write() as writing:
        nonce = operations.challenge(writing, given[0])
    return jsonify(nonce=nonce)


@blueprint.post("/api/session")
@public
def open_session() -> Any:
    """A signed nonce in, a new session out."""
    given = _texts(json_body(), "tablet", "nonce", "signature")
    if given is None:
        return refused(422, "invalid", MALFORMED)
    tablet_id, nonce, signature = given
    place = _place("tablet", tablet_id)
    if _locked(place):
        return refused(429, "locked", LOCKED)
    with database().write() as writing:
        opened = operations.answer_challenge(
            writing,
            tablet_id=tablet_id,
            nonce=nonce,
            signature=signature,
            **caller(),
        )
    if opened is None:
        _failed(place)
        return refused(403, "tablet", REFUSED)
    return _let_in(opened)


@blueprint.post("/api/sign-out")
@public
def sign_out() -> Any:
    """The server forgets the session, if it still knows one. What the tablet keeps is the tablet's
    own affair."""
    if current_user.is_authenticated:
        operations.revoke_token(db(), current_user.token)
        logout_user()
    session.clear()
    return "", 204


# ---------- pages


@desk.get("/account/tablets")
@allow("expert", "presenter", "office")
def own_tablets() -> Any:
    """The viewer's own tablets."""
    return _own_page()


def _own_page(code: str | None = None, status: int = 200) -> Any:
    page = render_template(
        "field/own_tablets.html",
        rows=[(row, device(row.agent)) for row in queries.own_tablets(db(), me())],
        this=current_user.tablet_id,
        shown=shown_code(code) if code else None,
    )
    return page, status


def shown_code(code: str) -> dict[str, str]:
    """A one-time code as a person meets it: letters, the field application's link, and its QR."""
    link = f"{settings().public_url}{url_for('field.shell')}#{code}"
    return {
        "link": link,
        "qr": qr_svg(link),
        "code": code,
    }


@desk.post("/account/tablets/code")
@allow("office")
def own_code() -> Any:
    """A recorder's code for his own tablet, shown once."""
    return _own_page(operations.own_code(db(), me()))


@desk.post("/account/tablets/here")
@allow("expert")
def bind_here() -> Any:
    """An expert who is signed in goes on in the field application on the device before him: with a
    one-time code in the fragment, which no log sees."""
    code = operations.own_code(db(), me())
    return redirect(f"{url_for('field.shell')}#{code}")


@desk.post("/account/tablets/<tablet_id>/revoke")
@allow("expert", "presenter", "office")
def revoke_own(tablet_id: str) -> Any:
    """Shut one's own tablet out."""
    tablets.must_be_own(db(), me(), tablet_id)
    operations.revoke_tablet(db(), me(), tablet_id)
    flash(say(_ENDED), "done")
    return redirect(url_for("field_desk.own_tablets"))


@desk.get("/r/<slug>/tablets")
@allow("office", "supervisor")
def tablets_of_round(slug: str) -> Any:
    """Who of the round has which tablets, and when each was last seen."""
    return _round_page(RevokeForm(formdata=None))


def _round_page(form: RevokeForm, wrong: str | None = None) -> Any:
    """`wrong` is the tablet whose revocation was refused; its reason comes back as typed."""
    page = render_template(
        "field/tablets.html",
        rows=tablets.of_round(db(), me(), g.round),
        device=device,
        form=form,
        wrong=wrong,
    )
    return page, 200 if wrong is None else 422


@desk.post("/r/<slug>/tablets/<tablet_id>/revoke")
@allow("office", "supervisor")
def revoke_tablet(slug: str, tablet_id: str) -> Any:
    """Shut somebody's tablet out, with a reason."""
    tablets.must_belong(db(), me(), g.round, tablet_id)
    form = RevokeForm()
    if form.validate_on_submit():
        try:
            operations.revoke_tablet(db(), me(), tablet_id, form.reason.data or "")
        except Conflict:
            raise
        except DomainError as error:
            form.refuse(error, "reason")
        else:
            flash(say(_ENDED), "done")
            return redirect(url_for("field_desk.tablets_of_round", slug=slug))
    return _round_page(form, tablet_id)
