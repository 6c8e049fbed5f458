"""Whole rounds, where draws matter: a draft without one is discarded, a template brings its panels."""

from __future__ import annotations

from datetime import date
from itertools import count
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.domain.types import DomainError, NotNow, Text
from app.draw.models import ORDER_STAGES, Draw
from app.draw.operations import request_draw
from app.draw.operations_templates import template_body
from app.draw.supplements import is_supplement
from app.programme.copying import Copied, copy_round
from app.programme.instruments import stage_text
from app.programme.models import Round
from app.programme.queries import unanswered_facts
from app.programme.rounds import discard_draft, open_round

_DRAWN = Text(
    "本届已有抽取（{n} 次），不能放弃，只能取消。没有任何改动。",
    "The round has {n} draw(s) and cannot be discarded, only cancelled. Nothing was changed.",
)
COUNTIES = 3  # of a rehearsal
_NO_COUNTY = Text(
    "本届还没有参评区县，不能排演。请先添加至少一个。没有任何改动。",
    "There is no county to rehearse on; add one first. Nothing was changed.",
)
_FACTS = Text(
    "排演届次还没有开启：区县的属性未填。请先在各区县填写，再开启。",
    "The rehearsal is not open yet: facts of its counties are missing. Answer them, then open it.",
)
_SHAPE = Text(
    "“{stage}”的评审组设置没有复制：{why}",
    "The panels of “{stage}” were not copied: {why}",
)


def discard(session: Session, actor: Viewer | None, round_: Round, reason: str) -> None:
    """Give up a draft for which nothing was drawn; Conflict once a draw was committed."""
    drawn = sum(draw.state != "draft" for draw in _draws(session, round_))
    if drawn:
        raise NotNow(_DRAWN.format(n=drawn))
    discard_draft(session, actor, round_, reason)


def copy_with_panels(
    session: Session,
    actor: Viewer | None,
    template: Round,
    *,
    slug: str,
    title_zh: str,
    title_en: str,
    kind: str,
    review_on: date,
    at_most: int | None = None,
) -> Copied:
    """`copy_round`, and for each stage that was asked a draw of, a draft with panels of that shape."""
    made = copy_round(
        session, actor, template, slug=slug, title_zh=title_zh, title_en=title_en, kind=kind,
        review_on=review_on, at_most=at_most,
    )  # fmt: skip
    last: dict[str, Draw] = {}
    for draw in _draws(session, template):
        if draw.stage not in ORDER_STAGES and not is_supplement(draw):
            last[draw.stage] = draw
    for stage, draw in last.items():
        try:
            request_draw(session, actor, round=made.round, stage=stage, **_shape(draw, made))
        except DomainError as error:
            made.left.append(_SHAPE.format(stage=stage_text(stage), why=error.text))
    return made


def rehearse(session: Session, actor: Viewer | None, template: Round, on: date) -> Copied:
    """A drill round in small, to train everybody: the first three counties of this one, its forms and
    panels, opened if nothing is missing. Whatever happens in it has no effect. Conflict when the round
    has no county to rehearse on."""
    if all(s.status == "withdrawn" for s in template.subjects):
        raise NotNow(_NO_COUNTY)
    taken = set(session.scalars(select(Round.slug).where(Round.slug.like("drill-%"))))
    slug = next(name for n in count(1) if (name := f"drill-{n}") not in taken)
    made = copy_with_panels(
        session, actor, template, slug=slug, title_zh=f"排演：{template.title_zh}"[:200],
        title_en=f"Rehearsal: {template.title_en}"[:200], kind="drill", review_on=on,
        at_most=COUNTIES,
    )  # fmt: skip
    if any(unanswered_facts(made.round).values()):
        made.left.append(_FACTS)
        return made
    try:
        open_round(session, actor, made.round)
    except DomainError as error:
        made.left.append(error.text)
    return made


def _draws(session: Session, round_: Round) -> list[Draw]:
    wanted = select(Draw).where(Draw.round_id == round_.id).order_by(Draw.created_at, Draw.id)
    return list(session.scalars(wanted))


def _shape(draw: Draw, made: Copied) -> dict[str, Any]:
    """The request again, for the counties of the copy: without dates, dice or accepted chances."""
    body = template_body(draw.request)
    keys = ("id", "seats", "quotas", "pair_limits", "mode", "mode_reason")
    return {
        "subject_ids": [made.subjects[k] for k in draw.request["subjects"] if k in made.subjects],
        "panels": [
            {key: panel[key] for key in keys if key in panel}
            | {"subjects": [made.subjects[k] for k in old["subjects"] if k in made.subjects]}
            for panel, old in zip(body["panels"], draw.request["panels"], strict=True)
            if any(k in made.subjects for k in old["subjects"])
        ],
        **{key: body[key] for key in ("load_cap", "replacement", "sources", "parties")},
    }
