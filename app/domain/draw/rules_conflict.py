"""Conflicts of interest between an expert and a subject: C-01 to C-08, C-12, C-14, C-15.

Sources: Regulation for implementing the Government Procurement Law art. 9; Regulation for
implementing the Bidding Law art. 46; Civil Servants Law art. 74-76; Beijing notice of 2012 part
four (guidance pairs, C-14). The articles stand with each rule in scoring_forms/rules.yaml.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.domain.draw.rules_case import Case, Gap, Hit, SubjectCheck
from app.domain.draw.rules_facts import Side, SubjectFacts
from app.domain.draw.rules_pool import ROLE_WORDS, word
from app.domain.draw.rules_time import in_words, iso
from app.domain.types import Text

RELATION_WORDS: Mapping[str, Text] = {
    "employed": Text("任职于", "employed by"),
    "director": Text("担任董事", "director of"),
    "supervisor": Text("担任监事", "on the supervisory board of"),
    "adviser": Text("担任顾问", "adviser to"),
    "shareholder": Text("持股或控制", "shareholder of"),
}
KIN_WORDS: Mapping[str, Text] = {
    "spouse": Text("配偶", "spouse"),
    "direct": Text("直系血亲", "direct blood relative"),
    "collateral": Text("三代以内旁系血亲", "collateral blood relative within three generations"),
    "in_law": Text("近姻亲", "close in-law"),
    "unstated": Text("回避规定所列的亲属", "kin as the recusal rules list it"),
}
# The degree was not recorded, so none is claimed.
UNSTATED_KIN = Text(
    "经认定与{who}负责人有夫妻、直系血亲、三代以内旁系血亲或近姻亲关系",
    "found to be spouse, direct or collateral blood relative or close in-law of a head of {who}",
)
ENGAGEMENT_WORDS: Mapping[str, Text] = {
    "drafting": Text("编写申报材料", "drafting its declaration"),
    "consulting": Text("提供咨询", "consulting for it"),
    "earlier_stage": Text("参加前一阶段考核", "an earlier stage of judging it"),
}
DECISION_WORDS: Mapping[str, Text] = {
    "upheld": Text("已同意", "upheld"),
    "pending": Text("待决定，暂不参加", "pending decision, excluded meanwhile"),
    "dismissed": Text("已驳回", "dismissed"),
}
# Kinship and disputes are private matters (rules C-04, C-08): a pending one is not named.
DECLARED_WORDS: Mapping[str, Text] = {
    "kin": Text("个人情况", "a personal matter"),
    "dispute": Text("个人情况", "a personal matter"),
    "drafting": ENGAGEMENT_WORDS["drafting"],
    "consulting": ENGAGEMENT_WORDS["consulting"],
    "earlier_stage": ENGAGEMENT_WORDS["earlier_stage"],
    "shareholding": Text("持股、投资或兼职", "a share, investment or side post"),
    "other": Text("其他关系", "another link"),
}
EMPLOYED = frozenset({"employed"})

NO_HISTORY = Text("未登记任职经历", "no employment history recorded")
NO_HOLDINGS = Text("未申报持股与兼职情况", "shares and side posts not declared")
NO_TREE = Text("未登记该县所属单位", "the county's organisations are not recorded")


def employment_gap(case: Case) -> Iterator[Gap]:
    """Everybody has or had an employer: a history without one was not recorded."""
    if not any(post.relation == "employed" for post in case.expert.employments or ()):
        yield Gap(NO_HISTORY, general=True)


def holdings_gap(case: Case) -> Iterator[Gap]:
    """Shares and side posts are known from what the expert declared, not from the employer."""
    if case.expert.employments is None:
        yield Gap(NO_HISTORY, general=True)
    elif not case.expert.holdings_declared:
        yield Gap(NO_HOLDINGS, general=True)


def c01(case: Case, subject: SubjectFacts) -> Iterator[Hit | Gap]:
    """Employed in the subject's government tree within the window."""
    yield from employment_gap(case)
    if subject.organisation_ids is None:
        yield Gap(NO_TREE)
        return
    for post in case.posts(EMPLOYED):
        if post.within(subject.organisation_ids):
            yield case.post_hit(
                post,
                Text(
                    "{period} 任职于{org}，属{subject}所属单位；{window}",
                    "{period} employed by {org}, which belongs to {subject}; {window}",
                ),
                subject=subject.name,
            )


def c02(case: Case, subject: SubjectFacts) -> Iterator[Hit | Gap]:
    """Director, supervisor or adviser in the subject's tree within the window."""
    yield from holdings_gap(case)
    if subject.organisation_ids is None:
        yield Gap(NO_TREE)
        return
    for post in case.posts(case.codes("relations")):
        if post.within(subject.organisation_ids):
            yield case.post_hit(
                post,
                Text(
                    "{period} {relation}：{org}，属{subject}所属单位；{window}",
                    "{period} {relation} {org}, which belongs to {subject}; {window}",
                ),
                subject=subject.name,
                relation=RELATION_WORDS[post.relation],
            )


