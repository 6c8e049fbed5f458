"""Shape of the room's page input; the rules are in the operations."""

from __future__ import annotations

from wtforms import StringField
from wtforms.validators import Length

from app.domain.types import Text
from app.ui.forms import Form, needed


class RevokeForm(Form):
    reason = StringField(Text("撤销理由", "Reason"), validators=[needed(), Length(min=2, max=500)])
