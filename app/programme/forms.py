"""Shape of this room's input; the rules are in the operations."""

from __future__ import annotations

from flask_wtf.file import FileField, FileRequired, MultipleFileField
from wtforms import (
    DateField,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Optional

from app.directory.forms import choices
from app.domain.types import Text
from app.registry.words import INTEREST
from app.ui.forms import NEEDED, Form, IntegerField, needed

KIND_TEXT = {
    "real": Text("正式", "Real"),
    "drill": Text("演练（结果没有效力）", "Drill (no effect)"),
    "trial": Text("试评（结果没有效力）", "Trial (no effect)"),
}
CHOOSE_FILE = Text("请选择文件。", "Choose a file.")


def a_file() -> FileRequired:
    """A file must be chosen."""
    return FileRequired(message=CHOOSE_FILE)


class RoundForm(Form):
    scheme_id = SelectField(Text("方案", "Scheme"), validators=[needed()])
    title_zh = StringField(
        Text("中文名称", "Chinese title"), validators=[needed(), Length(max=200)]
    )
    title_en = StringField(
        Text("英文名称", "English title"),
        description=Text(
            "可以不填：英文页面和文件上写中文名称。",
            "May stay empty: English pages and papers then bear the Chinese title.",
        ),
        validators=[Optional(), Length(max=200)],
    )
    slug = StringField(
        Text("网址简称", "Short name in addresses"),
        description=Text(
            "小写字母、数字和连字符，例如 bj-2012-2；创建后不能改。",
            "Lower-case letters, digits and hyphens, as in bj-2012-2; it cannot change later.",
        ),
        validators=[needed(), Length(max=40)],
    )
    kind = RadioField(
        Text("性质", "Kind"), choices=choices(KIND_TEXT), default="real", validators=[needed()]
    )
    review_on = DateField(
        Text("评审日", "Review date"),
        description=Text(
            "回避规则的年限截止到这一天。",
            "Look-back windows of the conflict rules end on this day.",
        ),
        validators=[InputRequired(message=NEEDED)],
    )
    note = TextAreaField(Text("说明", "Note"), validators=[Optional(), Length(max=4000)])
    note_en = TextAreaField(
        Text("说明（英文）", "Note in English"), validators=[Optional(), Length(max=4000)]
    )


class PinForm(Form):
    place = HiddenField(validators=[needed()])
    version = SelectField(Text("评分表版本", "Form version"), validators=[needed()])


class ReasonForm(Form):
    reason = TextAreaField(Text("理由", "Reason"), validators=[needed(), Length(max=2000)])


class SubjectForm(Form):
    kind = RadioField(Text("参评单位", "Kind of unit"), default="", validators=[Optional()])
    name_zh = StringField(
        Text("园区名称", "Name of the zone"),
        description=Text(
            "产业集聚区或经济开发区填写；县（市、区）不填。",
            "For a cluster or zone only; leave it empty for a county.",
        ),
        validators=[Optional(), Length(max=200)],
    )
    region_code = StringField(
        Text("行政区划代码或名称", "Region code or name"),
        description=Text(
            "名称如 源汇区 或 漯河市源汇区，或 GB/T 2260 六位代码；园区填其所在县（市、区），回避规则按该县执行。",
            "A name (源汇区, 漯河市源汇区) or the six digits of GB/T 2260. For a zone, its "
            "county: the conflict rules go by that county.",
        ),
        validators=[needed(), Length(max=60)],
    )
    name_en = StringField(
        Text("英文名称", "English name"),
        description=Text(
            "方案已写明的区县可不填。", "May stay empty for a county that the scheme names."
        ),
        validators=[Optional(), Length(max=200)],
    )
    region_class = SelectField(Text("地区类别", "Region class"))
    class_basis = StringField(
        Text("类别认定依据", "Act that fixed the class"),
        description=Text(
            "文件名称、文号和条款。", "Document, number and section of the recorded act."
        ),
        validators=[needed(), Length(max=200)],
    )
    facts = SelectMultipleField(Text("属性（符合的打勾）", "Facts (tick what is true)"))


class PresenterForm(Form):
    person = SelectField(Text("陈述人", "Presenter"))


class PresenterLinkForm(Form):
    name = StringField(
        Text("新陈述人姓名", "Name of a new presenter"),
        description=Text(
            "留空则给现任陈述人。", "Leave it empty for the presenter who is named now."
        ),
        validators=[Length(max=60)],
    )


class GuidanceForm(Form):
    subject = SelectField(Text("区县", "County"), validators=[needed()])
    organisation = SelectField(Text("指导单位", "Guiding unit"), validators=[needed()])
    basis = StringField(Text("依据", "Basis"), validators=[needed(), Length(max=200)])


class MaterialForm(Form):
    file = FileField(
        Text("文件", "File"),
        description=Text("PDF、图片、XLSX 或 DOCX。", "PDF, picture, XLSX or DOCX."),
        validators=[a_file()],
    )
    items = SelectMultipleField(Text("支持的条目", "Items that it supports"))


class FolderForm(Form):
    files = MultipleFileField(
        Text("压缩包或多个文件", "Archive or several files"),
        description=Text(
            "文件夹或文件名以区县名称或代码开头；下一级文件夹可以是条目编号，例如 海淀区/A6/台账.pdf。",
            "The folder or the file name starts with the county's name or code; a folder below may "
            "be an item id, such as 海淀区/A6/ledger.pdf.",
        ),
        validators=[a_file()],
    )


class FigureForm(Form):
    key = SelectField(Text("数据项", "Figure"), validators=[needed()])
    value = StringField(Text("数值", "Value"), validators=[needed(), Length(max=40)])
    unit = StringField(
        Text("单位", "Unit"),
        description=Text(
            "可不填；填写时须与声明的单位一致。",
            "May stay empty; if given it must be the declared unit.",
        ),
        validators=[Optional(), Length(max=40)],
    )
    year = IntegerField(Text("年份", "Year"), validators=[Optional()])
    source = StringField(
        Text("来源", "Source"),
        description=Text("文件或统计资料的名称和页码。", "Document or statistics, with the page."),
        validators=[needed(), Length(max=200)],
    )
    seen = HiddenField()


class FigureFileForm(Form):
    file = FileField(
        Text("数据表", "Table of figures"),
        description=Text(
            "XLSX 或 CSV，列：区县、数据项、数值、单位、年份、来源。",
            "XLSX or CSV with the columns county, key, value, unit, year, source.",
        ),
    )
    again = HiddenField()  # the file that was checked, so that it need not be chosen twice
    name = HiddenField()


class OpinionForm(Form):
    department = StringField(Text("部门", "Department"), validators=[needed(), Length(max=200)])
    verdict = RadioField(
        Text("意见", "Opinion"),
        choices=choices({"pass": Text("通过", "Pass"), "veto": Text("否决", "Veto")}),
        validators=[needed()],
    )
    vetoes = SelectMultipleField(Text("触发的否决项", "Vetoes that strike"))
    reason = TextAreaField(
        Text("理由", "Reason"),
        description=Text("否决时必填。", "Needed for a veto."),
        validators=[Optional(), Length(max=4000)],
    )
    evidence = TextAreaField(
        Text("依据材料", "Evidence"),
        description=Text("否决时必填。", "Needed for a veto."),
        validators=[Optional(), Length(max=4000)],
    )
    signer = StringField(
        Text("签署人", "Signed by"),
        description=Text(
            "在该部门书面意见上签名的人。", "Who signed the department's written opinion."
        ),
        validators=[needed(), Length(max=200)],
    )


class TieForm(Form):
    """A county's declaration about a person, by name."""

    person_name = StringField(
        Text("有关人员姓名", "The person's name"), validators=[needed(), Length(max=60)]
    )
    employer = StringField(
        Text("其工作单位", "Where the person works"), validators=[Optional(), Length(max=200)]
    )
    kind = SelectField(Text("关系", "Tie"), choices=choices(INTEREST), validators=[needed()])
    evidence = TextAreaField(
        Text("具体情况", "Particulars"), validators=[needed(), Length(max=2000)]
    )


class CaseForm(Form):
    kind = SelectField(Text("类型", "Type"), validators=[needed()])
    number = StringField(
        Text("案卷号", "Number of the case file"), validators=[needed(), Length(max=200)]
    )
    title = StringField(
        Text("案卷名称", "Title"),
        description=Text("写事项，不写当事人姓名。", "The matter, not the people concerned."),
        validators=[needed(), Length(max=200)],
    )
    on = DateField(Text("日期", "Date"), validators=[needed()])


class CaseFileTableForm(Form):
    file = FileField(
        Text("案卷表", "Table of case files"),
        description=Text(
            "XLSX 或 CSV，列：区县、类型、案卷号、案卷名称、日期。",
            "XLSX or CSV with the columns county, type, number, title, date.",
        ),
    )
    pasted = TextAreaField(
        Text("或粘贴表格", "Or paste the table"),
        description=Text("从表格软件复制，含表头。", "Copied from a spreadsheet, with its heads."),
        validators=[Optional(), Length(max=500_000)],
    )
    again = HiddenField()  # the file that was checked, so that it need not be chosen twice
    name = HiddenField()


class SampleForm(Form):
    seed = StringField(
        Text("种子", "Seed"),
        description=Text(
            "清单封闭之后才产生的至少 6 个数，用空格分开，例如当众掷出的骰子或公布的彩票号码。",
            "Six or more numbers, parted by blanks, that came about after the list was closed: dice "
            "thrown in public or a published lottery result.",
        ),
        validators=[needed(), Length(max=190)],
    )
    seed_source = StringField(
        Text("种子来源和在场人", "Where the seed is from, and who watched"),
        validators=[needed(), Length(max=200)],
    )
