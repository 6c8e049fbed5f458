"""The ten sections of a rating report, made from the round and its run (the outline in use for
review reports: basis, procedure, qualification, desk, site, scores, achievements, problems,
conclusion, dissent). Every figure comes from the stored run; none is computed here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.aggregation.reading import Reading
from app.domain.types import Language, Text
from app.draw.models import Draw
from app.panel.models import Panel, Sitting, Statement
from app.programme.instruments import pin_for, stage_text
from app.programme.qualification import qualification_state
from app.programme.scheme import class_of, scheme_of
from app.report import queries
from app.report.blocks import (
    NOTHING,
    Block,
    day,
    facts,
    listed,
    listing,
    local,
    marks,
    note,
    paragraph,
    table,
    written,
)
from app.report.models import Report
from app.report.rule_words import rule_words
from app.report.sections import SIGNED


@dataclass(frozen=True, slots=True)
class Source:
    """What the sections read, loaded once."""

    session: Session
    report: Report
    reading: Reading
    sittings: list[Sitting]
    statements: dict[str, Statement]
    draws: list[Draw]
    members: list[queries.Member]
    zone: str
    language: Language

    @property
    def named(self) -> bool:
        """Names of members are printed once the report is closed, not before."""
        return self.report.head is not None


def source(session: Session, report: Report, language: Language) -> Source:
    """Everything that the paper shows."""
    panels = select(Panel.id).where(Panel.round_id == report.round_id)
    sittings = list(
        session.scalars(
            select(Sitting)
            .where(Sitting.panel_id.in_(panels))
            .order_by(Sitting.panel_id, Sitting.position)
        )
    )
    statements = session.scalars(
        select(Statement).where(Statement.sitting_id.in_([s.id for s in sittings]))
    )
    draws = session.scalars(
        select(Draw)
        .where(Draw.id.in_(select(Panel.draw_id).where(Panel.round_id == report.round_id)))
        .order_by(Draw.stage, Draw.created_at)
    )
    return Source(
        session,
        report,
        Reading(report.run),
        sittings,
        {row.sitting_id: row for row in statements},
        list(draws),
        queries.members(session, report.round),
        session.info["settings"].timezone,
        language,
    )


def sections(s: Source) -> dict[str, list[Block]]:
    """Section key -> blocks: what the records say, then what the leader wrote."""
    made = {
        "basis": _basis(s),
        "procedure": _procedure(s),
        "qualification": _qualification(s),
        "materials": _stage(s, "desk"),
        "site": [*_statements(s), *_stage(s, "site")],
        "scores": _scores(s),
        "achievements": [],
        "problems": [],
        "conclusion": _conclusion(s),
        "dissent": _dissent(s),
    }
    for key, blocks in made.items():
        blocks += written(s.report.sections.get(key))
    return made


def _basis(s: Source) -> list[Block]:
    round_, scheme = s.report.round, scheme_of(s.report.round)
    counties = [
        Text(f"{name.zh}（{key}，{_class(s, key).zh}）", f"{name.en} ({key}, {_class(s, key).en})")
        if s.reading.counties[key]["group"]
        else Text(f"{name.zh}（{key}）", f"{name.en} ({key})")
        for key, name in s.reading.names.items()
    ]
    days = sorted({sitting.on for sitting in s.sittings})
    places = list(dict.fromkeys(sitting.place for sitting in s.sittings if sitting.place))
    basis = scheme.basis
    number = basis.number or ""
    rows: list[tuple[Any, Any]] = [
        (
            Text("评审依据", "Basis"),
            Text(
                f"《{basis.document.zh}》{f'（{number}）' if number else ''}",
                f"{basis.document.en}{f' ({number})' if number else ''}",
            ),
        ),
        (Text("主办单位", "Authority"), scheme.authority),
        (Text("评审对象", "Counties"), listed(counties)),
    ]
    if days:
        span = day(days[0], s.zone)
        if days[-1] != days[0]:
            last = day(days[-1], s.zone)
            span = Text(f"{span.zh}至{last.zh}", f"{span.en} to {last.en}")
        rows.append((Text("评审时间", "Dates"), span))
    if places:
        rows.append((Text("评审地点", "Places"), listed([Text(p, p) for p in places])))
    for draw in s.draws:
        title = stage_text(draw.stage)
        seats = sum(1 for m in s.members for panel, _ in m.seats if panel.draw_id == draw.id)
        rows.append(
            (
                Text(f"{title.zh}专家组", f"{title.en} panel"),
                Text(
                    f"从专家库随机抽取 {seats} 人，抽取记录见附件 2",
                    f"{seats} experts drawn at random from the pool; record in annex 2",
                ),
            )
        )
    run = s.report.run
    rows.append(
        (
            Text("得分汇总", "Run of the scores"),
            Text("第 {n} 次，{t}", "run {n}, {t}").format(
                n=run.number, t=local(run.made_at, s.zone)
            ),
        )
    )
    opening = Text(
        "根据《{doc}》，{title}对 {n} 个县（市、区）进行评审，专家从专家库中随机抽取。情况报告如下。",
        "Under the {doc}, {title} reviewed {n} counties with experts drawn at random from the pool. "
        "This report gives the result.",
    ).format(doc=basis.document, title=round_.title, n=len(counties))
    withdrawn = [
        Text("{c}（{r}）", "{c} ({r})").format(c=Text.of(row["name"]), r=row["reason"] or "—")
        for row in s.reading.inputs["withdrawn"]
    ]
    if withdrawn:
        rows.append((Text("退出", "Withdrawn"), listed(withdrawn)))
    return [paragraph(opening), facts(rows), *[note(text) for text in scheme.notes]]


def _class(s: Source, key: str) -> Text:
    group = s.reading.counties[key]["group"]
    found = class_of(scheme_of(s.report.round), group or "")
    return found.title if found else Text(f"{group} 类", f"class {group}")


def _procedure(s: Source) -> list[Block]:
    steps = [
        Text(
            "专家签署回避承诺书和保密承诺书后查阅申报材料。",
            "Experts signed declarations of conflicts and of secrecy before they saw any material.",
        ),
        Text(
            "部门逐项审查资格和否决事项，有否决事项的不计总分、不排序。",
            "Departments checked every qualification and veto item; a veto means no total and no rank.",
        ),
        Text(
            "专家独立评分，评分表封存后不再改动；更正另立版本并写明理由。",
            "Experts scored independently; a sealed sheet does not change, a correction is a new "
            "version with its reason.",
        ),
        Text(
            "实地考核先听取县（市、区）政府现场陈述并质询，陈述结束后全体成员同时开放评分。",
            "On site the county government made its statement and answered questions; scoring was then "
            "opened to all members at once.",
        ),
    ]
    if not any(sitting.with_statement for sitting in s.sittings):
        steps.pop()
    return [
        listing(steps),
        paragraph(
            Text("计分规则在评分开放前公布并固定：", "The score rule was fixed before scoring:")
        ),
        listing(rule_words(s.reading)),
    ]


def _qualification(s: Source) -> list[Block]:
    round_ = s.report.round
    if not any(pin_for(round_, "qualification", x.region_class) for x in round_.subjects):
        return []
    states = qualification_state(s.session, round_)
    titles: dict[str, Text] = {}
    for state in states:
        for entry in state.items:
            who = entry.opinion.department if entry.opinion else "—"
            titles.setdefault(
                entry.item["id"],
                Text(
                    f"{entry.item['id']} {entry.title.zh}（{who}）",
                    f"{entry.item['id']} {entry.title.en} ({who})",
                ),
            )
    verdict = {"pass": Text("通过", "pass"), "veto": Text("否决", "veto")}
    outcome = {"qualified": Text("合格", "qualified"), "vetoed": Text("一票否决", "vetoed")}
    rows = []
    reasons: list[Text] = []
    for state in states:
        given = {entry.item["id"]: entry.opinion for entry in state.items}
        cells: list[Any] = [state.subject.name]
        for item in titles:
            opinion = given.get(item)
            cells.append(verdict[opinion.verdict] if opinion else NOTHING)
        shown = outcome.get(state.subject.status, NOTHING)
        rows.append([*cells, {"text": shown, "bold": True}])
        reasons += [
            Text("{c}：{r}", "{c}: {r}").format(c=state.subject.name, r=e.opinion.reason)
            for e in state.vetoed
            if e.opinion
        ]
    columns: list[tuple[Any, str, Any]] = [(Text("县（市、区）", "County"), "left", 2)]
    columns += [(item, "center", 1) for item in titles]
    columns.append((Text("结论", "Outcome"), "center", "auto"))
    foot = listed(list(titles.values()), "；", "; ")
    made = [
        table(
            Text("资格与否决审查意见", "Opinions on qualification and vetoes"), columns, rows, foot
        )
    ]
    return [*made, *([listing(reasons)] if reasons else [])]


def _stage(s: Source, wanted: str) -> list[Block]:
    """Marks of the panels of a stage; stages beside desk and site are printed with the desk's."""
    made: list[Block] = []
    for stage, panel, title in s.reading.panels():
        place = "site" if stage["id"] == "site" else "desk"
        if place != wanted:
            continue
        rows = s.reading.rows(stage["id"], panel)
        part = s.reading.counties[rows[0].id]["stages"][stage["id"]] if rows else {"maximum": ""}
        made.append(
            marks(
                Text(
                    f"{title.zh}评分汇总（满分 {part['maximum']}）",
                    f"{title.en}: sheet totals (full marks {part['maximum']})",
                ),
                s.reading.raters(stage["id"], panel),
                rows,
            )
        )
        gone = [
            Text("{c} 专家{n}：{s}，{r}", "{c}, E{n}: {s}, {r}").format(
                c=row.name, n=m.rater, s=m.state or NOTHING, r=m.reason or NOTHING
            )
            for row in rows
            for m in row.marks
            if m.value is None
        ]
        gone += [
            Text("{c}：{r}", "{c}: {r}").format(c=row.name, r=row.reason)
            for row in rows
            if row.reason
        ]
        if gone:
            made.append(listing(gone))
    return made


