"""Who may be in the pool at all: rules P-01 to P-09, about the expert alone.

Sources: national measures of 2015 art. 34 (screening, named keeper, regular update) and art. 40(4)
(an expert struck off is never re-admitted); Bidding Law art. 37; rules on evaluation experts. The
articles, with what is still to confirm, stand with each rule in scoring_forms/rules.yaml.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.domain.draw.rules_case import Case, Gap, Hit, PersonCheck
from app.domain.draw.rules_facts import TITLE_RANKS
from app.domain.draw.rules_time import age_on, iso, shift_months, window_start
from app.domain.types import Text

STATUS_WORDS: Mapping[str, Text] = {
    "active": Text("在库", "active"),
    "candidate": Text("待审核", "candidate"),
    "suspended": Text("暂停", "suspended"),
    "retired": Text("已出库", "retired from the pool"),
    "removed": Text("已取消资格", "struck off"),
}
SANCTION_WORDS: Mapping[str, Text] = {
    "major_deviation": Text("工作出现重大偏差", "major deviation"),
    "fraud": Text("弄虚作假", "fraud"),
    "leak": Text("失泄密", "leak of secrets"),
    "removal": Text("取消专家资格", "struck off"),
    "warning": Text("警告", "warning"),
    "suspension": Text("暂停资格", "suspension"),
}
ROLE_WORDS: Mapping[str, Text] = {
    "keeper": Text("专家库管理人", "pool keeper"),
    "operator": Text("抽取人", "draw operator"),
    "office": Text("创建活动办公室工作人员", "programme office"),
    "supervisor": Text("监督人员", "supervisor"),
    "presenter": Text("陈述人", "presenter"),
    "sysadmin": Text("系统管理员", "system administrator"),
    "secadmin": Text("安全管理员", "security administrator"),
    "auditadmin": Text("审计管理员", "audit administrator"),
}


def word(words: Mapping[str, Text], code: str) -> Text:
    """The word for a code; a code without one stands for itself."""
    return words.get(code) or Text(code, code)


def _title_and_years(case: Case, demands: tuple[tuple[int, int], ...]) -> Iterator[Hit | Gap]:
    """Passed when one demand (title rank, years) is met.

    Only the year of entry is held, so service is the difference of calendar years.
    """
    rank, start = case.expert.title_rank, case.expert.career_start
    years = None if start is None else case.on.year - start
    if any(rank >= title and (need == 0 or (years or 0) >= need) for title, need in demands):
        return
    if years is None and any(rank >= title for title, _ in demands):
        yield Gap(
            Text(
                "未登记从事本领域工作的起始年份",
                "the year of entering the field is missing",
            )
        )
        return
    wanted = Text(
        "，或".join(_demand(title, need).zh for title, need in demands),
        ", or ".join(_demand(title, need).en for title, need in demands),
    )
    known = (
        Text("年限未登记", "years in the field not recorded")
        if years is None
        else Text(f"从业 {years} 年", f"{years} years in the field")
    )
    yield Hit(
        Text("职称{title}、{known}；要求{wanted}", "{title}, {known}; required: {wanted}").format(
            title=TITLE_RANKS[rank], known=known, wanted=wanted
        ),
        {"title_rank": rank, "years": years},
    )


def _demand(title: int, need: int) -> Text:
    name = TITLE_RANKS[title]
    if need == 0:
        return Text(f"{name.zh}及以上职称", f"title {name.en} or above")
    return Text(
        f"{name.zh}及以上职称且满 {need} 年",
        f"title {name.en} or above and {need} years",
    )


def p01(case: Case) -> Iterator[Hit | Gap]:
    """Senior title and years in the field."""
    return _title_and_years(case, ((case.integer("min_title"), case.integer("years")),))


def p02(case: Case) -> Iterator[Hit | Gap]:
    """Middle title with the years, or senior title without."""
    return _title_and_years(
        case,
        (
            (case.integer("mid_title"), case.integer("years")),
            (case.integer("senior_title"), 0),
        ),
    )


def p03(case: Case) -> Iterator[Hit | Gap]:
    """Below the age limit on the reference date; a recorded decision may raise it by discipline.

    The evidence holds the age, not the date of birth.
    """
    if case.expert.birth_date is None:
        yield Gap(Text("未登记出生日期", "the date of birth is missing"))
        return
    age = age_on(case.expert.birth_date, case.on)
    limit = case.integer("limit")
    for decision in case.rule.params["relaxed"]:
        if decision["discipline"] in case.expert.disciplines:
            limit = max(limit, decision["limit"])
    if age >= limit:
        yield Hit(
            Text(
                f"至 {case.on} 年满 {age} 周岁，要求不满 {limit} 周岁",
                f"aged {age} on {case.on}; must be under {limit}",
            ),
            {"age": age, "limit": limit, "on": iso(case.on)},
        )


def p04(case: Case) -> Iterator[Hit | Gap]:
    """Nomination and the nominee's own consent are on file."""
    if case.rule.params["nomination"] and not case.expert.nomination:
        yield Hit(Text("无推荐材料", "no nomination on file"), {"missing": "nomination"})
    if case.rule.params["consent"] and not case.expert.consent:
        yield Hit(
            Text("无本人同意书", "no consent of the expert on file"),
            {"missing": "consent"},
        )