def c03(case: Case, subject: SubjectFacts) -> Iterator[Hit | Gap]:
    """A share in the subject's organisations, or a link to the contractor of its application."""
    yield from holdings_gap(case)
    if subject.organisation_ids is None:
        yield Gap(NO_TREE)
    if subject.contractor_ids is None:
        yield Gap(
            Text(
                "未登记申报承担单位",
                "the contractors of the application are not recorded",
            )
        )
    contractor_relations = case.codes("contractor_relations")
    for post in case.posts(contractor_relations | {"shareholder"}):
        contracted = post.relation in contractor_relations and post.within(
            subject.contractor_ids or ()
        )
        owned = post.relation == "shareholder" and post.within(subject.organisation_ids or ())
        if contracted or owned:
            yield case.post_hit(
                post,
                Text(
                    "{period} {relation}：{org}（{link}）；{window}",
                    "{period} {relation} {org} ({link}); {window}",
                ),
                relation=RELATION_WORDS[post.relation],
                link=Text(
                    f"承担{subject.name.zh}申报工作",
                    f"contractor for {subject.name.en}'s application",
                )
                if contracted
                else Text(f"属{subject.name.zh}", f"belongs to {subject.name.en}"),
            )


def c04(case: Case, subject: SubjectFacts) -> Iterator[Hit | Gap]:
    """Kin of the subject's heads, or one of its heads."""
    leaders = subject.leader_ids
    if leaders is None:
        yield Gap(Text("未登记该县负责人", "the county's heads are not recorded"))
    if case.expert.kin is None:
        yield Gap(Text("未申报亲属关系", "family relations not declared"), general=True)
    if case.expert.person_id in (leaders or ()):
        yield Hit(
            Text(
                f"本人为{subject.name.zh}负责人",
                f"is one of the heads of {subject.name.en}",
            ),
            {"relation": "self", "other": case.expert.person_id},
        )
    for kin in case.expert.kin or ():
        unstated = kin.relation == "unstated"
        if (unstated or kin.relation in case.codes("relations")) and (
            subject.is_meant(kin.other) or kin.other in (leaders or ())
        ):
            name = KIN_WORDS[kin.relation]
            reason = Text(
                f"与{subject.name.zh}负责人有{name.zh}关系",
                f"{name.en} of a head of {subject.name.en}",
            )
            if unstated:
                reason = UNSTATED_KIN.format(who=subject.name)
            yield Hit(reason, {"relation": kin.relation, "other": kin.other})


def _declared(case: Case, subject: SubjectFacts, side: Side, who: Text) -> Iterator[Hit | Gap]:
    if case.expert.declarations is None:
        yield Gap(Text("未登记回避申报情况", "declarations not recorded"), general=True)
        return
    for declaration in case.expert.declarations:
        if declaration.side != side or not subject.is_meant(declaration.subject_code):
            continue
        state, kind = DECISION_WORDS[declaration.decided], word(DECLARED_WORDS, declaration.kind)
        day, by = declaration.decided_on, declaration.decided_by
        detail = Text(
            "".join((f"，{day}" if day else "", f"，{by} 决定" if by else "")),
            "".join((f", {day}" if day else "", f", by {by}" if by else "")),
        )
        yield Hit(
            Text(
                f"{who.zh}就{subject.name.zh}提出回避（{kind.zh}）：{state.zh}{detail.zh}",
                f"{who.en} asked for recusal from {subject.name.en} ({kind.en}):"
                f" {state.en}{detail.en}",
            ),
            {
                "kind": declaration.kind,
                "side": side,
                "decided": declaration.decided,
                "declared_on": iso(declaration.declared_on),
                "decided_by": by,
                "decided_on": iso(day),
            },
            severity="info" if declaration.decided == "dismissed" else "block",
        )


def c05(case: Case, subject: SubjectFacts) -> Iterator[Hit | Gap]:
    """Another link that the expert declared; excluded until it is decided."""
    return _declared(case, subject, "self", Text("本人", "the expert"))


def c12(case: Case, subject: SubjectFacts) -> Iterator[Hit | Gap]:
    """The county's reasoned request; excluded until it is decided."""
    return _declared(case, subject, "county", Text("县（市）方", "the county"))


def c06(case: Case, subject: SubjectFacts) -> Iterator[Hit | Gap]:
    """A supervisor of this programme, or staff of the body that supervises it."""
    for role in sorted(set(case.expert.roles) & case.codes("roles")):
        name = word(ROLE_WORDS, role)
        yield Hit(
            Text(
                f"在本次活动中担任{name.zh}",
                f"holds a role in this programme: {name.en}",
            ),
            {"role": role},
            general=True,
        )
    yield from employment_gap(case)
    if subject.supervised_by is None:
        yield Gap(Text("未登记监督单位", "the supervising body is not recorded"))
        return
    for post in case.posts(EMPLOYED):
        if post.within(subject.supervised_by):
            yield case.post_hit(
                post,
                Text(
                    "{period} 任职于监督单位{org}；{window}",
                    "{period} employed by the supervising body {org}; {window}",
                ),
            )


