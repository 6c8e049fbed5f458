"""What the codes of the pool are called on pages, in files and in papers."""

from app.domain.types import Text

STATUS = {
    "candidate": Text("候选", "Candidate"),
    "active": Text("在库", "Active"),
    "suspended": Text("暂停", "Suspended"),
    "retired": Text("出库", "Retired"),
    "barred": Text("永久除名", "Barred for ever"),
}
KIND = {
    "technical": Text("技术类", "Technical"),
    "economic": Text("经济类", "Economic"),
    "management": Text("管理类", "Management"),
}
SOURCE = {
    "ministry_unit": Text("部属单位", "Ministry unit"),
    "university": Text("高等院校", "University"),
    "institute": Text("科研院所", "Research institute"),
    "company": Text("企业", "Company"),
}
DISCIPLINE = {
    "land": Text("土地", "Land"),
    "planning": Text("规划", "Planning"),
    "minerals": Text("矿产", "Minerals"),
    "agriculture": Text("农业", "Agriculture"),
    "economics": Text("经济", "Economics"),
    "law": Text("法律", "Law"),
    "survey": Text("测绘", "Surveying"),
}
TITLE_RANK = {
    1: Text("初级", "Assistant"),
    2: Text("中级", "Intermediate"),
    3: Text("副高", "Associate senior"),
    4: Text("正高", "Senior"),
}
INTEREST = {
    "kin": Text("亲属关系", "Kinship"),
    "dispute": Text("法律纠纷", "Legal dispute"),
    "drafting": Text("参与申报材料编写", "Drafted the declaration"),
    "consulting": Text("咨询或顾问服务", "Consulting"),
    "earlier_stage": Text("参与前一阶段考核", "Took part in an earlier stage"),
    "shareholding": Text("持股、投资或兼职", "Shareholding, investment or side post"),
    "coauthor": Text("密切合作（合著、互评）", "Close co-author or mutual reviewer"),
    "teacher_student": Text("师生关系", "Teacher and student"),
    "other": Text("其他可能影响公正的关系", "Another link that may harm fairness"),
}
# What a form offers: the kind, with its finer detail after a colon.
LINK = {
    "kin:spouse": Text("夫妻", "Spouse"),
    "kin:direct": Text("直系血亲", "Direct blood relative"),
    "kin:collateral": Text(
        "三代以内旁系血亲", "Collateral blood relative within three generations"
    ),
    "kin:in_law": Text("近姻亲", "Close in-law"),
    "kin": Text("亲属关系（程度待核）", "Kin, degree to be found out"),
    "shareholding:shareholder": Text("持股或投资", "Shareholding or investment"),
    "shareholding:director": Text("董事", "Director"),
    "shareholding:supervisor": Text("监事", "Member of the supervisory board"),
    "shareholding:adviser": Text("顾问", "Adviser"),
    "shareholding:employed": Text("任职或兼职", "Employed or side post"),
    "shareholding": Text("持股、投资或兼职（其他）", "Another holding or side post"),
    "drafting": INTEREST["drafting"],
    "consulting": INTEREST["consulting"],
    "earlier_stage": INTEREST["earlier_stage"],
    "dispute": INTEREST["dispute"],
    "coauthor": Text("密切合作（合著）", "Close co-author"),
    "coauthor:mutual": Text("互评关系", "Mutual reviewer"),
    "teacher_student:teacher": Text("对方是我的老师", "The other is my teacher"),
    "teacher_student:student": Text("对方是我的学生", "The other is my student"),
    "teacher_student": INTEREST["teacher_student"],
    "other": INTEREST["other"],
}
TOPIC = {
    "kin": Text(
        "与县（市）负责人、其他专家的亲属关系", "Kinship with heads of counties, with experts"
    ),
    "dispute": Text("与县（市）的法律纠纷", "Legal disputes with counties"),
    "engagement": Text(
        "参与县（市）申报材料编写、咨询或前一阶段考核",
        "Drafting, consulting or earlier assessment for counties",
    ),
    "holding": Text("持股、投资和兼职（董事、监事、顾问）", "Shares and side posts"),
    "tie": Text(
        "与其他专家的合著、师生、互评关系", "Co-authors, teachers, students, mutual review"
    ),
    "residence": Text("出生地和居住满五年的地方", "Birthplace and places lived in for five years"),
}
TOPIC_WORDS = Text(
    "本人已逐项核对下列勾选的事项，应当申报的关系均已申报；今后发生变化的，及时补报。",
    "I have gone through the items ticked below: every link that must be declared is declared, and "
    "I will add what arises later.",
)
PLACE = {
    "birthplace": Text("出生地", "Birthplace"),
    "residence": Text("居住地", "Residence"),
}
RELATION = {
    "employed": Text("任职", "Employed"),
    "director": Text("董事", "Director"),
    "supervisor": Text("监事", "Supervisory board"),
    "adviser": Text("顾问", "Adviser"),
    "shareholder": Text("持股", "Shareholder"),
}
REGISTER = {
    "heads": Text("县（市）负责人", "Heads of counties"),
    "contractors": Text("申报工作承担单位", "Contractors of applications"),
    "supervisors": Text("监督单位", "Supervising bodies"),
    "engagements": Text("过去参加的评审", "Past panels"),
}
SIDE = {
    "expert": Text("专家本人", "The expert"),
    "county": Text("县（市）方", "The county"),
    "office": Text("创建办公室", "The programme office"),
}
INTEREST_STATUS = {
    "declared": Text("待决定", "Awaiting decision"),
    "upheld": Text("成立，予以回避", "Upheld: recused"),
    "dismissed": Text("不成立", "Dismissed"),
    "withdrawn": Text("已撤回", "Withdrawn"),
}
SANCTION = {
    "criticism": Text("通报批评", "Circulated criticism"),
    "suspension": Text("暂停资格", "Suspension"),
    "bar": Text("取消资格，终身不得入库", "Removed, never to be admitted again"),
}
CORRECTION = {
    "accepted": Text("接受，予以更正", "Accepted and corrected"),
    "refused": Text("不接受", "Refused"),
}
DECISION = {
    "pass": Text("通过", "Pass"),
    "reject": Text("不通过", "Reject"),
}
FIELD = {
    "name": Text("姓名", "Name"),
    "id_number": Text("身份证号", "Identity number"),
    "phone": Text("电话", "Phone"),
    "birth_date": Text("出生日期", "Birth date"),
    "employer": Text("工作单位", "Employer"),
    "department": Text("部门", "Department"),
    "post": Text("职务", "Post"),
    "since": Text("现岗起始", "In this post since"),
    "title": Text("职称", "Title"),
    "title_rank": Text("职称级别", "Title rank"),
    "kind": Text("类别", "Kind"),
    "discipline": Text("专业", "Discipline"),
    "specialties": Text("专长", "Specialties"),
    "source": Text("来源", "Source"),
    "career_start": Text("从业起始年", "In the field since (year)"),
    "region": Text("地区", "Region"),
    "region_code": Text("地区代码", "Region code"),
    "nominated_by": Text("推荐单位", "Nominated by"),
    "consent_at": Text("同意书日期", "Consent on"),
    "verified_on": Text("核实日期", "Verified on"),
    "note": Text("备注", "Note"),
    "county": Text("县（市）", "County"),
    "until": Text("至", "Until"),
    "begin": Text("自", "From"),
    "basis": Text("依据", "Basis"),
    "work": Text("承担工作", "Work"),
    "organisation": Text("单位", "Organisation"),
    "expert": Text("专家编号", "Expert number"),
    "relation": Text("任职关系", "Relation"),
    "link": Text("关系", "Link"),
    "other": Text("另一方姓名或编号", "The other's name or number"),
    "evidence": Text("具体情况", "Evidence"),
    "matter": Text("其他事项", "Something else"),
    "round_name": Text("届次", "Round"),
    "sanction": Text("处理", "Sanction"),
    "decided_by": Text("决定机关及文号", "Decided by"),
    "place_kind": Text("种类", "Kind of place"),
}
