"""What must hold over live data of this room, for `mingjian doctor`. An empty list means it holds."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from app.domain.ledger.canonical import digest
from app.domain.scoring.instrument import form_digest
from app.domain.types import DomainError, Text
from app.programme.casefiles import CaseState, case_states, list_digest, sample
from app.programme.instruments import frozen_digest
from app.programme.models import Figure, FormVersion, Material, Opinion, Round, Subject
from app.programme.rounds import missing_pins
from app.programme.scheme import rules_of, score_rule_of
from app.programme.versions import form_of


def pins_are_frozen(session: Session) -> list[Text]:
    """The instruments of an opened round compile to the digests that were frozen."""
    wrong = []
    for round_ in _opened(session):
        for pin in round_.pins:
            try:
                same = frozen_digest(round_, pin) == pin.instrument_digest
            except DomainError:
                same = False
            if not same:
                text = Text(
                    "{r}：{s} {c} 的评分表与开启时冻结的不同",
                    "{r}: the form of {s} {c} is not the one frozen at the opening",
                )
                wrong.append(text.format(r=round_.slug, s=pin.stage, c=pin.region_class))
        for stage, cls in missing_pins(round_):
            text = Text("{r}：已开启但 {s} {c} 没有评分表", "{r}: open, but no form for {s} {c}")
            wrong.append(text.format(r=round_.slug, s=stage, c=cls))
    return wrong


def versions_say_their_digest(session: Session) -> list[Text]:
    """Each form version's text has the digest by which it is known."""
    text = Text("评分表版本 {f} 的内容与摘要不符", "form version {f} does not have its digest")
    return [
        text.format(f=f"{version.form_id} {version.digest[:12]}")
        for version in session.scalars(select(FormVersion))
        if form_digest(form_of(version)) != version.digest
    ]


def rounds_keep_their_rules(session: Session) -> list[Text]:
    """Scheme, draw rules and score rule of a round have the digests noted when it was made."""
    wrong = []
    for round_ in session.scalars(select(Round)):
        parts = (
            ("scheme", digest(round_.scheme), round_.scheme_digest),
            ("rules", rules_of(round_).digest(), round_.rules_digest),
            ("score rule", score_rule_of(round_).digest(), round_.score_rule_digest),
        )
        text = Text("{r}：{p} 与登记的摘要不符", "{r}: {p} does not have its digest")
        wrong += [text.format(r=round_.slug, p=part) for part, now, then in parts if now != then]
    return wrong


def materials_are_there(session: Session) -> list[Text]:
    """Every material's file is in the store with the content that its hash names."""
    materials = list(session.scalars(select(Material).order_by(Material.id)))
    wanted = {material.file_sha256 for material in materials}
    damaged = {damage.sha256 for damage in session.info["store"].verify(wanted)}
    text = Text("材料“{n}”的文件缺失或已损坏", "the file of “{n}” is missing or damaged")
    return [text.format(n=m.name) for m in materials if m.file_sha256 in damaged]


def vetoes_have_an_opinion(session: Session) -> list[Text]:
    """A county is vetoed iff a department's signed opinion vetoes it (S0 art. 16(1))."""
    wrong = []
    subjects = session.scalars(select(Subject).options(selectinload(Subject.opinions)))
    for subject in subjects:
        struck = any(opinion.verdict == "veto" for opinion in subject.opinions)
        if subject.status == "vetoed" and not struck:
            text = Text("{c} 被否决，却没有否决意见", "{c} is vetoed without a veto opinion")
            wrong.append(text.format(c=subject.name))
        if subject.status == "qualified" and struck:
            text = Text("{c} 有否决意见，却资格通过", "{c} qualified in spite of a veto opinion")
            wrong.append(text.format(c=subject.name))
    return wrong


def two_people_for_a_figure(session: Session) -> list[Text]:
    """Whoever confirmed a figure did not enter it."""
    text = Text("数据 {k} 的录入人与确认人相同", "figure {k} was confirmed by who entered it")
    rows = session.scalars(
        select(Figure).where(
            Figure.confirmed_at.is_not(None), Figure.confirmed_by == Figure.entered_by
        )
    )
    return [text.format(k=figure.key) for figure in rows]


def samples_follow_from_their_seed(session: Session) -> list[Text]:
    """A closed list has the digest that was noted, and its sample is the one that the seed gives."""
    wrong = []
    changed = Text("{c} 的案卷清单与封闭时的摘要不符", "the case list of {c} is not the one closed")
    other = Text("{c} 抽中的案卷与种子不符", "the sample of {c} does not follow from its seed")
    by_draw = Text("{c} 抽中的案卷与抽取结果不符", "the sample of {c} is not that of its draws")
    for round_ in _opened(session):
        for state in case_states(session, round_):
            if state.closing is None:
                continue
            if list_digest(state.live) != state.closing.digest:
                wrong.append(changed.format(c=state.subject.name))
            key = state.key
            if key is not None and {str(row.code) for row in state.sampled} != sample(state, key):
                wrong.append(other.format(c=state.subject.name))
            if state.by_ceremony and not _as_drawn(state):
                wrong.append(by_draw.format(c=state.subject.name))
    return wrong


def _as_drawn(state: CaseState) -> bool:
    """Of each type the files that its draw gave, or all of them where there was nothing to draw."""
    done = (state.closing.ceremony if state.closing is not None else None) or {}
    for rule in state.instrument["repeat"]["sample"]:
        rows = state.of_kind(rule["type"])
        held = {str(row.code) for row in rows if row.sampled}
        if len(rows) <= rule["count"]:
            due = {str(row.code) for row in rows} if done or state.drawn else set()
        else:
            due = set(done.get(rule["type"], {}).get("files", ()))
        if held != due:
            return False
    return True


def opinions_are_signed(session: Session) -> list[Text]:
    """Each opinion names who signed it, and a veto its reason."""
    text = Text("意见 {i} 缺少签署人或理由", "opinion {i} lacks its signer or reason")
    return [
        text.format(i=opinion.item)
        for opinion in session.scalars(select(Opinion))
        if not opinion.signer.strip() or (opinion.verdict == "veto" and not opinion.reason.strip())
    ]


def _opened(session: Session) -> list[Round]:
    return list(
        session.scalars(
            select(Round)
            .where(Round.opened_at.is_not(None))
            .options(selectinload(Round.subjects), selectinload(Round.pins))
            .order_by(Round.slug)
        )
    )


INVARIANTS: tuple[tuple[str, Callable[[Session], list[Text]]], ...] = (
    ("programme.pins_are_frozen", pins_are_frozen),
    ("programme.versions_say_their_digest", versions_say_their_digest),
    ("programme.rounds_keep_their_rules", rounds_keep_their_rules),
    ("programme.materials_are_there", materials_are_there),
    ("programme.vetoes_have_an_opinion", vetoes_have_an_opinion),
    ("programme.two_people_for_a_figure", two_people_for_a_figure),
    ("programme.opinions_are_signed", opinions_are_signed),
    ("programme.samples_follow_from_their_seed", samples_follow_from_their_seed),
)
