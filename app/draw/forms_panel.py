"""Parts of the request form: bounds per value, quotas of employers and regions, one panel of a batch."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, DateField, SelectField, StringField
from wtforms import Form as Plain
from wtforms.validators import Length, NumberRange, Optional

from app.directory.forms import choices
from app.domain.types import Text
from app.draw import messages
from app.draw.form_data import QUOTED
from app.draw.messages import MODE
from app.draw.requests import VALUES
from app.ui.forms import IntegerField
from app.ui.language import language


class PartForm(Plain):  # type: ignore[misc]
    """Part of a form; WTForms' own messages come in the reader's language."""

    class Meta:
        @property
        def locales(self) -> tuple[str, ...]:
            return ("en",) if language() == "en" else ("zh",)


class BoundsForm(PartForm):
    """At least, at most: one box each for every value of the closed attributes."""

    def bounds(self) -> list[tuple[str, Text, str, Text, Any, Any]]:
        """(attribute, its words, value, its words, field of the minimum, field of the maximum)."""
        return [
            (a, messages.ATTRIBUTE[a], v, QUOTED[a][v], self[f"min_{a}_{v}"], self[f"max_{a}_{v}"])
            for a, values in VALUES.items()
            for v in values
        ]

    def quotas(self, seats: int) -> dict[str, dict[str, list[int]]]:
        """Attribute -> value -> [min, max] of the rows that somebody filled in."""
        out: dict[str, dict[str, list[int]]] = {}
        for attribute, _, value, _, low, high in self.bounds():
            if low.data is not None or high.data is not None:
                most = seats if high.data is None else high.data
                out.setdefault(attribute, {})[value] = [low.data or 0, most]
        return out


class ExtraForm(PartForm):
    """A quota for one employer or one province, of every panel or of one of a batch (its number
    from 0)."""

    of = SelectField(Text("评审组", "Panel"), validate_choice=False)
    value = SelectField(Text("单位或地区", "Employer or region"), validate_choice=False)
    least = IntegerField(Text("至少", "At least"), validators=[Optional(), NumberRange(0, 99)])
    most = IntegerField(Text("至多", "At most"), validators=[Optional(), NumberRange(0, 99)])


class PanelForm(BoundsForm):
    """One panel of a batch; an empty box takes what is set for all panels."""

    name = StringField(Text("编号", "Id"), validators=[Optional(), Length(max=64)])
    size = IntegerField(Text("席位", "Seats"), validators=[Optional(), NumberRange(1, 99)])
    on = DateField(Text("评审日期", "Date"), validators=[Optional()])
    way = SelectField(
        Text("抽取方式", "Mode"),
        choices=choices({"": Text("同上", "as above"), **MODE}),
        validate_choice=False,
    )
    own = BooleanField(Text("另定名额", "own quotas"))


for _attribute, _values in VALUES.items():
    for _value in _values:
        for _side, _words in (("min", Text("至少", "least")), ("max", Text("至多", "most"))):
            _label = Text("{v} {w}", "{v}, {w}").format(v=QUOTED[_attribute][_value], w=_words)
            setattr(
                BoundsForm,
                f"{_side}_{_attribute}_{_value}",
                IntegerField(_label, validators=[Optional(), NumberRange(0, 99)]),
            )
