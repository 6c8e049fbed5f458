"""Renewing a lost second factor from the screen, and a supervisor's sealed envelope."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for

from app.accounts import operations, queries
from app.accounts.forms import EnvelopeForm, ReasonForm
from app.accounts.models import Account
from app.accounts.pages import LOCKED, NO_ACCOUNT, blueprint
from app.accounts.viewer import ROLE_TEXT
from app.accounts.views_links import ENVELOPE_GROUPS
from app.documents.qr import qr_svg
from app.domain.types import Conflict, DomainError, Forbidden, NotFound, Text
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import database, db, keys, me, settings

HALF_GROUPS = 2  # 40 bits, typed on a page that stops after five failures


def _account(account_id: str) -> Account:
    account = db().get(Account, account_id)
    if account is None:
        raise NotFound(NO_ACCOUNT)
    return account


@blueprint.route("/accounts/<account_id>/renew", methods=["GET", "POST"])
@allow("admin")
def renew(account_id: str) -> Any:
    """Authenticator and recovery codes are lost: a one-time link, for a supervisor after a second
    supervisor's confirmation (or with the sealed envelope)."""
    form = ReasonForm()
    half = operations.new_code(HALF_GROUPS)
    half_hash = ""
    if form.validate_on_submit():
        with operations.slot():  # before the transaction
            half_hash = operations.hash_password(operations.plain_code(half))
    account = _account(account_id)
    role = queries.live_role(db(), account.person_id)
    if half_hash:
        try:
            request_, token = operations.propose(
                db(), me(), account=account, reason=form.reason.data or "", half_hash=half_hash
            )
        except (Forbidden, Conflict):
            raise
        except DomainError as error:
            form.refuse(error, "reason")
        else:
            return _link_page(account, request_.means, token, half if token is None else None)
    page = render_template(
        "accounts/renew.html",
        account=account,
        role=ROLE_TEXT.get(role or ""),
        means=operations.means_for(db(), account),
        own=account.id == me().id,
        form=form,
    )
    return page, 422 if form.errors else 200


def _link_page(account: Account, means: str, token: str | None, half: str | None) -> Any:
    link = settings().public_url + url_for("accounts.join", token=token) if token else None
    return render_template(
        "accounts/renew_link.html",
        account=account,
        means=means,
        link=link,
        qr=qr_svg(link) if link else None,
        half=half,
    )


@blueprint.post("/accounts/resets/<request_id>/confirm")
@allow("supervisor")
def confirm_renewal(request_id: str) -> Any:
    """A second supervisor confirms: only now is there a link, and only he sees it."""
    request_ = operations.request_by_id(db(), request_id)
    token = operations.decide(db(), me(), request=request_, confirm=True)
    return _link_page(_account(request_.account_id), "supervisor", token, None)


@blueprint.post("/accounts/resets/<request_id>/refuse")
@allow("supervisor")
def refuse_renewal(request_id: str) -> Any:
    """A supervisor refuses; nothing changes on the account."""
    request_ = operations.request_by_id(db(), request_id)
    operations.decide(db(), me(), request=request_, confirm=False)
    flash(say("提议已驳回，账号没有变化。", "Refused. The account is unchanged."), "done")
    return redirect(url_for("accounts.index"))


@blueprint.post("/accounts/resets/<request_id>/seen")
@allow("supervisor")
def renewal_seen(request_id: str) -> Any:
    """The supervisor has looked at an administrator's renewal of a staff account."""
    operations.look_at(db(), me(), request_id)
    flash(say("已记录您看过这次恢复。", "On record: you have looked at this recovery."), "done")
    return redirect(url_for("accounts.index"))


@blueprint.route("/account/envelope", methods=["GET", "POST"])
@allow("supervisor")
def envelope() -> Any:
    """A new sealed envelope; asks for the second factor again, so that an open screen is not
    enough. The code is shown once, for paper."""
    form = EnvelopeForm()
    if settings().demo:
        del form.code
    if not form.validate_on_submit():
        page = render_template(
            "accounts/envelope.html", form=form, has=queries.envelope_of(db(), me().id)
        )
        return page, 422 if form.errors else 200
    code = operations.new_code(ENVELOPE_GROUPS)
    with operations.slot():
        hashed = operations.hash_password(operations.plain_code(code))
    with database().write() as writing:  # keeps its counter when the code is wrong
        account = writing.get_one(Account, me().id)
        place = f"login:{account.login}"
        problem: Text | None = None
        if "code" in form:
            if operations.locked(writing, place):
                problem = LOCKED
            elif not operations.second_factor_fits(writing, account, form.code.data or "", keys()):
                operations.count_failure(writing, place)
                problem = Text(
                    "验证码不对。没有制作新的信封码，原来的仍然有效。",
                    "The code is wrong. No new envelope was made; the present one still holds.",
                )
        if problem is None:
            operations.keep_envelope(writing, me(), account, hashed)
        login = account.login
    if problem is not None:
        form.refuse(DomainError(problem), "code")
        with database().read() as reading:
            has = queries.envelope_of(reading, me().id)
        return render_template("accounts/envelope.html", form=form, has=has), 422
    return render_template("accounts/envelope_made.html", envelope=code, login=login)
