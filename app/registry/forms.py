"""Shape of the pool's forms; the rules are in `operations`, `editing` and `declarations`."""

from __future__ import annotations

from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, DateField, HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import Length, Optional

from app.directory.forms import choices
from app.domain.types import Text
from app.registry import words
from app.ui.forms import NEEDED, Form, IntegerField, needed

PLACE = Text(
    "行政区划名称或六位代码，例如 湖北省武汉市。",
    "Name or six-digit code of the region, such as 湖北省武汉市.",
)


class ExpertForm(Form):
    """Facts that can be edited; personal numbers are optional (PIPL art. 6)."""

    name = StringField(words.FIELD["name"], validators=[needed(), Length(max=60)])
    title = StringField(words.FIELD["title"], validators=[needed(), Length(max=200)])
    title_rank = SelectField(
        words.FIELD["title_rank"], choices=choices(words.TITLE_RANK), coerce=int, default=4
    )
    kind = SelectField(words.FIELD["kind"], choices=choices(words.KIND))
    discipline = SelectField(words.FIELD["discipline"], choices=choices(words.DISCIPLINE))
    specialties = StringField(
        words.FIELD["specialties"],
        description=Text("多项用分号隔开。", "Separate several by semicolons."),
        validators=[Optional(), Length(max=500)],
    )
    source = SelectField(words.FIELD["source"], choices=choices(words.SOURCE))
    career_start = IntegerField(words.FIELD["career_start"], validators=[Optional()])
    region = StringField(
        words.FIELD["region"], description=PLACE, validators=[Optional(), Length(max=100)]
    )
    nominated_by = StringField(
        words.FIELD["nominated_by"], validators=[Optional(), Length(max=200)]
    )
    note = TextAreaField(words.FIELD["note"], validators=[Optional(), Length(max=2000)])


class NominateForm(ExpertForm):
    employer = StringField(
        words.FIELD["employer"],
        description=Text(
            "从列表中选择；列表里没有的先在“单位”中建立。",
            "Choose from the list; create it under “Organisations” first if it is missing.",
        ),
        validators=[needed(), Length(max=200)],
    )
    post = StringField(words.FIELD["post"], validators=[Optional(), Length(max=200)])
    since = DateField(words.FIELD["since"], validators=[Optional()])
    phone = StringField(words.FIELD["phone"], validators=[Optional(), Length(max=40)])
    id_number = StringField(
        words.FIELD["id_number"],
        description=Text(
            "可不填；加密保存，页面上只显示首尾几位。",
            "Optional; kept encrypted, pages show its ends only.",
        ),
        validators=[Optional(), Length(max=40)],
    )
    birth_date = DateField(words.FIELD["birth_date"], validators=[Optional()])
    consent_on = DateField(words.FIELD["consent_at"], validators=[Optional()])
    distinct = BooleanField(Text("确认不是同一人", "Not the same person"))


class EditForm(ExpertForm):
    """Personal numbers start empty: an empty field leaves what is kept."""

    version = HiddenField(validators=[needed()])
    phone = StringField(
        Text("新电话", "New phone"),
        description=Text("留空则不变。", "Empty leaves it as it is."),
        validators=[Optional(), Length(max=40)],
    )
    id_number = StringField(
        Text("新身份证号", "New identity number"),
        description=Text("留空则不变。", "Empty leaves it as it is."),
        validators=[Optional(), Length(max=40)],
    )
    birth_date = DateField(
        Text("新出生日期", "New birth date"),
        description=Text("留空则不变。", "Empty leaves it as it is."),
        validators=[Optional()],
    )
    on = DateField(
        Text("姓名、号码自何日起", "Name and numbers valid from"),
        description=Text(
            "留空为今天；原值保留到前一天。",
            "Empty means today; former values are kept up to the day before.",
        ),
        validators=[Optional()],
    )


class ScreenForm(Form):
    decision = SelectField(Text("结论", "Decision"), choices=choices(words.DECISION))
    reason = TextAreaField(Text("理由", "Reason"), validators=[needed(), Length(max=2000)])


class ConsentForm(Form):
    on = DateField(Text("签署日期", "Signed on"), validators=[needed()])


class StatusForm(Form):
    reason = StringField(Text("理由", "Reason"), validators=[needed(), Length(max=500)])


