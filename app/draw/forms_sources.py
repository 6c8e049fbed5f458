"""Boxes of everything that a seed is made of: dice, public sources with their fallbacks, the parties' codes.

One set of boxes for panels and for orders of things, so that no kind of draw has fewer sources to choose
from than another (docs/draw-protocol.md sections 4 and 13).
"""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from app.directory.forms import choices
from app.domain.draw import Source, parse_values
from app.domain.types import DomainError, Text
from app.draw.forms_panel import PartForm
from app.draw.sources import DICE, LATER, in_words, later_draws, usual_sources
from app.programme.models import Round
from app.ui.forms import NEEDED, IntegerField

_NONE = Text(
    "至少要有一个随机来源。没有保存。",
    "At least one source of randomness is needed. Nothing was saved.",
)
_OTHER = Text(
    "请填写该来源的个数、最小值和最大值。没有保存。",
    "Give how many values the source has, the least and the greatest. Nothing was saved.",
)
_LONGEST = 64 - len(LATER)  # of a name, which with the ending of a fallback is an identifier still


class SourcesForm(PartForm):
    """What a request draws its numbers from, and who has a code."""

    dice = IntegerField(
        Text("六面骰子数（0 为不用）", "Six-sided dice (0: none)"),
        default=int(str(DICE["count"])),
        validators=[InputRequired(message=NEEDED), NumberRange(0, 1000)],  # type: ignore[arg-type]
    )
    ssq = StringField(
        Text("福彩双色球期号", "Double Colour Ball (双色球): number of the draw"),
        validators=[Optional(), Length(max=80)],
        description=Text("红球 6 个（1–33，不计顺序）、蓝球 1 个（1–16）", "6 red of 1–33 as a set, 1 blue of 1–16"),
    )  # fmt: skip
    dlt = StringField(
        Text("体彩大乐透期号", "Super Lotto (大乐透): number of the draw"),
        validators=[Optional(), Length(max=80)],
        description=Text("前区 5 个（1–35）、后区 2 个（1–12），均不计顺序", "5 of 1–35 and 2 of 1–12, both as sets"),
    )  # fmt: skip
    ssq_later, dlt_later = (
        StringField(
            Text("若未公布，改读{n}期号", "If not published: the draw of {n} instead").format(
                n=word
            ),
            validators=[Optional(), Length(max=80)],
        )
        for word in (Text("双色球", "Double Colour Ball"), Text("大乐透", "Super Lotto"))
    )
    other_name = StringField(
        Text("其他公开来源的名称", "Another public source: name"),
        validators=[Optional(), Length(max=_LONGEST)],
        description=Text("西文字母、数字，如 fc3d", "letters and digits, such as fc3d"),
    )
    other_kind = SelectField(
        Text("记法", "Kept as"),
        choices=choices(
            {
                "sequence": Text("有序", "in order"),
                "set": Text("不计顺序、不重复", "a set without repeats"),
            }
        ),
        default="sequence",
        validate_choice=False,
    )
    other_count = IntegerField(Text("个数", "How many"), validators=[Optional()])
    other_low = IntegerField(Text("最小值", "Least"), validators=[Optional()])
    other_high = IntegerField(Text("最大值", "Greatest"), validators=[Optional()])
    other_when = StringField(
        Text("期号或确切时间", "Draw number or exact instant"),
        validators=[Optional(), Length(max=80)],
    )
    other_later = StringField(
        Text("若未公布，改读的期号或时间", "If not published: the draw or instant to read instead"),
        validators=[Optional(), Length(max=80)],
    )
    fixed = TextAreaField(
        Text("演练用的固定骰子（可留空）", "Fixed dice of the drill (may stay empty)"),
        validators=[Optional(), Length(max=4000)],
        description=Text("仅限演练，记录表上会印出。", "Drills only; printed on the record."),
    )
    observer = BooleanField(Text("见证人也出示口令", "An observer has a code too"))

    def randomness(self, round_: Round) -> dict[str, Any]:
        """`sources`, `fallbacks`, `parties` and `fixed` of a request.

        Raises DomainError for dice out of shape, an incomplete source, or no source at all.
        """
        parties = ["office", "supervisor"] if round_.kind == "real" else []
        fixed = {}
        if (self.fixed.data or "").strip():
            shape = Source("dice", "sequence", int(self.dice.data or 0), 1, 6)
            try:
                with in_words("dice"):
                    fixed = {"dice": parse_values(self.fixed.data or "", shape)}
            except DomainError as error:
                raise DomainError(error.text, field="fixed") from error
        other = self._other()
        rows = usual_sources(self.dice.data, ssq=self.ssq.data, dlt=self.dlt.data) + other
        if not rows:
            raise DomainError(_NONE, field="dice")
        return {
            "sources": rows,
            "fallbacks": later_draws(ssq=self.ssq_later.data, dlt=self.dlt_later.data)
            + self._other_later(other),
            "parties": [*parties, "observer"] if self.observer.data else parties,
            "fixed": fixed,
        }

    def _other(self) -> list[dict[str, Any]]:
        """The source that is neither dice nor a preset, if one is named."""
        numbers = (self.other_count.data, self.other_low.data, self.other_high.data)
        name = (self.other_name.data or "").strip()
        if not name:
            return []
        if None in numbers:
            raise DomainError(_OTHER, field="other_count")
        count, low, high = numbers
        when = (self.other_when.data or "").strip()
        return [
            {
                "name": name, "kind": self.other_kind.data, "count": count, "low": low,
                "high": high, "when": when,
            }
        ]  # fmt: skip

    def _other_later(self, other: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Its fallback: the same source at a later draw. Of a source that is not named it is given too,
        so that it is refused instead of lost."""
        when = (self.other_later.data or "").strip()
        (row,) = other or [{**DICE, "name": "other"}]
        if not when:
            return []
        return [{**row, "name": f"{row['name']}{LATER}", "of": row["name"], "when": when}]
