"""Shape of the account forms' input; the rules are in `operations`."""

from __future__ import annotations

from wtforms import PasswordField, SelectField, StringField
from wtforms.validators import Length, Optional

from app.accounts.models import ROLES
from app.accounts.viewer import ROLE_TEXT
from app.directory.forms import choices
from app.domain.types import Text
from app.ui.forms import Form, needed, same_as


class SignInForm(Form):
    login = StringField(Text("登录名", "Login"), validators=[needed(), Length(max=40)])
    password = PasswordField(Text("密码", "Password"), validators=[needed(), Length(max=200)])
    code = StringField(
        Text("验证码", "Code"),
        description=Text(
            "工作人员填写身份验证器上的六位数，或一个恢复码；专家和陈述人不填。",
            "Staff: six digits from the authenticator, or a recovery code. Others leave it empty.",
        ),
        validators=[Optional(), Length(max=20)],
    )


class PasswordForm(Form):
    password = PasswordField(
        Text("新密码", "New password"),
        description=Text(
            "至少 12 个字符，一句话最好记。", "12 characters or more; a sentence works."
        ),
        validators=[needed(), Length(max=200)],
    )
    again = PasswordField(
        Text("再输一次", "Once more"),
        validators=[needed(), same_as("password", Text("两次输入不一致。", "The two differ."))],
    )


class RenewForm(PasswordForm):
    """A supervisor's renewal needs the code that is not in the link."""

    code = StringField(
        Text("移交码或信封码", "Hand-over or envelope code"),
        validators=[needed(), Length(max=60)],
    )


class ReasonForm(Form):
    reason = StringField(
        Text("怎样核实了本人身份", "How you checked who the person is"),
        description=Text(
            "例如：本人到场，查验了工作证。", "For example: came in person, staff card checked."
        ),
        validators=[needed(), Length(max=200)],
    )


class EnvelopeForm(Form):
    code = StringField(
        Text("验证码", "Code"),
        description=Text(
            "身份验证器上的六位数，或一个恢复码。",
            "Six digits from the authenticator, or a recovery code.",
        ),
        validators=[needed(), Length(max=20)],
    )


class SignUpForm(PasswordForm):
    name = StringField(Text("姓名", "Name"), validators=[needed(), Length(max=60)])
    login = StringField(Text("登录名", "Login"), validators=[needed(), Length(max=40)])


class InviteForm(Form):
    role = SelectField(
        Text("角色", "Role"),
        choices=choices({role: ROLE_TEXT[role] for role in ROLES if role != "expert"}),
    )
