"""Shape of the input of an order draw: how many, and what the seed is made of."""

from __future__ import annotations

from wtforms.validators import NumberRange, Optional

from app.domain.types import Text
from app.draw.forms_sources import SourcesForm
from app.ui.forms import Form, IntegerField


class OrderForm(SourcesForm, Form):  # type: ignore[misc]
    """The size of a sample where the office chooses it; sources and parties as in any request."""

    count = IntegerField(
        Text("抽取个数", "How many to draw"),
        validators=[Optional(), NumberRange(1, 10_000)],
        description=Text("留空：全部排定先后", "blank: all of them are put in order"),
    )
