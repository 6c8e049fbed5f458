"""Shape of the input of an order draw: how many, and what the seed is made of."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from app.domain.draw import Source, parse_values
from app.domain.types import DomainError, Text
from app.draw.sources import DICE, usual_sources
from app.programme.models import Round
from app.ui.forms import NEEDED, Form, IntegerField


class OrderForm(Form):
    """Dice, public lotteries, an observer; the size of a sample where the office chooses it."""

    count = IntegerField(
        Text("抽取个数", "How many to draw"),
        validators=[Optional(), NumberRange(1, 10_000)],
        description=Text("留空：全部排定先后", "blank: all of them are put in order"),
    )
    dice = IntegerField(
        Text("六面骰子数（0 为不用）", "Six-sided dice (0: none)"),
        default=int(str(DICE["count"])),
        validators=[InputRequired(message=NEEDED), NumberRange(0, 1000)],  # type: ignore[arg-type]
    )
    ssq = StringField(
        Text("福彩双色球期号", "Double Colour Ball (双色球): number of the draw"),
        validators=[Optional(), Length(max=80)],
        description=Text("开奖须晚于会签；可留空", "drawn after the cosignature; may stay empty"),
    )
    dlt = StringField(
        Text("体彩大乐透期号", "Super Lotto (大乐透): number of the draw"),
        validators=[Optional(), Length(max=80)],
    )
    observer = BooleanField(Text("见证人也出示口令", "An observer has a code too"))
    fixed = TextAreaField(
        Text("演练用的固定骰子（可留空）", "Fixed dice of the drill (may stay empty)"),
        validators=[Optional(), Length(max=4000)],
        description=Text("仅限演练，记录表上会印出。", "Drills only; printed on the record."),
    )

    def request(self, round_: Round) -> dict[str, Any]:
        """Arguments of `operations_order.request_order` but for round and purpose. DomainError for
        dice out of shape or no source at all."""
        rows = usual_sources(self.dice.data, ssq=self.ssq.data, dlt=self.dlt.data)
        if not rows:
            text = Text(
                "至少要有一个随机来源。没有保存。",
                "At least one source of randomness is needed. Nothing was saved.",
            )
            raise DomainError(text, field="dice")
        fixed = {}
        if (self.fixed.data or "").strip():
            shape = Source("dice", "sequence", int(self.dice.data or 0), 1, 6)
            try:
                fixed = {"dice": parse_values(self.fixed.data or "", shape)}
            except DomainError as error:
                raise DomainError(error.text, field="fixed") from error
        parties = ["office", "supervisor"] if round_.kind == "real" else []
        return {
            "sources": rows,
            "parties": [*parties, "observer"] if self.observer.data else parties,
            "fixed": fixed,
        }
