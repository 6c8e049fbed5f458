"""Regions and organisations: looking up for staff, writing for the pool keeper."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from app.directory import operations, queries, words
from app.directory.forms import ChangeForm, OrganisationForm
from app.directory.snapshot import Place
from app.domain.types import DomainError, Text
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, me

blueprint = Blueprint("directory", __name__)

UNKNOWN_PARENT = Text("没有名为“{name}”的单位。", "There is no organisation “{name}”.")
UNKNOWN_PLACE = Text(
    "没有叫“{name}”的地区，或有多个。", "No region, or several, are called “{name}”."
)


def page_number() -> int:
    return request.args.get("page", 1, type=int)


@blueprint.get("/regions")
@allow("keeper", "office", "supervisor", "admin")
def regions() -> Any:
    """All codes with their dates."""
    found = queries.regions(
        db(),
        me(),
        search=request.args.get("q", ""),
        province=request.args.get("province", ""),
        kind=request.args.get("kind", ""),
        state=request.args.get("state", ""),
        sort=request.args.get("sort", "code"),
        page=page_number(),
    )
    parents = queries.region_names(db(), [row.parent_code for row in found.rows])
    return render_template(
        "directory/regions.html",
        found=found,
        parents=parents,
        provinces=queries.provinces(db()),
        kinds=words.REGION_KIND,
        present=queries.region_kinds(db()),
    )


@blueprint.post("/regions/load")
@allow("keeper")
def load_regions() -> Any:
    """The snapshot, once."""
    count = operations.load_regions(db(), me())
    flash(say("已载入 {n} 个行政区划。", "{n} regions were loaded.", n=count), "ok")
    return redirect(url_for("directory.regions"))


@blueprint.route("/regions/change", methods=["GET", "POST"])
@allow("keeper")
def change_region() -> Any:
    """A dated change of territory."""
    form = ChangeForm()
    if form.validate_on_submit():
        try:
            operations.record_region_change(
                db(),
                me(),
                on=form.on.data,
                kind=form.kind.data,
                old=_places(form.old.data),
                new=_places(form.new.data or ""),
                source=form.source.data,
                note=form.note.data or "",
            )
        except DomainError as error:
            form.refuse(error, "old")
        else:
            flash(say("区划变更已登记。", "The change was recorded."), "ok")
            return redirect(url_for("directory.regions"))
    page = render_template("directory/change.html", form=form)
    return page, 422 if form.errors else 200


def _places(text: str) -> list[Place]:
    parts = [part.split() for part in re.split(r"[;；]", text) if part.strip()]
    return [Place(*part[:3]) for part in parts]


@blueprint.get("/organisations")
@allow("keeper", "office", "supervisor", "admin")
def organisations() -> Any:
    """The tree from its roots, or a search through all."""
    search, kind = request.args.get("q", ""), request.args.get("kind", "")
    central = request.args.get("central", "")
    found = queries.organisations(
        db(),
        me(),
        search=search,
        kind=kind,
        central=central,
        parent=None if search or kind or central else "",
        sort=request.args.get("sort", "name"),
        page=page_number(),
    )
    return render_template(
        "directory/organisations.html",
        found=found,
        names=queries.region_names(db(), [row.organisation.region_code for row in found.rows]),
        kinds=words.ORGANISATION_KIND,
    )


@blueprint.post("/organisations/load")
@allow("keeper")
def load_organisations() -> Any:
    """The list of employers, with what is missing of it."""
    count = operations.load_employers(db(), me())
    flash(say("已载入 {n} 个单位。", "{n} organisations were loaded.", n=count), "ok")
    return redirect(url_for("directory.organisations"))


@blueprint.route("/organisations/new", methods=["GET", "POST"])
@allow("keeper")
def new_organisation() -> Any:
    """Enter an employer or authority."""
    form = OrganisationForm()
    if form.validate_on_submit():
        try:
            parent = None
            if name := (form.parent.data or "").strip():
                known = queries.organisations_by_key(db())
                parent = known.get(queries.organisation_key(name))
                if parent is None:
                    raise DomainError(UNKNOWN_PARENT.format(name=name), field="parent")
            code = None
            if place := (form.place.data or "").strip():
                code = queries.Places(db()).code(place)
                if code is None:
                    raise DomainError(UNKNOWN_PLACE.format(name=place), field="place")
            row = operations.create_organisation(
                db(),
                me(),
                name=form.name.data,
                kind=form.kind.data,
                parent=parent,
                region_code=code,
                central=form.central.data,
                source="entered by the keeper",
            )
        except DomainError as error:
            form.refuse(error, "name")
        else:
            flash(say("单位已建立。", "The organisation was created."), "ok")
            return redirect(url_for("directory.organisation", organisation_id=row.id))
    page = render_template(
        "directory/new_organisation.html",
        form=form,
        names=[name for _, name in queries.organisation_choices(db())],
    )
    return page, 422 if form.errors else 200


@blueprint.get("/organisations/<organisation_id>")
@allow("keeper", "office", "supervisor", "admin")
def organisation(organisation_id: str) -> Any:
    """One organisation with its superiors and what stands under it."""
    row = queries.organisation(db(), organisation_id)
    chain = queries.organisation_chain(db())[row.id]
    sort = request.args.get("sort", "name")
    found = queries.organisations(db(), me(), parent=row.id, sort=sort, page=page_number())
    codes = [row.region_code, *(line.organisation.region_code for line in found.rows)]
    return render_template(
        "directory/organisation.html",
        row=row,
        chain=[queries.organisation(db(), key) for key in reversed(chain[1:])],
        found=found,
        names=queries.region_names(db(), codes),
        kinds=words.ORGANISATION_KIND,
        sources=words.ORGANISATION_SOURCE,
    )
