"""Signing in and out, one's own sessions, invitations."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pyotp
from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_login import current_user, login_user, logout_user

from app.accounts import operations, queries
from app.accounts.forms import InviteForm, PasswordForm, SignInForm, SignUpForm
from app.accounts.models import Account
from app.accounts.session import SignedIn
from app.accounts.viewer import ROLE_TEXT
from app.documents.qr import qr_svg
from app.domain.types import DomainError, NotFound, Text
from app.ui.access import allow, public, signed_in
from app.ui.language import safe_next, say
from app.ui.request import database, db, keys, me, settings

blueprint = Blueprint("accounts", __name__)

MAX_FROM_ADDRESS = 50  # a whole office may sit behind one address
WRONG = Text(
    "登录名、密码或验证码不对。请检查大小写；连续错误 5 次将锁定 15 分钟。",
    "Login, password or code is wrong. Check capitals; five failures lock the account for "
    "15 minutes.",
)
LOCKED = Text(
    "尝试次数过多，已锁定 15 分钟。已保存的内容不受影响，请稍后再试或联系系统管理员。",
    "Too many attempts: locked for 15 minutes. Everything saved is safe; try later or ask the "
    "system administrator.",
)
GONE = Text(
    "链接已失效或已使用。请向管理员索取新的链接。",
    "This link has expired or was used. Ask for a new one.",
)
NO_ACCOUNT = Text("没有这个账号。没有任何改动。", "There is no such account. Nothing was changed.")


@blueprint.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> Any:
    """Password, and for staff a time-based code. Counters live in the database."""
    form = SignInForm()
    target = safe_next(request.values.get("next"))
    if not form.validate_on_submit():
        page = render_template(
            "accounts/sign_in.html", form=form, next=target, problem=None, demo=settings().demo
        )
        return page, 422 if form.errors else 200
    login = (form.login.data or "").strip().lower()
    places = (f"login:{login}", f"from:{request.remote_addr}")
    problem = WRONG
    with database().read() as reading:
        if operations.locked(reading, *places):
            problem, account, stored = LOCKED, None, None
        else:
            account = queries.account_by_login(reading, login)
            stored = account.password_hash if account else None
    if problem is WRONG and operations.password_fits(stored, form.password.data or ""):
        token = _finish_sign_in(account.id if account else "", form.code.data or "", places)
        if token:
            with database().read() as reading:
                found = queries.live_sign_in(reading, token, settings_idle())
            if found:
                _begin_session(SignedIn(found[1], token))
                return redirect(target or url_for("home.index"))
    elif problem is WRONG:
        with database().write() as writing:
            operations.count_failure(writing, places[0])
            operations.count_failure(writing, places[1], limit=MAX_FROM_ADDRESS)
    form.password.data = ""
    page = render_template(
        "accounts/sign_in.html", form=form, next=target, problem=problem, demo=settings().demo
    )
    return page, 429 if problem is LOCKED else 401


def settings_idle() -> timedelta:
    return timedelta(minutes=settings().session_idle_minutes)


def _begin_session(user: SignedIn) -> None:
    """A fresh cookie: whatever was planted before is dropped, and the session that this browser
    had until now ends on the server too."""
    if current_user.is_authenticated:
        with database().write() as writing:
            operations.revoke_token(writing, current_user.token)
    language = session.get("lang")
    session.clear()
    if language:
        session["lang"] = language
    login_user(user, remember=False)


def _finish_sign_in(account_id: str, code: str, places: tuple[str, str]) -> str | None:
    """Second factor and the session row, in one transaction that keeps its counters."""
    with database().write() as writing:
        account = writing.get(Account, account_id)
        viewer = queries.viewer_of(writing, account) if account else None
        fits = (
            account is not None
            and viewer is not None
            and (
                not operations.needs_second_factor(viewer.role, settings().demo)
                or operations.second_factor_fits(writing, account, code, keys())
            )
        )
        if account is None or not fits or operations.locked(writing, *places):
            operations.count_failure(writing, places[0])
            operations.count_failure(writing, places[1], limit=MAX_FROM_ADDRESS)
            return None
        operations.clear_failures(writing, places[0])
        return operations.open_sign_in(
            writing,
            account,
            agent=request.user_agent.string,
            address=request.remote_addr or "",
            hours=settings().session_hours,
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


@blueprint.route("/join/<token>", methods=["GET", "POST"])
@public
def join(token: str) -> Any:
    """A one-time link: sign-up or a new password."""
    with database().read() as reading:
        invitation = queries.open_invitation(reading, token)
        purpose = invitation.purpose if invitation else None
        role = invitation.role if invitation else None
        known = bool(invitation and invitation.person_id)
        login = queries.login_of(reading, invitation.person_id) if invitation else ""
    if purpose not in ("signup", "reset"):
        raise NotFound(GONE)
    form = SignUpForm() if purpose == "signup" else PasswordForm()
    if purpose == "signup" and known:
        del form.name
    if not form.validate_on_submit():
        page = render_template("accounts/join.html", form=form, purpose=purpose, role=role)
        return page, 422 if form.errors else 200
    if purpose == "signup":
        login = form.login.data.strip().lower()
    try:
        operations.check_password(login, form.password.data)
        hashed = operations.hash_password(form.password.data)  # slow: before the transaction
        with database().write() as writing:
            again = queries.open_invitation(writing, token)
            if again is None:
                raise NotFound(GONE)
            if purpose == "signup":
                name = form.name.data if "name" in form else ""
                account = operations.sign_up(
                    writing, again, name=name, login=login, password_hash=hashed
                )
            else:
                account = operations.reset_by_link(writing, again, hashed)
            secret: str | None = None
            codes: list[str] = []
            role_now = queries.live_role(writing, account.person_id) or ""
            wants = operations.needs_second_factor(role_now, settings().demo)
            if wants and account.totp_secret is None:
                secret, codes = operations.start_totp(writing, account, keys())
            label = account.login
    except NotFound:
        raise
    except DomainError as error:
        field = form[error.field] if error.field and error.field in form else form.password
        field.errors = [*field.errors, error.text]
        return render_template("accounts/join.html", form=form, purpose=purpose, role=role), 422
    if secret is None:
        flash(say("密码已设置，请登录。", "The password is set. Please sign in."), "done")
        return redirect(url_for("accounts.sign_in"))

    uri = pyotp.TOTP(secret).provisioning_uri(name=label, issuer_name="Mingjian")
    return render_template(
        "accounts/second_factor.html", secret=secret, codes=codes, qr=qr_svg(uri)
    )


@blueprint.route("/enter/<token>", methods=["GET", "POST"])
@public
def enter(token: str) -> Any:
    """An expert's or presenter's QR link: confirm, and the tablet is signed in, once."""
    with database().read() as reading:
        invitation = queries.open_invitation(reading, token)
        ok = invitation is not None and invitation.purpose == "enter"
    if not ok:
        raise NotFound(GONE)
    if request.method == "GET":
        return render_template("accounts/enter.html", token=token)
    with database().write() as writing:
        invitation = queries.open_invitation(writing, token)
        if invitation is None:
            raise NotFound(GONE)
        new_token, viewer = operations.enter_by_link(
            writing,
            invitation,
            agent=request.user_agent.string,
            address=request.remote_addr or "",
            hours=settings().session_hours,
        )
    _begin_session(SignedIn(viewer, new_token))
    return redirect(url_for("home.index"))


@blueprint.get("/account")
@signed_in
def own() -> Any:
    """One's own sessions, to look at and to end."""
    return render_template(
        "accounts/own.html",
        sign_ins=queries.sign_ins_of(db(), me().id),
        current=queries.token_hash(current_user.token),
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
        (role, text)
        for role, text in form.role.choices
        if (role == "supervisor") == (me().role == "supervisor")
        or (role == "supervisor" and not supervised)
    ]
    link = None
    if form.validate_on_submit():
        token = operations.invite(db(), me(), purpose="signup", role=form.role.data)
        link = settings().public_url + url_for("accounts.join", token=token)
    page = render_template(
        "accounts/index.html",
        accounts=queries.accounts_with_roles(db()),
        form=form,
        link=link,
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