def _statements(s: Source) -> list[Block]:
    rows = []
    for sitting in s.sittings:
        found = s.statements.get(sitting.id)
        if found is None:
            continue
        began, ended = local(found.opened_at, s.zone), local(found.closed_at, s.zone)
        rows.append(
            [
                sitting.subject.name,
                Text(
                    f"{found.presenter_post} {found.presenter_name}",
                    f"{found.presenter_name}, {found.presenter_post}",
                ),
                began,
                ended,
                Text("是", "yes") if found.confirmed_at else Text("否", "no"),
            ]
        )
    if not rows:
        return []
    return [
        table(
            Text("现场陈述", "On-site statements"),
            [
                (Text("县（市、区）", "County"), "left", 2),
                (Text("陈述人", "Presenter"), "left", 3),
                (Text("开始", "Began"), "left", 3),
                (Text("结束", "Ended"), "left", 3),
                (Text("本人确认", "Confirmed"), "center", "auto"),
            ],
            rows,
        )
    ]


def _scores(s: Source) -> list[Block]:
    reading = s.reading
    columns: list[tuple[Any, str, Any]] = [(Text("县（市、区）", "County"), "left", 2)]
    weighted = bool(reading.run.rule["modules"])
    for stage in reading.stages:
        title = reading.titles[stage["id"]]
        columns.append((title, "right", 2))
        if weighted:
            columns.append((Text(f"× {stage['weight']}", f"× {stage['weight']}"), "right", 2))
    adjusted = any(place.adjust for place in reading.ranking())
    if adjusted:
        columns.append((Text("加减分", "Adjustment"), "right", 1))
    columns.append((Text("综合得分", "Total"), "right", 2))
    rows = []
    for place in sorted(reading.ranking(), key=lambda p: list(reading.names).index(p.id)):
        cells: list[Any] = [place.name]
        for value, part in zip(place.stages, place.weighted, strict=True):
            cells.append(value or NOTHING)
            if weighted:
                cells.append(part or NOTHING)
        if adjusted:
            cells.append(format(place.adjust, "f"))
        total = NOTHING if place.total is None else format(place.total, "f")
        rows.append([*cells, {"text": total, "bold": True}])
    made: list[Block] = [table(Text("得分汇总", "Composite scores"), columns, rows)]
    if reading.inputs["uncounted"]:
        made.append(
            note(
                Text(
                    "本方案有加分表，本届没有登记加分，综合得分不含加分。",
                    "The scheme has a bonus form; no bonus was recorded, so no total holds one.",
                )
            )
        )
    for agreed in reading.agreement():
        made.append(
            {
                "kind": "agreement",
                "caption": Text(
                    f"{agreed.title.zh}评分者一致性（全部有效评分，未去高低分）",
                    f"{agreed.title.en}: agreement between experts (all valid marks, nothing dropped)",
                ),
                "rows": [
                    {
                        "name": name,
                        "value": value,
                        "n": str(agreed.n),
                        "k": str(agreed.k),
                        "reading": words,
                        **({"low": low, "high": high} if low and high else {}),
                    }
                    for name, value, low, high, words in agreed.rows
                ],
                "note": Text(
                    "信度按双向随机、绝对一致模型，区间为 McGraw 与 Wong（1996）；W 为 Kendall 协同系数（同分校正）。",
                    "Reliability: two-way random model, absolute agreement; intervals of McGraw and Wong "
                    "(1996). W: Kendall's concordance, corrected for ties.",
                ),
            }
        )
        made.append(
            paragraph(
                Text(
                    f"{agreed.title.zh}：{agreed.words.zh}", f"{agreed.title.en}: {agreed.words.en}"
                )
            )
        )
    for number, (stage, panel, title) in enumerate(reading.panels(), 1):
        made.append(
            {
                "kind": "chart",
                "svg": reading.dots(stage["id"], panel, s.language),
                "alt": Text(
                    f"{title.zh}各县评分分布与计入均值",
                    f"{title.en}: marks and counted mean by county",
                ),
                "caption": Text(
                    f"图 {number}　{title.zh}评分分布", f"Figure {number}: marks, {title.en}"
                ),
            }
        )
    flags = reading.flags()
    made.append(
        paragraph(
            Text(
                f"评分提示 {len(flags)} 条，见附件 5；提示只供复核，不影响得分。"
                if flags
                else "没有需要提示的评分。",
                f"{len(flags)} observation(s), annex 5; they are advice and no score depends on them."
                if flags
                else "No mark called for an observation.",
            )
        )
    )
    return made


