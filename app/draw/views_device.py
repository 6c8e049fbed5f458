"""Pages that belong to no round: one's own device key, and the observer's page without login."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.exceptions import TooManyRequests

from app.accounts.throttling import count_failure, locked
from app.domain.types import DomainError, NotFound, Text
from app.draw import (
    device,
    messages,
    operations_acts,
    operations_ceremony,
    own_password,
    parties,
    steps,
)
from app.draw.forms_ceremony import CodeForm, DeviceForm, PartyForm, RevokeForm
from app.draw.models import Draw
from app.draw.models_ceremony import ObserverLink
from app.draw.refusals_watch import close_to, watch
from app.draw.views_ceremony import act_due
from app.ui.access import allow, public
from app.ui.language import say
from app.ui.request import database, db, finish, me

blueprint = Blueprint("ceremony", __name__)
watch(blueprint, "observe_chain", "observe_code")
MAX_FROM_ADDRESS = 50
_GONE = Text(
    "链接已失效。请向创建办公室索取新的链接。",
    "This link is not valid any more. Ask the programme office for a new one.",
)


@blueprint.route("/device", methods=["GET", "POST"])
@allow("supervisor")
def own_device() -> Any:
    """My device key: made here, registered with the account, its fingerprint for paper."""
    form = DeviceForm()
    if form.validate_on_submit():
        wrong = own_password.refusal(form.password.data or "")
        try:
            if wrong is not None:
                raise DomainError(wrong, field="password")
            device.register_device(
                db(), me(), form.public.data or "", form.proof.data or "", form.label.data or ""
            )
        except DomainError as error:
            form.refuse(error if error.field != "public" else DomainError(error.text))
        else:
            flash(say("设备密钥已登记。请把指纹抄在纸上。", "The device key is registered. Copy its fingerprint on paper."), "done")  # fmt: skip
            return redirect(url_for("ceremony.own_device"))
    return _device_page(form, RevokeForm(formdata=None))


@blueprint.post("/device/revoke")
@allow("supervisor")
def revoke_device() -> Any:
    """The device is lost or changed."""
    form = RevokeForm()
    if form.validate_on_submit():
        wrong = own_password.refusal(form.password.data or "")
        try:
            if wrong is not None:
                raise DomainError(wrong, field="password")
            device.revoke_device(db(), me(), form.reason.data or "")
        except DomainError as error:
            form.refuse(error)
        else:
            flash(say("设备密钥已撤销。", "The device key is revoked."), "done")
            return redirect(url_for("ceremony.own_device"))
    return _device_page(DeviceForm(formdata=None), form)


def _device_page(form: DeviceForm, revoke_form: RevokeForm) -> Any:
    keys = device.keys_of(db(), me())
    active = next((key for key in keys if key.revoked_at is None), None)
    wrong = form.errors or form.form_errors or revoke_form.errors or revoke_form.form_errors
    page = render_template(
        "draw/device.html",
        form=form,
        revoke_form=revoke_form,
        keys=keys,
        active=active,
        fingerprint=device.fingerprint,
    )
    return page, 422 if wrong else 200


def _observed(session: Session, token: str) -> tuple[ObserverLink, Draw] | None:
    link = parties.observer_link(session, token)
    return (link, session.get_one(Draw, link.draw_id)) if link else None


def _found(token: str) -> tuple[ObserverLink, Draw]:
    """The link and its draw; guesses are counted for each address."""
    found = _observed(db(), token)
    if found is not None:
        g.observer_link = (found[0].id, found[0].draw_id)
        if request.method == "POST":
            close_to(found[0].id)
        return found
    finish(keep=False)
    place = f"observe:{request.remote_addr}"
    with database().write() as writing:
        closed = locked(writing, place)
        count_failure(writing, place, limit=MAX_FROM_ADDRESS)
    if closed:
        raise TooManyRequests
    raise NotFound(_GONE)


def _observer_page(token: str, draw: Draw, status: int = 200, **given: Any) -> Any:
    row = next((party for party in draw.parties if party.name == "observer"), None)
    values = {
        "draw": draw,
        "token": token,
        "row": row,
        "act": act_due(draw),
        "index": parties.LINKS,
        "terms": messages,
        "party_form": PartyForm(formdata=None),
        "code_form": CodeForm(formdata=None),
        **given,
    }
    return render_template("draw/observe.html", **values), status


@blueprint.get("/observe/<token>")
@public
def observe(token: str) -> Any:
    """The observer's page: one chain, its codes, of one draw; nothing else."""
    _, draw = _found(token)
    return _observer_page(token, draw)


@blueprint.post("/observe/<token>/chain")
@public
def observe_chain(token: str) -> Any:
    (link, draw), form = _found(token), PartyForm()
    if form.validate_on_submit():
        try:
            parties.register_observer(db(), link, draw, form.commitment.data or "")
        except DomainError as error:
            form.refuse(error)
        else:
            flash(say("口令链已登记。请现在打印两份密封信封。", "The chain is registered. Now print the two sealed envelopes."), "done")  # fmt: skip
            return redirect(url_for("ceremony.observe", token=token))
    return _observer_page(token, draw, 422, party_form=form)


@blueprint.post("/observe/<token>/code")
@public
def observe_code(token: str) -> Any:
    (link, draw), form = _found(token), CodeForm()
    if form.validate_on_submit():
        try:
            act = steps.open_act(draw) if draw.state == "completed" else None
            if act is not None:
                operations_acts.reveal_observer_act(db(), draw, act, form.code.data or "")
            else:
                operations_ceremony.reveal_observer(db(), link, draw, form.code.data or "")
        except DomainError as error:
            form.refuse(error)
        else:
            flash(say("口令相符，已记录。", "The code fits and is on record."), "done")
            return redirect(url_for("ceremony.observe", token=token))
    return _observer_page(token, draw, 422, code_form=form)
