"""The forms library: every version, every indicator with its trace, and the administrator's
confirmation of defaults."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, url_for

from app.accounts.models import Account
from app.programme.operations import load_forms, sign_form_version
from app.programme.pages import blueprint, page
from app.programme.versions import form_of, form_version, form_versions, to_confirm, unsettled
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, me


@blueprint.get("/forms")
@allow("office", "supervisor", "admin")
def forms() -> Any:
    """Every form version, with how many of its indicators wait for confirmation."""
    versions = form_versions(db())
    latest = {version.form_id: version for version in reversed(versions)}
    rows = [
        {
            "version": version,
            "form": form_of(version),
            "open": len(to_confirm(version)),
            "latest": latest[version.form_id] is version,
        }
        for version in versions
    ]
    return page("forms", rows=rows, role=me().role)


@blueprint.post("/forms/load")
@allow("office", "admin")
def load() -> Any:
    """Take in the forms that come with the product."""
    before = len(form_versions(db()))
    load_forms(db(), me())
    made = len(form_versions(db())) - before
    flash(say("载入完成，新增 {n} 个版本。", "Loaded; {n} new version(s).", n=made), "ok")
    return redirect(url_for("programme.forms"))


@blueprint.get("/forms/<version_id>")
@allow("office", "supervisor", "admin")
def form(version_id: str) -> Any:
    """One version: every indicator with where it comes from."""
    version = form_version(db(), version_id)
    signer = db().get(Account, version.signed_by) if version.signed_by else None
    return page(
        "form",
        version=version,
        form=form_of(version),
        open_items=set(to_confirm(version)),
        unsettled=unsettled,
        signer=signer.person.name if signer else None,
        role=me().role,
        may_sign=me().role == "admin" and version.signed_at is None,
    )


@blueprint.post("/forms/<version_id>/sign")
@allow("admin")
def sign_form(version_id: str) -> Any:
    """The administrator confirms the defaults of one version."""
    version = form_version(db(), version_id)
    sign_form_version(db(), me(), version)
    flash(say("已确认该版本。", "The version is confirmed."), "ok")
    return redirect(url_for("programme.form", version_id=version_id))