def _conclusion(s: Source) -> list[Block]:
    reading = s.reading
    ranking = reading.ranking()
    within = reading.run.rule["rank_within"] == "group"
    columns: list[tuple[Any, str, Any]] = []
    if within:
        columns.append((Text("类别", "Class"), "left", "auto"))
    columns += [
        (Text("名次", "Rank"), "center", "auto"),
        (Text("县（市、区）", "County"), "left", 2),
        (Text("综合得分", "Total"), "right", 1),
        (Text("90% 区间", "90% band"), "center", 2),
        (Text("名次区间", "Rank interval"), "center", 1),
    ]
    rows, remarks = [], []
    for place in ranking:
        cells: list[Any] = [_class(s, place.id) if place.group else NOTHING] if within else []
        band, interval = place.band, place.interval
        cells += [
            place.rank or NOTHING,
            place.name,
            {"text": NOTHING if place.total is None else format(place.total, "f"), "bold": True},
            Text(f"{band[0]} 至 {band[1]}", f"{band[0]} to {band[1]}") if band else NOTHING,
            _interval(interval),
        ]
        rows.append(cells)
        for remark in (place.reason, place.tie):
            if remark:
                remarks.append(
                    Text(f"{place.name.zh}：{remark.zh}", f"{place.name.en}: {remark.en}")
                )
    sure = reading.results["uncertainty"]
    made = [
        table(
            Text("综合得分与排序", "Total scores and ranking"),
            columns,
            rows,
            Text(
                "90% 区间由缩尾方差（Yuen 1974）得出；名次区间由 {n} 次模拟得出，种子 {s}。二者说明把握大小，不改变名次。",
                "The 90 % band rests on the winsorised variance (Yuen 1974), the rank interval on {n} "
                "simulated draws, seed {s}. They say how sure a rank is and change none.",
            ).format(n=sure["draws"], s=sure["seed"]),
        )
    ]
    if remarks:
        made.append(listing(remarks))
    made.append(
        {
            "kind": "chart",
            "svg": reading.caterpillar(s.language),
            "alt": Text("综合得分与 90% 区间", "Total scores with 90 % bands"),
            "caption": Text(
                f"图 {len(reading.panels()) + 1}　综合得分与区间",
                f"Figure {len(reading.panels()) + 1}: total scores and bands",
            ),
        }
    )
    return made


def _interval(bounds: tuple[int, int] | None) -> Text:
    if bounds is None:
        return NOTHING
    low, high = bounds
    return Text(str(low), str(low)) if low == high else Text(f"{low} 至 {high}", f"{low} to {high}")


def _dissent(s: Source) -> list[Block]:
    found = queries.signatures(s.report)
    made = []
    for member in s.members:
        row = found.get(member.expert.id)
        if row is None or row.state == "signed":
            continue
        who = member.places
        if s.named:
            name = member.expert.person.name
            who = Text(f"{name}（{who.zh}）", f"{name} ({who.en})")
        made.append(
            paragraph(
                Text("{w}{s}：{t}", "{w}, {s}: {t}").format(w=who, s=SIGNED[row.state], t=row.text)
            )
        )
    return made
