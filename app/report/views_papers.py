"""The papers of a report as files: PDF in both languages, the supervisor's edition, DOCX, the bundle.

The signed Chinese paper is read from where it is kept; every other is made now. With `?follow=1`, which
the links of a large report have, the answer is a page that shows how far it is and goes on to the file.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

from flask import g, request, send_file, url_for
from sqlalchemy.orm import Session

from app.domain.types import Language, Text
from app.draw.progress import Tell, watched
from app.programme.queries import round_by_slug
from app.report import bundle as bundles
from app.report import made, papers, queries, working_copy
from app.report.made import PRINTED
from app.report.models import Report
from app.report.pages import blueprint
from app.ui.access import allow
from app.ui.language import language
from app.ui.request import database, db, me, store
from app.ui.request import finish as end_transaction

Make = Callable[[Session, Report, Tell], bytes]
_PDF = "application/pdf"
_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_MAKING = Text("正在生成 {f}", "Making {f}")
_GATHERING = Text("正在汇集各部分内容", "Gathering what is printed")


@blueprint.get("/reports/<int:number>/report.pdf")
@allow("office", "supervisor", "expert")
def pdf(slug: str, number: int) -> Any:
    """The paper: the kept file when final, else made now; `?lang=en` gives the English edition."""
    report = queries.report(db(), me(), g.round, number)
    lang: Language = "en" if request.args.get("lang") == "en" else "zh"
    name = f"{slug}-report-{number}{'-en' if lang == 'en' else ''}.pdf"
    if report.pdf_sha256 and lang == "zh":
        with store().open(report.pdf_sha256) as kept:
            return _sent(kept.read(), _PDF, name, attached=False)
    return _paper(report, f"pdf-{lang}", name, _printing(lang))


@blueprint.get("/reports/<int:number>/supervision.pdf")
@allow("supervisor")
def supervision(slug: str, number: int) -> Any:
    """The supervisor's edition, made now: it names the pivotal experts and has the shadow ranks."""
    lang = _lang()
    report = queries.report(db(), me(), g.round, number)
    name = f"{slug}-report-{number}-supervision-{lang}.pdf"
    return _paper(report, f"supervision-{lang}", name, _printing(lang, overseer=True))


@blueprint.get("/reports/<int:number>/report.docx")
@allow("office", "supervisor", "expert")
def docx(slug: str, number: int) -> Any:
    """The working copy for editing, in the page's language or in `?lang=`."""
    lang = _lang()
    report = queries.report(db(), me(), g.round, number)

    def make(session: Session, report: Report, tell: Tell) -> bytes:
        tell(_GATHERING)
        return working_copy.report_docx(session, report, lang)

    return _paper(report, f"docx-{lang}", f"{slug}-report-{number}-{lang}.docx", make, _DOCX)


@blueprint.get("/reports/<int:number>/bundle.zip")
@allow("office", "supervisor")
def bundle(slug: str, number: int) -> Any:
    """Everything behind a final report, with the program that recomputes it."""
    viewer = me()
    report = queries.report(db(), viewer, g.round, number)

    def make(session: Session, report: Report, tell: Tell) -> bytes:
        return bundles.bundle(
            session, viewer, report, progress=lambda name: tell(_MAKING.format(f=name))
        )

    return _paper(report, "bundle", f"{bundles.folder(report)}.zip", make, "application/zip")


def _lang() -> Language:
    return "en" if request.args.get("lang", language()) == "en" else "zh"


def _printing(lang: Language, *, overseer: bool = False) -> Make:
    def make(session: Session, report: Report, tell: Tell) -> bytes:
        tell(_GATHERING)
        return papers.report_pdf(
            session,
            report,
            lang,
            overseer=overseer,
            progress=lambda done, total: tell(PRINTED.format(n=done, t=total)),
        )

    return make


def _paper(report: Report, edition: str, name: str, make: Make, mime: str = _PDF) -> Any:
    """The file: made before if `?made=` says so, made beside a page with `?follow=`, else made now."""
    viewer, number, slug = me(), report.number, g.round.slug
    ready = made.taken(store(), viewer, report, edition, request.args.get("made", ""))
    if ready is None and "follow" not in request.args:
        ready = make(db(), report, lambda _: None)
    if ready is not None:
        return _sent(ready, mime, name, attached=mime != _PDF)
    base, kept, token, drill = database(), store(), made.new_token(), g.round.drill
    target = url_for(
        str(request.endpoint),
        slug=slug,
        number=number,
        made=token,
        lang=request.args.get("lang"),
    )
    back = url_for("report.show", slug=slug, number=number)
    end_transaction(keep=False)

    def work(tell: Tell) -> str:
        with base.read() as session:
            found = queries.report(session, viewer, round_by_slug(session, viewer, slug), number)
            data = make(session, found, tell)
            made.keep(kept, viewer, found, edition, token, data)
        return target

    return watched(work, title=_MAKING.format(f=name), back=back, drill=drill)


def _sent(data: bytes, mime: str, name: str, *, attached: bool) -> Any:
    return send_file(BytesIO(data), mimetype=mime, as_attachment=attached, download_name=name)
