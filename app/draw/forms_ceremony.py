"""The shape of what is typed in the ceremony of a draw."""

from __future__ import annotations

from flask_wtf.file import FileField, FileRequired
from wtforms import (
    HiddenField,
    PasswordField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Regexp

from app.directory.forms import choices
from app.domain.types import Text
from app.draw import messages
from app.ui.forms import NEEDED, Form, IntegerField, needed

_OWN = Text("本人密码", "Your own password")


class FailureForm(Form):
    """A public source did not come about."""

    reason = StringField(
        Text("在何处查得没有公布", "Where it was looked up that it was not published"),
        validators=[needed(), Length(max=400)],
    )


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


class CosignForm(Form):
    """`signature` is made by the device; the password says who holds it."""

    password = PasswordField(_OWN, validators=[needed(), Length(max=200)])
    signature = HiddenField(
        Text("设备签名", "Signature of the device"), validators=[needed(), Length(max=128)]
    )
    accepted = SelectMultipleField(Text("同意的例外", "Exceptions accepted"), validate_choice=False)


class ActCosignForm(CosignForm):
    size = IntegerField(Text("账本条数", "Entries"), validators=[InputRequired(message=NEEDED)])  # type: ignore[arg-type]


class DeviceForm(Form):
    label = StringField(
        Text("给这台设备起个名字", "Name this device"),
        validators=[needed(), Length(max=120)],
        description=Text("例如：我的平板。", "For example: my tablet."),
    )
    password = PasswordField(_OWN, validators=[needed(), Length(max=200)])
    public = HiddenField(Text("公钥", "Public key"), validators=[needed(), Length(max=64)])
    proof = HiddenField(Text("签名", "Signature"), validators=[needed(), Length(max=128)])


class RevokeForm(Form):
    reason = StringField(
        Text("撤销原因", "Why it is revoked"), validators=[needed(), Length(max=200)]
    )
    password = PasswordField(_OWN, validators=[needed(), Length(max=200)])


class DiceForm(Form):
    values = TextAreaField(
        Text("全部数值（按顺序）", "All values, in order"),
        validators=[needed(), Length(max=20000)],
    )


class PhotoForm(Form):
    photo = FileField(
        Text("骰盘照片", "Photograph of the tray"),
        validators=[FileRequired(message=NEEDED)],
    )


class CodeForm(Form):
    code = StringField(Text("一次性口令", "One-time code"), validators=[needed(), Length(max=200)])


class AbortForm(Form):
    cause = SelectField(Text("原因类别", "Cause"), choices=choices(messages.ABORT))
    reason = TextAreaField(Text("中止理由", "Reason"), validators=[needed(), Length(max=2000)])
