"""The shape of what is typed in the ceremony of a draw."""

from __future__ import annotations

from wtforms import StringField, TextAreaField
from wtforms.validators import Length, Regexp

from app.domain.types import Text
from app.ui.forms import Form, needed


class PartyForm(Form):
    commitment = StringField(
        Text("口令链的承诺值", "Commitment of the chain"),
        validators=[
            needed(),
            Regexp(
                r"\s*[0-9a-f]{64}\s*\Z",
                message=Text("64 位小写十六进制", "64 lower-case hex digits"),
            ),  # type: ignore[arg-type]
        ],
        description=Text(
            "在本人设备上取 32 个随机字节，做 32 次 SHA-256；随机字节只留在本人处和密封信封里。",
            "On your own device hash 32 random bytes 32 times with SHA-256; the bytes stay with you "
            "and in the sealed envelopes.",
        ),
    )


class DiceForm(Form):
    values = TextAreaField(
        Text("骰子点数（按顺序）", "Dice, in order"), validators=[needed(), Length(max=20000)]
    )


class CodeForm(Form):
    code = StringField(Text("一次性口令", "One-time code"), validators=[needed(), Length(max=80)])


class AbortForm(Form):
    reason = TextAreaField(Text("中止理由", "Reason"), validators=[needed(), Length(max=2000)])
