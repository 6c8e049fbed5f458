"""Signing in and out, one's own sessions, invitations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import flash, redirect, render_template, request, session, url_for
from flask_login import current_user, logout_user

from app import certificates
from app.accounts import operations, queries
from app.accounts.devices import device
from app.accounts.forms import InviteForm, SignInForm
from app.accounts.models import Account
from app.accounts.pages import LOCKED, NO_ACCOUNT, begin_session, blueprint, caller
from app.accounts.passwords import Busy
from app.accounts.session import SignedIn
from app.accounts.viewer import ROLE_TEXT
from app.documents.qr import qr_svg
from app.domain.types import NotFound, Text
from app.ui.access import allow, public, signed_in
from app.ui.language import safe_next, say
from app.ui.request import database, db, keys, me, settings

ENROL_VALID = timedelta(minutes=10)
MAX_FROM_ADDRESS = 50  # a whole office may sit behind one address
WRONG = Text(
    "登录名、密码或验证码不对。请检查大小写；连续错误 5 次将锁定 15 分钟。",
    "Login, password or code is wrong. Check capitals; five failures lock the account for "
    "15 minutes.",
)

__all__ = ["blueprint"]


@blueprint.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> Any:
    """Password, and for staff a time-based code. Counters live in the database."""
    form = SignInForm()
    target = safe_next(request.values.get("next"))
    if not form.validate_on_submit():
        return _sign_in_page(form, target, None, 422 if form.errors else 200)
    login = (form.login.data or "").strip().lower()
    places = (f"login:{login}", f"from:{request.remote_addr}")
    try:
        account_id = _checked_password(login, form.password.data or "", places)
    except Busy as busy:
        return _sign_in_page(form, target, busy.text, 503)
    except Refused as refused:
        return _sign_in_page(form, target, LOCKED if refused.locked else WRONG, refused.status)
    token = _finish_sign_in(account_id, form.code.data or "", places)
    if token is None:
        return _sign_in_page(form, target, WRONG, 401)
    if token.enrol:
        return redirect(url_for("accounts.enrol", token=token.text))
    with database().read() as reading:
        found = queries.live_sign_in(reading, token.text, settings_idle())
    if found is None:
        return _sign_in_page(form, target, WRONG, 401)
    begin_session(SignedIn(found[1], token.text))
    return redirect(target or url_for("home.index"))


def _sign_in_page(form: SignInForm, target: str | None, problem: Text | None, status: int) -> Any:
    if problem is not None:
        form.password.data = ""
    page = render_template(
        "accounts/sign_in.html",
        form=form,
        next=target,
        problem=problem,
        demo=settings().demo,
        address=settings().public_url,
        host=urlsplit(f"//{request.host}").hostname,
        trust=(settings().tls / certificates.AUTHORITY).exists(),
    )
    return page, status, {"Retry-After": "5"} if status == 503 else {}


class Refused(Exception):
    """The password was not accepted, or not even looked at because of a lock-out."""

    def __init__(self, *, locked: bool) -> None:
        super().__init__()
        self.locked = locked
        self.status = 429 if locked else 401


@dataclass(frozen=True, slots=True)
class Token:
    """What a right password leads to: a session, or the link that sets up the second factor."""

    text: str
    enrol: bool = False


def _checked_password(login: str, password: str, places: tuple[str, str]) -> str:
    """The id of the account whose password this is; Refused or Busy.

    The attempt is counted against the login before the password is hashed, so that parallel
    guesses cannot outrun the count; success takes it back. A locked-out login or address costs one
    read and no hash, and no more than a few hashes are worked out at once.
    """
    with database().read() as reading:
        if operations.locked(reading, *places):
            raise Refused(locked=True)
    with operations.slot():
        with database().write() as writing:
            barred = operations.locked(writing, *places)
            if not barred:
                operations.count_failure(writing, places[0])
                account = queries.account_by_login(writing, login)
                account_id = account.id if account else ""
                stored = account.password_hash if account else None
        if barred:
            raise Refused(locked=True)
        fits = operations.password_fits(stored, password)
    if not fits:
        with database().write() as writing:
            operations.count_failure(writing, places[1], limit=MAX_FROM_ADDRESS)
        raise Refused(locked=False)
    return account_id


def settings_idle() -> timedelta:
    return timedelta(minutes=settings().session_idle_minutes)


def _finish_sign_in(account_id: str, code: str, places: tuple[str, str]) -> Token | None:
    """Second factor and the session row, in one transaction that keeps its counters. Staff without
    a second factor get no session, only the way to set it up."""
    with database().write() as writing:
        account = writing.get(Account, account_id)
        viewer = queries.viewer_of(writing, account) if account else None
        wants = viewer is not None and operations.needs_second_factor(viewer.role, settings().demo)
        if account is not None and viewer is not None and wants and account.totp_secret is None:
            operations.clear_failures(writing, places[0])
            link, _ = operations.make_link(
                writing,
                account,
                purpose="enrol",
                role=viewer.role,
                person_id=account.person_id,
                valid=ENROL_VALID,
            )
            return Token(link, enrol=True)
        fits = (
            account is not None
            and viewer is not None
            and (not wants or operations.second_factor_fits(writing, account, code, keys()))
        )
        if account is None or not fits:
            operations.count_failure(writing, places[1], limit=MAX_FROM_ADDRESS)
            return None
        operations.clear_failures(writing, places[0])
        return Token(
            operations.open_sign_in(
                writing,
                account,
                **caller(),
            )
        )


@blueprint.post("/sign-out")
@public
def sign_out() -> Any:
    """Forget the session on the server and clear what the browser kept."""
    if current_user.is_authenticated:
        operations.revoke_token(db(), current_user.token)
    logout_user()
    session.clear()
    response = redirect(url_for("accounts.sign_in"))
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@blueprint.get("/account")
@signed_in
def own() -> Any:
    """One's own sessions, to look at and to end."""
    return render_template(
        "accounts/own.html",
        sign_ins=[(row, device(row.agent)) for row in queries.sign_ins_of(db(), me().id)],
        current=queries.token_hash(current_user.token),
        envelope=queries.envelope_of(db(), me().id) if me().role == "supervisor" else None,
    )


