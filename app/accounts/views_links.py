"""What one-time links open: sign-up, a new password, a renewed account, the first second factor,
and an expert's tablet. Nobody is signed in here; the token in the address is what counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyotp
from flask import flash, redirect, render_template, request, url_for

from app.accounts import operations, queries
from app.accounts.forms import PasswordForm, RenewForm, SignUpForm
from app.accounts.models import Account
from app.accounts.pages import GONE, LOCKED, begin_session, blueprint, caller
from app.accounts.resets import WRONG_CODE
from app.accounts.session import SignedIn
from app.documents.qr import qr_svg
from app.domain.types import DomainError, NotFound
from app.ui.access import public
from app.ui.language import say
from app.ui.request import database, keys, settings

FORMS = {"signup": SignUpForm, "reset": PasswordForm, "renew": RenewForm}
ENVELOPE_GROUPS = 5  # 100 bits


@dataclass(frozen=True, slots=True)
class Link:
    """What a link says of itself before it is redeemed."""

    id: str
    purpose: str
    role: str | None
    known: bool  # the person is already on record
    login: str
    proof: tuple[str, str] | None


def _link(token: str, *purposes: str) -> Link:
    with database().read() as reading:
        found = queries.open_invitation(reading, token)
        if found is None or found.purpose not in purposes:
            raise NotFound(GONE)
        return Link(
            found.id,
            found.purpose,
            found.role,
            found.person_id is not None,
            queries.login_of(reading, found.person_id),
            queries.proof_of(reading, found) if found.purpose == "renew" else None,
        )


@blueprint.route("/join/<token>", methods=["GET", "POST"])
@public
def join(token: str) -> Any:
    """A one-time link: sign-up, a new password, or a renewed account."""
    link = _link(token, *FORMS)
    form = FORMS[link.purpose]()
    if link.purpose == "signup" and link.known:
        del form.name
    if link.purpose == "renew" and link.proof is None:
        del form.code
    if not form.validate_on_submit():
        return _join_page(form, link, 422 if form.errors else 200)
    login = form.login.data.strip().lower() if link.purpose == "signup" else link.login
    envelope = operations.new_code(ENVELOPE_GROUPS)
    try:
        operations.check_password(login, form.password.data)
        with operations.slot():  # slow: before the transaction
            proved = _proved(link, form)
            hashed = operations.hash_password(form.password.data)
            envelope_hash = operations.hash_password(operations.plain_code(envelope))
        with database().write() as writing:
            again = queries.open_invitation(writing, token)
            if again is None:
                raise NotFound(GONE)
            if link.purpose == "signup":
                name = form.name.data if "name" in form else ""
                account = operations.sign_up(
                    writing, again, name=name, login=login, password_hash=hashed
                )
            elif link.purpose == "renew":
                account = operations.renew_by_link(writing, again, hashed, proved)
            else:
                account = operations.reset_by_link(writing, again, hashed)
            shown: dict[str, Any] | None = None
            role = queries.live_role(writing, account.person_id) or ""
            if (
                operations.needs_second_factor(role, settings().demo)
                and account.totp_secret is None
            ):
                secret, codes = operations.start_totp(writing, account, keys())
                shown = _enrolment(writing, account, role, secret, codes, envelope, envelope_hash)
    except NotFound:
        raise
    except DomainError as error:
        form.refuse(error, "password")
        return _join_page(form, link, 422)
    if shown is None:
        flash(say("密码已设置，请登录。", "The password is set. Please sign in."), "done")
        return redirect(url_for("accounts.sign_in"))
    return render_template("accounts/second_factor.html", **shown)


def _join_page(form: Any, link: Link, status: int) -> Any:
    means = link.proof[0] if link.proof else ""
    page = render_template("accounts/join.html", form=form, link=link, means=means)
    return page, status


def _proved(link: Link, form: Any) -> str | None:
    """The stored hash that the typed code fits, where a supervisor's renewal needs one."""
    if link.proof is None:
        return None
    key = f"link:{link.id}"
    with database().write() as writing:
        barred = operations.locked(writing, key)
        if not barred:
            operations.count_failure(writing, key)
    if barred:
        raise DomainError(LOCKED, field="code")
    if not operations.password_fits(link.proof[1], operations.plain_code(form.code.data or "")):
        raise DomainError(WRONG_CODE, field="code")
    with database().write() as writing:
        operations.clear_failures(writing, key)
    return link.proof[1]


def _enrolment(
    writing: Any,
    account: Account,
    role: str,
    secret: str,
    codes: list[str],
    envelope: str,
    envelope_hash: str,
) -> dict[str, Any]:
    """What the page of a new second factor shows, once; a supervisor gets an envelope with it."""
    if role == "supervisor":
        operations.keep_envelope(writing, account, account, envelope_hash)
    uri = pyotp.TOTP(secret).provisioning_uri(name=account.login, issuer_name="Mingjian")
    return {
        "secret": secret,
        "codes": codes,
        "qr": qr_svg(uri),
        "login": account.login,
        "envelope": envelope if role == "supervisor" else None,
    }


@blueprint.route("/enrol/<token>", methods=["GET", "POST"])
@public
def enrol(token: str) -> Any:
    """The first sign-in of an account whose password somebody else set: the second factor is set
    up, and nothing else can be done before."""
    link = _link(token, "enrol")
    if request.method == "GET":
        return render_template("accounts/enrol.html", token=token, login=link.login)
    envelope = operations.new_code(ENVELOPE_GROUPS)
    with operations.slot():
        envelope_hash = operations.hash_password(operations.plain_code(envelope))
    with database().write() as writing:
        again = queries.open_invitation(writing, token)
        if again is None:
            raise NotFound(GONE)
        account, secret, codes = operations.enrol_by_link(writing, again, keys())
        shown = _enrolment(
            writing, account, again.role or "", secret, codes, envelope, envelope_hash
        )
    return render_template("accounts/second_factor.html", **shown)


@blueprint.route("/enter/<token>", methods=["GET", "POST"])
@public
def enter(token: str) -> Any:
    """An expert's or presenter's QR link: confirm, and the tablet is signed in, once."""
    _link(token, "enter")
    if request.method == "GET":
        return render_template("accounts/enter.html", token=token)
    with database().write() as writing:
        invitation = queries.open_invitation(writing, token)
        if invitation is None:
            raise NotFound(GONE)
        new_token, viewer = operations.enter_by_link(
            writing,
            invitation,
            **caller(),
        )
    begin_session(SignedIn(viewer, new_token))
    return redirect(url_for("home.index"))
