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
    "shareholding": Text("持股或投资", "Shareholding or investment"),
    "coauthor": Text("密切合作（合著）", "Close co-author"),
    "teacher_student": Text("师生关系", "Teacher and student"),
    "other": Text("其他可能影响公正的关系", "Another link that may harm fairness"),
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
}
