"""The shape of calls, call plan, confidentiality and removals."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from wtforms import DateTimeLocalField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from app.directory.forms import choices
from app.domain.types import Text
from app.draw import call_words, messages
from app.ui.forms import NEEDED, Form, IntegerField, needed


class ContactForm(Form):
    channel = SelectField(Text("方式", "Channel"), choices=choices(messages.CHANNEL))
    outcome = SelectField(Text("结果", "Outcome"), choices=choices(messages.OUTCOME))
    reason = SelectField(
        Text("理由", "Reason"), choices=choices({"": Text("无", "none"), **messages.DECLINE})
    )
    note = StringField(Text("备注", "Note"), validators=[Optional(), Length(max=500)])


class RemovalForm(Form):
    """Which seats leave is a list of ticks in the table; cause and evidence hold for them all."""

    reason = SelectField(Text("事由（D-10）", "Cause (D-10)"), choices=choices(messages.CAUSE))
    evidence = TextAreaField(Text("依据", "Evidence"), validators=[needed(), Length(max=2000)])


class PlanForm(Form):
    """What everybody is told (D-13), and the reply clock (D-12)."""

    meets_at = DateTimeLocalField(
        Text("报到时间", "Time of meeting"),
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
        validators=[InputRequired(NEEDED)],  # type: ignore[arg-type]
    )
    place_kind = SelectField(
        Text("地点类型", "Kind of place"),
        choices=choices(call_words.PLACE),
        description=Text(
            "只告知类型，不告知被评地区和具体地点（D-13）。",
            "Only the kind is told, neither the county nor the place (D-13).",
        ),
    )
    half_days = IntegerField(
        Text("时长（半天数）", "Duration in half days"),
        validators=[InputRequired(NEEDED)],  # type: ignore[arg-type]
    )
    reply_to = StringField(
        Text("答复电话", "Where to answer"), validators=[needed(), Length(max=60)]
    )
    reply_hours = IntegerField(
        Text("答复期限（小时）", "Hours to answer"),
        validators=[InputRequired(NEEDED)],  # type: ignore[arg-type]
    )
    attempts = IntegerField(
        Text("联系不上须联系几次", "Calls before giving up"),
        validators=[InputRequired(NEEDED)],  # type: ignore[arg-type]
    )

    def moment(self, zone: str) -> datetime:
        moment: datetime = self.meets_at.data.replace(tzinfo=ZoneInfo(zone))
        return moment


class DisclosureForm(Form):
    """How names are kept; chosen before the commitment."""

    sealed = RadioField(
        Text("姓名", "Names"),
        choices=choices(
            {
                "no": Text(
                    "抽取后创建办公室和监督人员可见",
                    "Office and supervisor see them after the draw",
                ),
                "yes": Text(
                    "密封：只有指定通知人逐一可见，每次查看都有记录",
                    "Sealed: a named caller alone sees them, one by one, each look on record",
                ),
            }
        ),
        default="no",
        validators=[InputRequired(NEEDED)],  # type: ignore[arg-type]
    )
    caller_id = SelectField(Text("通知人", "Caller"), choices=[], validate_choice=False)
    until = RadioField(
        Text("公开", "Disclosure"),
        choices=choices(
            {
                "published": Text("结果公布时（D-14）", "when the result is published (D-14)"),
                "moment": Text("在定下的时间", "at a set moment"),
            }
        ),
        default="published",
        validators=[InputRequired(NEEDED)],  # type: ignore[arg-type]
    )
    opens_at = DateTimeLocalField(
        Text("公开时间", "Moment of disclosure"),
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
        validators=[Optional()],
    )

    def moment(self, zone: str) -> datetime | None:
        value = self.opens_at.data
        return None if value is None else value.replace(tzinfo=ZoneInfo(zone))
