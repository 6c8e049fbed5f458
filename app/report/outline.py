"""The ten sections of a rating report, made from the round and its run (the outline in use for
review reports: basis, procedure, qualification, desk, site, scores, achievements, problems,
conclusion, dissent). Every figure comes from the stored run; none is computed here."""

from __future__ import annotations

from typing import Any

from app.domain.types import Text
from app.panel.statements import UNCONFIRMED
from app.programme.instruments import pin_for, stage_text
from app.programme.qualification import qualification_state
from app.programme.scheme import scheme_of
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
    own_marks,
    paragraph,
    table,
    typed,
    written,
)
from app.report.challenge_sections import challenges
from app.report.rule_words import rule_words
from app.report.score_sections import conclusion, scores
from app.report.sections import SIGNED
from app.report.source import Source, class_title
from app.report.trainee_lines import sat_along


def sections(s: Source) -> dict[str, list[Block]]:
    """Section key -> blocks: what the records say, then what the leader wrote."""
    made = {
        "basis": _basis(s),
        "procedure": _procedure(s),
        "qualification": _qualification(s),
        "materials": _stage(s, "desk"),
        "site": [*_statements(s), *challenges(s), *_stage(s, "site")],
        "scores": scores(s),
        "achievements": [],
        "problems": [],
        "conclusion": conclusion(s),
        "dissent": _dissent(s),
    }
    for key, blocks in made.items():
        blocks += written(s.report.sections.get(key))
    return made


def _basis(s: Source) -> list[Block]:
    round_, scheme = s.report.round, scheme_of(s.report.round)
    counties = [
        Text(
            f"{name.zh}（{key}，{class_title(s, key).zh}）",
            f"{name.en} ({key}, {class_title(s, key).en})",
        )
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
        seats = sum(1 for m in s.members for _, seat in m.seats if seat.draw_id == draw.id)
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
        Text("{c}（{r}）", "{c} ({r})").format(c=Text.of(row["name"]), r=typed(row["reason"]))
        for row in s.reading.inputs["withdrawn"]
    ]
    if withdrawn:
        rows.append((Text("退出", "Withdrawn"), listed(withdrawn)))
    return [paragraph(opening), facts(rows), *[note(text) for text in scheme.notes]]


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
        listing([*steps, *sat_along(s)]),
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
            Text("{c}：{r}", "{c}: {r}").format(c=state.subject.name, r=typed(e.opinion.reason))
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
        judged = s.reading.own_rows(stage["id"], panel)
        if judged:
            made.append(
                own_marks(
                    Text(
                        f"{title.zh}专家自评项目得分（一致性的计算依据）",
                        f"{title.en}: points on the items that experts judge (what the agreement "
                        "is computed on)",
                    ),
                    s.reading.raters(stage["id"], panel),
                    judged,
                )
            )
        gone = [
            Text("{c} 专家{n}：{s}，{r}", "{c}, E{n}: {s}, {r}").format(
                c=row.name, n=m.rater, s=m.state or NOTHING, r=typed(m.reason)
            )
            for row in rows
            for m in row.marks
            if m.value is None
        ]
        gone += [
            Text("{c}：{r}", "{c}: {r}").format(c=row.name, r=typed(row.reason))
            for row in rows
            if row.reason
        ]
        if gone:
            made.append(listing(gone))
    return made


def _statements(s: Source) -> list[Block]:
    """Who spoke and when; a record that the representative did not confirm says why."""
    rows = []
    notes: list[Text] = []
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
        if found.unconfirmed:
            why = UNCONFIRMED[found.unconfirmed]
            if found.unconfirmed_note:
                why = Text("{w}。{n}", "{w}: {n}").format(w=why, n=typed(found.unconfirmed_note))
            notes.append(
                Text("{c}陈述记录未经确认：{w}", "{c}, record not confirmed: {w}").format(
                    c=sitting.subject.name, w=why
                )
            )
    if not rows:
        return []
    shown = [
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
    return [*shown, listing(notes)] if notes else shown


def _dissent(s: Source) -> list[Block]:
    found = queries.signatures(s.report)
    made = []
    for member in s.members:
        row = found.get(member.expert.id)
        if row is None or row.state == "signed":
            continue
        who = member.places
        if s.named:
            name = member.name
            who = Text(f"{name}（{who.zh}）", f"{name} ({who.en})")
        made.append(
            paragraph(
                Text("{w}{s}：{t}", "{w}, {s}: {t}").format(
                    w=who, s=SIGNED[row.state], t=typed(row.text)
                )
            )
        )
    return made