def p05(case: Case) -> Iterator[Hit | Gap]:
    """Admitted by a written screening of several reviewers, and now in the pool."""
    expert = case.expert
    reviewers = set(expert.screened_by) - {expert.expert_id, expert.person_id}
    need = case.integer("min_reviewers")
    if len(reviewers) < need:
        yield Hit(
            Text(
                f"筛选记录有 {len(reviewers)} 名审核人，要求至少 {need} 名（本人不计）",
                f"screened by {len(reviewers)} reviewers; at least {need} needed, not oneself",
            ),
            {"reviewers": len(reviewers), "needed": need},
        )
    if expert.status not in case.codes("statuses"):
        state = word(STATUS_WORDS, expert.status)
        yield Hit(
            Text(f"专家库状态为“{state.zh}”", f"pool status is: {state.en}"),
            {"status": expert.status},
        )


def p07(case: Case) -> Iterator[Hit | Gap]:
    """No sanction in force in the window; a sanction of art. 40(4), or without end, bars for ever."""
    for sanction in case.expert.sanctions:
        if sanction.since > case.on:
            continue
        kind = word(SANCTION_WORDS, sanction.kind)
        evidence: dict[str, str | int | bool | None | list[str]] = {
            "kind": sanction.kind,
            "since": iso(sanction.since),
            "until": iso(sanction.until),
            "decided_by": sanction.decided_by,
        }
        if sanction.kind in case.codes("permanent_kinds"):
            yield Hit(
                Text(
                    f"{sanction.since} 因“{kind.zh}”受处理，不再纳入专家库（办法第四十条第四项）",
                    f"sanctioned on {sanction.since} ({kind.en}): never re-admitted, art. 40(4)",
                ),
                evidence,
            )
        elif sanction.until is None:
            yield Hit(
                Text(
                    f"{sanction.since} 起受“{kind.zh}”处理，无终止日期",
                    f"under sanction ({kind.en}) since {sanction.since}, without end",
                ),
                evidence,
            )
        elif case.in_window(sanction.since, sanction.until):
            window = case.window_words()
            yield Hit(
                Text(
                    f"{sanction.since} 至 {sanction.until} 受“{kind.zh}”处理；{window.zh}",
                    f"under sanction ({kind.en}) {sanction.since} to {sanction.until}; {window.en}",
                ),
                evidence,
            )


def p08(case: Case) -> Iterator[Hit | Gap]:
    """Facts verified lately: due from `warn_months` on, out from `block_months` on."""
    verified, due = case.expert.last_verified, case.expert.review_due
    overdue = due is not None and case.on > due
    if verified is None:
        if not overdue:
            yield Gap(Text("未登记最近核验日期", "the day of the last verification is missing"))
            return
    elif case.on >= shift_months(verified, case.integer("block_months")):
        yield Hit(
            Text(
                f"最近核验于 {verified}，已满 {case.integer('block_months')} 个月",
                f"last verified on {verified}, {case.integer('block_months')} months ago or more",
            ),
            {"last_verified": iso(verified), "review_due": iso(due)},
        )
        return
    elif not overdue and case.on < shift_months(verified, case.integer("warn_months")):
        return
    yield Hit(
        Text(
            f"应核验更新：最近核验 {verified or '无记录'}，复核期限 {due or '未定'}",
            f"verification due: last {verified or 'not recorded'}, deadline {due or 'not set'}",
        ),
        {"last_verified": iso(verified), "review_due": iso(due)},
        severity="warn",
    )


def p09(case: Case) -> Iterator[Hit | Gap]:
    """Whoever keeps the pool, runs the draw or speaks for a county is no candidate."""
    for role in sorted(set(case.expert.roles) & case.codes("roles")):
        name = word(ROLE_WORDS, role)
        yield Hit(
            Text(
                f"在本次活动中担任{name.zh}",
                f"holds a role in this programme: {name.en}",
            ),
            {"role": role},
        )


def d15_load(case: Case) -> Iterator[Hit | Gap]:
    """Panels sat on in the last months; at the limit a further seat would exceed it."""
    seats = case.expert.participations
    if seats is None:
        yield Gap(Text("未登记参加评审记录", "no record of earlier panels"), general=True)
        return
    first = window_start(case.on, months=case.integer("months"))
    count = len({seat for seat in seats if first <= seat.panel_date <= case.on})
    if count >= case.integer("max_panels"):
        limit = case.integer("max_panels")
        yield Hit(
            Text(
                f"{first} 至 {case.on} 已参加 {count} 次评审，上限 {limit} 次",
                f"{count} panels from {first} to {case.on}; limit {limit}",
            ),
            {
                "panels": count,
                "limit": limit,
                "first": iso(first),
                "last": iso(case.on),
            },
            severity="warn",
            general=True,
        )


POOL_CHECKS: Mapping[str, PersonCheck] = {
    "P-01": PersonCheck(p01, Text("职称与年限符合", "title and years suffice")),
    "P-02": PersonCheck(p02, Text("职称与年限符合", "title and years suffice")),
    "P-03": PersonCheck(p03, Text("未达年龄上限", "below the age limit")),
    "P-04": PersonCheck(p04, Text("推荐与同意材料齐全", "nomination and consent on file")),
    "P-05": PersonCheck(p05, Text("经筛选入库", "admitted by screening")),
    "P-07": PersonCheck(p07, Text("期内无处理记录", "no sanction in the window")),
    "P-08": PersonCheck(p08, Text("核验在有效期内", "verification up to date")),
    "P-09": PersonCheck(p09, Text("不担任管理、抽取等职责", "holds no role of the procedure")),
}