@blueprint.post("/account/sessions/<sign_in_id>/end")
@signed_in
def end_session(sign_in_id: str) -> Any:
    """End one session."""
    operations.revoke_sign_in(db(), me(), sign_in_id)
    flash(say("会话已结束。", "The session was ended."), "done")
    return redirect(url_for("accounts.own"))


@blueprint.route("/accounts", methods=["GET", "POST"])
@allow("admin", "supervisor")
def index() -> Any:
    """Everybody who can sign in; inviting somebody new."""
    form = InviteForm()
    supervised = queries.supervisor_exists(db())
    form.role.choices = [
        option
        for option in form.role.choices
        if (option.value == "supervisor") == (me().role == "supervisor")
        or (option.value == "supervisor" and not supervised)
    ]
    link = None
    if form.validate_on_submit():
        token = operations.invite(db(), me(), purpose="signup", role=form.role.data)
        link = settings().public_url + url_for("accounts.join", token=token)
    page = render_template(
        "accounts/index.html",
        accounts=queries.accounts_with_roles(db()),
        waiting=queries.waiting_resets(db()),
        renewed=queries.renewed_staff(db()) if me().role == "supervisor" else [],
        supervised=supervised,
        form=form,
        link=link,
        link_role=form.role.data if link else None,
        qr=qr_svg(link) if link else None,
        role_text=ROLE_TEXT,
    )
    return page, 422 if form.errors else 200


@blueprint.post("/accounts/<account_id>/reset")
@allow("admin", "supervisor")
def reset(account_id: str) -> Any:
    """A one-time link for a new password, to hand over in person."""
    account = db().get(Account, account_id)
    if account is None:
        raise NotFound(NO_ACCOUNT)
    token = operations.invite(db(), me(), purpose="reset", person_id=account.person_id)
    link = settings().public_url + url_for("accounts.join", token=token)
    return render_template("accounts/link.html", link=link, qr=qr_svg(link), name=account.login)


@blueprint.post("/accounts/<account_id>/revoke")
@allow("admin", "supervisor")
def revoke(account_id: str) -> Any:
    """Take the role away and end every session, at once."""
    account = db().get(Account, account_id)
    if account is None:
        raise NotFound(NO_ACCOUNT)
    operations.revoke_role(db(), me(), person_id=account.person_id)
    flash(
        say("角色已撤销，其全部会话已结束。", "The role was revoked and all sessions ended."),
        "done",
    )
    return redirect(url_for("accounts.index"))


from app.accounts import views_links, views_resets  # noqa: E402, F401  (they add their pages)
