"""The sections of a rating report: which the leader writes, and which must not stay empty."""

from __future__ import annotations

from app.domain.types import Text

# In the order of the outline in use for review reports; "dissent" is never edited by anybody.
SECTIONS: dict[str, Text] = {
    "basis": Text("一、基本情况", "1. Basis and panel"),
    "procedure": Text("二、评审程序与方法", "2. Procedure and method"),
    "qualification": Text("三、资格与否决审查", "3. Qualification and veto checks"),
    "materials": Text("四、材料评审情况", "4. Desk review of materials"),
    "site": Text("五、实地考核与陈述情况", "5. Site assessment and statements"),
    "scores": Text("六、评分汇总与一致性分析", "6. Scores and agreement"),
    "achievements": Text("七、主要成效与创新", "7. Main achievements and innovation"),
    "problems": Text("八、问题与建议", "8. Problems and advice"),
    "conclusion": Text("九、评审结论与排序", "9. Conclusion and ranking"),
    "dissent": Text("十、不同意见", "10. Dissent"),
}
EDITABLE = tuple(key for key in SECTIONS if key != "dissent")
REQUIRED = ("achievements", "problems", "conclusion")
STATE = {
    "drafting": Text("起草中", "drafting"),
    "signing": Text("签署中", "being signed"),
    "final": Text("已定稿", "final"),
    "replaced": Text("已被替换", "replaced"),
}
SIGNED = {
    "signed": Text("同意并签字", "signed"),
    "dissent": Text("签字并附不同意见", "signed with dissent"),
    "refused": Text("拒绝签字", "refused to sign"),
}
