"""Place, closeness to other experts, rotation and dates: C-09, C-11, C-16, D-15, D-16.

Sources: Civil Servants Law art. 75 by analogy and the NDRC rules of 2024 on drawing from elsewhere
(C-09); the rest is practice. Articles stand with each rule in scoring_forms/rules.yaml.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta

from app.domain.draw.rules_case import Case, Gap, Hit, PersonCheck, SubjectCheck
from app.domain.draw.rules_conflict import EMPLOYED, employment_gap
from app.domain.draw.rules_facts import DateRange, SubjectFacts
from app.domain.draw.rules_pool import d15_load
from app.domain.draw.rules_schema import LEVELS
from app.domain.draw.rules_time import iso, overlaps, shift_months
from app.domain.types import Text

LEVEL_WORDS: Mapping[str, Text] = {
    "county": Text("同一县（市、区）", "the same county"),
    "prefecture": Text("同一地级市", "the same prefecture"),
    "province": Text("同一省（区、市）", "the same province"),
}
TIE_WORDS: Mapping[str, Text] = {
    "coauthor": Text("密切合著者", "close co-author of"),
    "teacher": Text("师生（对方为师）", "student of"),
    "student": Text("师生（对方为生）", "teacher of"),
    "mutual": Text("互评关系", "mutual reviewer of"),
}
# Rule D-14: who looks at a list of exclusions may not learn whom a sealed draw seated, when or for what.
ROTATION = Text("按轮换要求不能参加", "kept out by rotation")
NOT_SAID = Text("评审时间内不能参加", "not available during the sitting")
NO_PLACE = Text("未登记该对象所在地区", "the subject's region is not recorded")


def c09(case: Case, subject: SubjectFacts) -> Iterator[Hit | Gap]:
    """The employer lies in the subject's county, prefecture or province.

    Employers at central level are exempt only by the rule set's recorded decision, and not before
    the day it was taken.
    """
    level = str(case.rule.params["level"])
    prefix = subject.prefix(LEVELS.index(level))
    if prefix is None:
        yield Gap(NO_PLACE)
        return
    posts = list(case.posts(EMPLOYED))
    if not posts:
        if case.expert.employments:
            yield Gap(
                Text("基准日无任职单位", "no employer on the reference date"),
                general=True,
            )
        else:
            yield from employment_gap(case)
    for post in posts:
        if post.region_code is None:
            yield Gap(
                Text(
                    f"{post.organisation.zh}未登记所在地区",
                    f"the region of {post.organisation.en} is not recorded",
                ),
                general=True,
            )
            continue
        if not post.region_code.startswith(prefix):
            continue
        place: dict[str, Text | str] = {
            "subject": subject.name,
            "level": LEVEL_WORDS[level],
            "code": post.region_code,
        }
        hit = case.post_hit(
            post,
            Text(
                "{period} 任职于{org}（{code}），与{subject}在{level}；{window}",
                "{period} employed by {org} ({code}), in {level} as {subject}; {window}",
            ),
            **place,
        )
        located = {
            **hit.evidence,
            "region": post.region_code,
            "level": level,
            "prefix": prefix,
        }
        decision = case.central_exempt
        if post.central and decision is not None and decision.on <= case.on:
            yield Hit(
                Text(
                    f"{hit.reason.zh}；中央单位，经{decision.decided_by}于 {decision.on} 决定豁免："
                    f"{decision.reason.zh}",
                    f"{hit.reason.en}; central employer, exempt by decision of"
                    f" {decision.decided_by} on {decision.on}: {decision.reason.en}",
                ),
                {
                    **located,
                    "decided_by": decision.decided_by,
                    "decided_on": iso(decision.on),
                },
                severity="info",
            )
        else:
            yield replace(hit, evidence={**located, "central": post.central})


def c11(case: Case, subject: SubjectFacts) -> Iterator[Hit | Gap]:
    """Born in the subject's area, or lived there for the given years up to the reference date.

    Days at several addresses in the area add up; a day is counted once.
    """
    level = str(case.rule.params["level"])
    prefix = subject.prefix(LEVELS.index(level))
    if prefix is None:
        yield Gap(NO_PLACE)
        return
    where = LEVEL_WORDS[level]
    if case.expert.birthplace is None:
        yield Gap(Text("未登记出生地", "the birthplace is not recorded"), general=True)
    elif case.expert.birthplace.startswith(prefix):
        yield Hit(
            Text(
                f"出生地与{subject.name.zh}在{where.zh}",
                f"born in {where.en} as {subject.name.en}",
            ),
            {"birthplace": case.expert.birthplace, "prefix": prefix},
        )
    if case.expert.residences is None:
        yield Gap(Text("未登记居住经历", "residences are not recorded"), general=True)
        return
    days = 0
    counted = None
    stays = [stay for stay in case.expert.residences if stay.region_code.startswith(prefix)]
    for stay in sorted(stays, key=lambda s: (iso(s.since) or "", iso(s.until) or "9999")):
        if stay.since is None:
            yield Gap(
                Text("居住起始日期不详", "the start of a residence is unknown"),
                general=True,
            )
            continue
        begin = stay.since if counted is None else max(stay.since, counted + timedelta(days=1))
        end = case.on if stay.until is None else min(stay.until, case.on)
        if begin <= end:
            days += (end - begin).days + 1
            counted = end
    years = case.integer("years")
    # Whole days, so N years are reached by the days of the N years that end on the reference date.
    needed = (case.on - shift_months(case.on, -12 * years)).days
    if stays and days >= max(needed, 1):
        yield Hit(
            Text(
                f"在{subject.name.zh}{where.zh}居住满 {years} 年",
                f"lived {years} years or more in {where.en} as {subject.name.en}",
            ),
            {"days": days, "prefix": prefix},
        )


def c16(case: Case) -> Iterator[Hit | Gap]:
    """Close ties to other experts: a warning here, a pair rule in the panel (see pair_conflicts)."""
    if case.expert.ties is None:
        yield Gap(Text("未申报与其他专家的关系", "ties to other experts not declared"))
    for tie in case.expert.ties or ():
        if tie.kind in case.codes("kinds") and case.in_window(None, tie.until):
            name, window = TIE_WORDS[tie.kind], case.window_words()
            yield Hit(
                Text(
                    f"与专家 {tie.expert_id} 为{name.zh}，不宜同组；{window.zh}",
                    f"{name.en} expert {tie.expert_id}, better not in one panel; {window.en}",
                ),
                {"kind": tie.kind, "expert": tie.expert_id, "until": iso(tie.until)},
                severity="warn",
            )


def d15(case: Case, subject: SubjectFacts) -> Iterator[Hit | Gap]:
    """Not the same subject in consecutive rounds; many panels in the last months warn."""
    yield from d15_load(case)
    if not case.rule.params["consecutive"]:
        return
    if subject.previous_round_expert_ids is None:
        yield Gap(
            Text(
                "未登记上一届评审专家",
                "the experts of the previous round are not recorded",
            )
        )
    elif case.expert.expert_id in subject.withheld_expert_ids:
        yield Hit(ROTATION, {"ground": "withheld"})
    elif case.expert.expert_id in subject.previous_round_expert_ids:
        yield Hit(
            Text(
                f"上一届已参加{subject.name.zh}评审，不得连续参加",
                f"sat on {subject.name.en} in the previous round; not twice in a row",
            ),
            {"expert": case.expert.expert_id},
        )


def d16(case: Case, subject: SubjectFacts) -> Iterator[Hit | Gap]:
    """The expert has said to be away on a day of the sitting, or sits on another panel that day."""
    ranges = subject.sitting or (DateRange(since=case.on, until=case.on),)
    told: dict[date, bool] = {}  # day -> may it be said
    for duty in case.expert.duties:
        for day in duty.days:
            if any(one.since <= day <= one.until for one in ranges):
                told[day] = told.get(day, False) or not duty.sealed
    if not all(told.values()):
        yield Hit(NOT_SAID, {"ground": "withheld"}, general=True)
    for day in sorted(told):
        if told[day]:
            yield Hit(
                Text(
                    f"{day} 已在另一次抽取的评审组中有席位，同日不能再参加",
                    f"already holds a seat on {day}, on a panel of another draw",
                ),
                {"seated_on": iso(day)},
                general=True,
            )
    if case.expert.unavailable is None:
        yield Gap(Text("未登记可参加时间", "availability not recorded"), general=True)
        return
    first, last = min(one.since for one in ranges), max(one.until for one in ranges)
    for away in case.expert.unavailable:
        if any(overlaps(away.since, away.until, one.since, one.until) for one in ranges):
            yield Hit(
                Text(
                    f"{away.since} 至 {away.until} 不能参加；评审时间 {first} 至 {last}",
                    f"unavailable {away.since} to {away.until}; sitting {first} to {last}",
                ),
                {
                    "since": iso(away.since),
                    "until": iso(away.until),
                    "first": iso(first),
                    "last": iso(last),
                },
            )


PLACE_CHECKS: Mapping[str, SubjectCheck] = {
    "C-09": SubjectCheck(c09, Text("任职单位不在该地区", "the employer is elsewhere")),
    "C-11": SubjectCheck(c11, Text("出生、居住均不在该地区", "neither born nor resident there")),
    "D-15": SubjectCheck(d15, Text("轮换符合要求", "rotation observed")),
    "D-16": SubjectCheck(d16, Text("评审时间内可参加", "available during the sitting")),
}

TIE_CHECKS: Mapping[str, PersonCheck] = {
    "C-16": PersonCheck(c16, Text("无申报的密切关系", "no close tie declared")),
}
