"""From a draft to its commitment: recorded what-ifs, relaxations, why somebody may not sit, commit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.db import Database
from app.domain.types import DomainError, Text
from app.draw import (
    changes,
    disclosure,
    operations,
    operations_what_if,
    queries,
    queries_request,
    verdicts,
    work,
)
from app.draw.freezing import prepare
from app.draw.models import Draw
from app.draw.outlook import Tell, silent
from app.draw.refusals_watch import keeper
from app.draw.room import BOTH, back, blueprint, draw_page, the_draw
from app.programme.queries import round_by_slug
from app.registry import queries as registry
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import database, db, finish, me

# Pages about the pool that belong to no round: the registry links to them.
pool_blueprint = Blueprint("eligibility", __name__, url_prefix="/pool")


def _loaded(session: Session, viewer: Viewer, slug: str, draw_id: str) -> Draw:
    """The draw in a transaction of its own."""
    return queries.draw(session, viewer, round_by_slug(session, viewer, slug), draw_id)


Finish = Callable[[Session], None]


def _slowly(
    slug: str,
    draw_id: str,
    kind: str,
    act: Callable[[Database, Viewer, Tell, Finish], None],
    done: Text,
) -> Any:
    """Run `act` without holding the write lock; beside the answer when the page asked to follow it.

    `act` calls its last argument in the write that records the result.
    """
    the_draw(draw_id)
    finish(keep=False)
    part, viewer = database(), me()
    if request.form.get("follow"):
        keep = keeper()

        def followed(tell: Tell, end: Finish) -> None:
            try:
                act(part, viewer, tell, end)
            except DomainError as error:
                keep(error)
                raise

        if not work.start(part, viewer, draw_id, kind, followed, current_app.logger):
            flash(
                say(
                    "已有一次计算正在进行，没有再开始一次。",
                    "A computation is on its way already; no second one was begun.",
                ),
                "waits",
            )
        return redirect(url_for("draw.work_page", slug=slug, draw_id=draw_id))
    act(part, viewer, silent, lambda _: None)
    flash(say(done), "done")
    return redirect(url_for("draw.show", slug=slug, draw_id=draw_id))


@blueprint.post("/draws/<draw_id>/what-if")
@allow("office")
def what_if(slug: str, draw_id: str) -> Any:
    """Compute what the draft would lead to: a recorded look."""

    def act(part: Database, viewer: Viewer, tell: Tell, end: Finish) -> None:
        with part.read() as reading:
            seen = operations_what_if.look(reading, _loaded(reading, viewer, slug, draw_id), tell)
        tell(Text("记入账本", "recording it in the ledger"))
        with part.write() as writing:
            operations_what_if.record_what_if(
                writing, viewer, _loaded(writing, viewer, slug, draw_id), seen
            )
            end(writing)

    return _slowly(
        slug,
        draw_id,
        "what_if",
        act,
        Text("试算已完成并记入账本。", "The what-if is done and stands in the ledger."),
    )


@blueprint.post("/draws/<draw_id>/relax")
@allow("office")
def relax(slug: str, draw_id: str) -> Any:
    """Take up one of the relaxations that the latest look proposed."""
    number = request.form.get("way", -1, type=int)
    draw = the_draw(draw_id)
    try:
        operations_what_if.apply_relaxation(db(), me(), draw, number)
    except DomainError as error:
        g.refused = error
        return draw_page(draw, 422, relax_error=error.text)
    return back(
        slug,
        draw_id,
        "名额已按该方案放宽，请重新试算。",
        "The bounds were relaxed in this way; compute the what-if again.",
    )


@blueprint.post("/draws/<draw_id>/commit")
@allow("office")
def commit(slug: str, draw_id: str) -> Any:
    """Freeze the pool and publish the hash of everything that decides the result."""

    def act(part: Database, viewer: Viewer, tell: Tell, end: Finish) -> None:
        with part.read() as reading:
            draw = _loaded(reading, viewer, slug, draw_id)
            slow = draw.state == "draft" and not draw.is_order
            ready = prepare(reading, draw, tell) if slow else None
        tell(Text("写入承诺并签署检查点", "recording the commitment and signing the checkpoint"))
        with part.write() as writing:
            operations.commit_draw(
                writing, viewer, _loaded(writing, viewer, slug, draw_id), prepared=ready
            )
            end(writing)

    return _slowly(
        slug,
        draw_id,
        "commit",
        act,
        Text(
            "名单已冻结，承诺已写入账本。",
            "The pool is frozen and the commitment is in the ledger.",
        ),
    )


@blueprint.get("/draws/<draw_id>/why")
@allow(*BOTH)
def why(slug: str, draw_id: str) -> Any:
    """Why is this expert not eligible? Every rule with its answer (?expert= id, number or name)."""
    draw = the_draw(draw_id)
    context = _asked_about(draw)
    expert = context["expert"]
    if expert is not None:
        context["verdicts"] = verdicts.verdicts(db(), me(), draw, expert)
        if draw.commitment is not None:
            rows = queries.exclusions(db(), me(), draw)
            context["frozen"] = [row for row in rows if row.expert_id == expert.id]
            context["candidate"] = queries.candidate(db(), draw, expert)
            context["sealed"] = disclosure.is_sealed(db(), draw)
    return render_template("draw/why.html", draw=draw, **context)


@pool_blueprint.get("/<expert_id>/eligibility")
@allow(*BOTH)
def expert(expert_id: str) -> str:
    """May this expert be drawn? For the counties of one live round (?round= its slug)."""
    rounds = queries_request.live_rounds(db())
    asked = request.args.get("round", "")
    chosen = next((r for r in rounds if r.slug == asked), rounds[0] if rounds else None)
    person = registry.expert(db(), me(), expert_id)
    answers = queries.why(db(), me(), chosen, person) if chosen else []
    return render_template(
        "draw/eligibility.html",
        expert=person,
        choices=rounds,
        chosen=chosen,
        answers=answers,
        changes=changes,
    )


def _asked_about(draw: Draw) -> dict[str, Any]:
    """Whom the page is about: one expert with the answers, several to choose from, or nobody."""
    key = request.args.get("expert", "").strip()
    experts, others = queries_request.find_people(db(), key)
    exact = [e for e in experts if key in (e.id, e.number) or key.upper() == e.number]
    expert = exact[0] if exact else experts[0] if len(experts) == 1 and not others else None
    answers = queries.why(db(), me(), draw, expert) if expert is not None else []
    return {
        "asked": key,
        "expert": expert,
        "choices": [] if expert else experts,
        "others": [] if expert else others,
        "answers": answers,
        "frozen": [],
        "verdicts": [],
        "changes": changes,
        "round": g.round,
    }
