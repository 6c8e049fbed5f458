"""The office's one-time link for the representative of a county."""

from __future__ import annotations

from typing import Any

from flask import url_for

from app.documents.qr import qr_svg
from app.domain.types import DomainError
from app.programme.forms import PresenterLinkForm
from app.programme.pages import blueprint, page, the_subject
from app.programme.presenters import presenter_link as make_link
from app.ui.access import allow
from app.ui.request import db, me, settings


@blueprint.post("/r/<slug>/counties/<subject_id>/presenter/link")
@allow("office")
def presenter_link(slug: str, subject_id: str) -> Any:
    """Make the link and show it, once, as text and QR code."""
    subject = the_subject(subject_id)
    form = PresenterLinkForm()
    link = None
    if form.validate_on_submit():
        try:
            link = make_link(db(), me(), subject, name=form.name.data or "")
        except DomainError as error:
            if error.field is None:
                raise
            form.refuse(error, "name")
    if link is None:
        return page("presenter_link", subject=subject, form=form, link=None), 422
    address = settings().public_url + url_for(
        "accounts.join" if link.purpose == "signup" else "accounts.enter", token=link.token
    )
    return page(
        "presenter_link",
        subject=subject,
        form=form,
        link=link,
        address=address,
        qr=qr_svg(address),
    )