def c07(case: Case, subject: SubjectFacts) -> Iterator[Hit | Gap]:
    """Drafted, advised on or judged earlier the same subject's application."""
    if case.expert.engagements is None:
        yield Gap(Text("未申报参与情况", "engagements not declared"), general=True)
    for work in case.expert.engagements or ():
        if (
            subject.is_meant(work.subject_code)
            and work.kind in case.codes("kinds")
            and case.in_window(work.since, work.until)
        ):
            period, name = in_words(work.since, work.until), ENGAGEMENT_WORDS[work.kind]
            window = case.window_words()
            yield Hit(
                Text(
                    f"{period.zh} 为{subject.name.zh}{name.zh}；{window.zh}"
                    if work.kind != "earlier_stage"
                    else f"{period.zh} 对{subject.name.zh}{name.zh}；{window.zh}",
                    f"{period.en} {subject.name.en}: {name.en}; {window.en}",
                ),
                {"kind": work.kind, "since": iso(work.since), "until": iso(work.until)},
            )


def c08(case: Case, subject: SubjectFacts) -> Iterator[Hit | Gap]:
    """A legal dispute with the subject within the window."""
    if case.expert.disputes is None:
        yield Gap(Text("未申报法律纠纷情况", "legal disputes not declared"), general=True)
    for dispute in case.expert.disputes or ():
        if subject.is_meant(dispute.subject_code) and case.in_window(dispute.since, dispute.until):
            period, window = in_words(dispute.since, dispute.until), case.window_words()
            yield Hit(
                Text(
                    f"{period.zh} 与{subject.name.zh}有法律纠纷；{window.zh}",
                    f"{period.en} legal dispute with {subject.name.en}; {window.en}",
                ),
                {"since": iso(dispute.since), "until": iso(dispute.until)},
            )


def c14(case: Case, subject: SubjectFacts) -> Iterator[Hit | Gap]:
    """Employed, now or within the window, by a body that guides the subject or a unit below it."""
    yield from employment_gap(case)
    if subject.guided_by is None:
        yield Gap(Text("未登记指导分工", "the guidance assignments are not recorded"))
        return
    for post in case.posts(EMPLOYED):
        if post.within(subject.guided_by):
            yield case.post_hit(
                post,
                Text(
                    "{period} 任职于{org}，该单位或其上级负责指导{subject}；{window}",
                    "{period} employed by {org}, which or whose superior guides {subject};"
                    " {window}",
                ),
                subject=subject.name,
            )


def c15(case: Case, subject: SubjectFacts) -> Iterator[Hit | Gap]:
    """Employed by another applicant of the same ranking; the subject's own tree is rule C-01."""
    yield from employment_gap(case)
    if subject.applicant_organisation_ids is None or subject.organisation_ids is None:
        yield Gap(
            Text(
                "未登记同批申报单位",
                "the organisations of the applicants are not recorded",
            )
        )
        return
    rivals = subject.applicant_organisation_ids - subject.organisation_ids
    for post in case.posts(EMPLOYED):
        if post.within(rivals) and not post.within(subject.organisation_ids):
            yield case.post_hit(
                post,
                Text(
                    "{period} 任职于{org}，属与{subject}同批排序的其他申报地区；{window}",
                    "{period} employed by {org}, which belongs to another applicant ranked with"
                    " {subject}; {window}",
                ),
                subject=subject.name,
            )


CONFLICT_CHECKS: Mapping[str, SubjectCheck] = {
    "C-01": SubjectCheck(c01, Text("期内未在该县任职", "not employed there in the window")),
    "C-02": SubjectCheck(c02, Text("期内无兼职或顾问关系", "no such post in the window")),
    "C-03": SubjectCheck(c03, Text("无持股或承担单位关系", "no share, no link to a contractor")),
    "C-04": SubjectCheck(c04, Text("无申报的亲属关系", "no kin declared")),
    "C-05": SubjectCheck(c05, Text("本人未提出回避", "no recusal asked for by the expert")),
    "C-06": SubjectCheck(c06, Text("不属监督方", "not of the supervising body")),
    "C-07": SubjectCheck(c07, Text("期内未参与", "no engagement in the window")),
    "C-08": SubjectCheck(c08, Text("期内无法律纠纷", "no dispute in the window")),
    "C-12": SubjectCheck(c12, Text("县（市）方未提出回避", "no request by the county")),
    "C-14": SubjectCheck(c14, Text("未任职于指导单位", "not employed by a guiding body")),
    "C-15": SubjectCheck(
        c15, Text("未任职于同批其他申报地区", "not employed by a rival applicant")
    ),
}