class SanctionForm(Form):
    kind = SelectField(Text("处理", "Sanction"), choices=choices(words.SANCTION))
    since = DateField(Text("自", "From"), validators=[Optional()])
    until = DateField(
        Text("至", "Until"),
        description=Text("终身取消资格不填。", "Empty for a bar for ever."),
        validators=[Optional()],
    )
    decided_by = StringField(
        Text("决定机关及文号", "Decided by (body and document)"),
        validators=[needed(), Length(max=200)],
    )
    reason = TextAreaField(Text("事由", "Reason"), validators=[needed(), Length(max=2000)])


class VerifyForm(Form):
    on = DateField(
        Text("核实日期", "Verified on"),
        description=Text("留空为今天。", "Empty means today."),
        validators=[Optional()],
    )


class PostForm(Form):
    employer = StringField(words.FIELD["employer"], validators=[needed(), Length(max=200)])
    post = StringField(words.FIELD["post"], validators=[Optional(), Length(max=200)])
    since = DateField(Text("自", "From"), validators=[needed()])


class InterestForm(Form):
    kind = SelectField(
        Text("关系", "Link"),
        choices=choices({"": Text("请选择", "Choose"), **words.LINK}),
        validators=[needed()],
    )
    region = StringField(
        Text("县（市）", "County"), description=PLACE, validators=[Optional(), Length(max=100)]
    )
    employer = StringField(Text("单位", "Organisation"), validators=[Optional(), Length(max=200)])
    head = StringField(
        Text("与县（市）的哪位负责人（亲属关系）", "Which head of the county (kinship)"),
        validators=[Optional(), Length(max=60)],
    )
    other = StringField(
        Text("与哪位专家（姓名）", "Which other expert (name)"),
        description=Text(
            "合著、师生、互评或专家之间的亲属关系填写对方姓名；系统不会告诉您对方是否在库。",
            "For co-authors, teachers, students, mutual review or kinship between experts. You are "
            "not told whether the other is in the pool.",
        ),
        validators=[Optional(), Length(max=60)],
    )
    since = DateField(Text("自", "From"), validators=[Optional()])
    until = DateField(
        Text("至", "Until"),
        description=Text("仍在继续的不填。", "Empty when it goes on."),
        validators=[Optional()],
    )
    evidence = TextAreaField(
        Text("具体情况", "What it is"), validators=[needed(), Length(max=2000)]
    )


class OfficeInterestForm(InterestForm):
    side = SelectField(
        Text("提出方", "Declared by"),
        choices=choices({code: words.SIDE[code] for code in ("office", "county")}),
    )


class DecisionForm(Form):
    decision = SelectField(
        Text("决定", "Decision"),
        choices=choices({c: words.INTEREST_STATUS[c] for c in ("upheld", "dismissed")}),
    )
    reason = StringField(Text("理由", "Reason"), validators=[needed(), Length(max=2000)])


class AbsenceForm(Form):
    since = DateField(Text("自", "From"), validators=[needed()])
    until = DateField(Text("至（含）", "Until (included)"), validators=[needed()])
    reason = StringField(Text("原因", "Reason"), validators=[Optional(), Length(max=200)])


class ImportForm(Form):
    file = FileField(
        Text("文件", "File"),
        description=Text(
            "XLSX 或 CSV（UTF-8 或 GBK），每行一条，列名按模板；用别的列名时，下一页可以对应。",
            "XLSX or CSV (UTF-8 or GBK), one entry a row, headings as in the template; other "
            "headings are matched on the next page.",
        ),
        validators=[FileRequired(message=NEEDED)],
    )


class AgainForm(Form):
    """A file that was uploaded, with its columns (JSON) where they are set."""

    upload = HiddenField(validators=[needed()])
    filename = HiddenField(validators=[needed()])
    columns = HiddenField(validators=[Optional()])


class ConfirmForm(AgainForm):
    new_employers = BooleanField(Text("新建不认识的单位", "Create unknown employers"))
    screening_document = StringField(
        Text("遴选文件（文号）", "Screening document"),
        description=Text(
            "填写后，已签同意书的人直接入库；不填则全部作为候选，由两名审核人审核。",
            "With it, everybody who has consented is admitted at once; without, all arrive as "
            "candidates to be screened by two reviewers.",
        ),
        validators=[Optional(), Length(max=200)],
    )
