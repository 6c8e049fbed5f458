"""Shape of the input of the draw's pages; the rules are in `requests` and `operations`."""

from __future__ import annotations

from typing import Any

from wtforms import (
    BooleanField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    TextAreaField,
)
from wtforms.validators import Length, NumberRange, Optional

from app.domain.draw import Source, parse_values
from app.domain.types import Text
from app.draw import messages
from app.draw.models import Draw
from app.draw.requests import DICE, HIGH_CHANCE, VALUES
from app.programme.models import Round
from app.registry import words
from app.ui.forms import Form, needed

QUOTED = {"kind": words.KIND, "discipline": words.DISCIPLINE, "source": words.SOURCE}
_HIGH = {
    "small_pool": Text("该类专家本来就少", "the pool is small"),
    "rare_specialty": Text("稀缺专业", "a rare specialty"),
    "legal_requirement": Text("法规要求该类人员", "required by law"),
}


class RequestForm(Form):
    """A draw as asked for: one panel for all counties, or one for each with the same rules."""

    stage = RadioField(
        Text("阶段", "Stage"),
        choices=[
            ("desk", Text("综合评审", "Desk review")),
            ("site", Text("实地考核", "Site assessment")),
        ],
        default="desk",
    )
    subjects = SelectMultipleField(Text("参评区县", "Counties"))
    split = RadioField(
        Text("评审组", "Panels"),
        choices=[
            ("one", Text("一个组评全部区县", "one panel for all counties")),
            ("each", Text("每个区县一个组", "a panel for each county")),
        ],
        default="one",
    )
    seats = IntegerField(
        Text("每组席位", "Seats of a panel"),
        default=7,
        validators=[needed(), NumberRange(1, 99)],
        description=Text("五人以上单数（D-03）", "odd, five or more (D-03)"),
    )
    mode = RadioField(
        Text("抽取方式", "Mode"),
        choices=[
            ("tickets", Text("按签号依次入选", "by ticket")),
            ("lottery", Text("公平抽签（最小机会最大化）", "fair lottery (leximin)")),
        ],
        default="tickets",
    )
    load_cap = IntegerField(
        Text("每人最多参加的组数（0 为不限）", "Panels per expert at most (0: no limit)"),
        default=0,
        validators=[Optional(), NumberRange(0, 1000)],
    )
    replacement = RadioField(
        Text("更换方式", "Replacement"),
        choices=[
            ("act", Text("重新补抽", "a new act")),
            ("reserves", Text("候补（到场人员可预知）", "reserves (known to those present)")),
        ],
        default="act",
    )
    dice = IntegerField(
        Text("六面骰子数", "Six-sided dice"),
        default=int(str(DICE["count"])),
        validators=[needed(), NumberRange(1, 1000)],
    )
    fixed = TextAreaField(
        Text("演练用的固定骰子（可留空）", "Fixed dice of the drill (may stay empty)"),
        validators=[Optional(), Length(max=4000)],
        description=Text("仅限演练，结果表上会印出。", "Drills only; printed on the record."),
    )
    observer = BooleanField(Text("见证人也出示口令", "An observer has a code too"))
    accept_high = SelectField(
        Text("接受机会高于一半的理由", "Reason to accept a chance above one half"),
        choices=[("", Text("不接受", "not accepted")), *((k, _HIGH[k]) for k in HIGH_CHANCE)],
    )

    @classmethod
    def of(cls, round_: Round, draw: Draw | None = None) -> RequestForm:
        """The form for a round, filled from a draft when there is one."""
        form = cls(data=_data(draw)) if draw else cls()
        form.subjects.choices = [
            (s.id, s.name) for s in round_.subjects if s.status in ("declared", "qualified")
        ]
        if not form.is_submitted() and draw is None:
            form.subjects.data = [value for value, _ in form.subjects.choices]
        return form

    def bounds(self) -> list[tuple[str, Text, str, Text, Any, Any]]:
        """(attribute, its words, value, its words, field of the minimum, field of the maximum)."""
        return [
            (a, messages.ATTRIBUTE[a], v, QUOTED[a][v], self[f"min_{a}_{v}"], self[f"max_{a}_{v}"])
            for a, values in VALUES.items()
            for v in values
        ]

    def request(self, round_: Round) -> dict[str, Any]:
        """Arguments of `operations.request_draw` but for round, stage and counties.

        Raises DomainError for dice out of shape.
        """
        panel: dict[str, Any] = {"seats": self.seats.data, "mode": self.mode.data}
        quotas: dict[str, dict[str, list[int]]] = {}
        for attribute, _, value, _, low, high in self.bounds():
            if low.data is not None or high.data is not None:
                most = self.seats.data if high.data is None else high.data
                quotas.setdefault(attribute, {})[value] = [low.data or 0, most]
        panel["quotas"] = quotas
        chosen = [s for s in round_.subjects if s.id in (self.subjects.data or ())]
        each = self.split.data == "each" and len(chosen) > 1
        panels = (
            [{**panel, "id": f"P{n:02d}", "subjects": [s.id]} for n, s in enumerate(chosen, 1)]
            if each
            else [{**panel, "id": "P01"}]
        )
        source = {**DICE, "count": self.dice.data}
        fixed = {}
        if (self.fixed.data or "").strip():
            shape = Source("dice", "sequence", int(self.dice.data or 0), 1, 6)
            fixed = {"dice": parse_values(self.fixed.data or "", shape)}
        parties = ["office", "supervisor"] if round_.kind == "real" else []
        return {
            "panels": panels,
            "load_cap": self.load_cap.data or 0,
            "replacement": self.replacement.data,
            "sources": [source],
            "parties": [*parties, "observer"] if self.observer.data else parties,
            "fixed": fixed,
            "accept_high": self.accept_high.data or None,
        }


for _attribute, _values in VALUES.items():
    for _value in _values:
        for _side, _words in (("min", Text("至少", "least")), ("max", Text("至多", "most"))):
            _label = Text("{v} {w}", "{v}, {w}").format(v=QUOTED[_attribute][_value], w=_words)
            setattr(
                RequestForm,
                f"{_side}_{_attribute}_{_value}",
                IntegerField(_label, validators=[Optional(), NumberRange(0, 99)]),
            )


def _data(draw: Draw) -> dict[str, Any]:
    request = draw.request
    panel = request["panels"][0]
    data: dict[str, Any] = {
        "stage": draw.stage,
        "subjects": request["subjects"],
        "split": "each" if len(request["panels"]) > 1 else "one",
        "seats": panel["seats"],
        "mode": panel["mode"],
        "load_cap": request["load_cap"],
        "replacement": request["replacement"],
        "dice": request["sources"][0]["count"],
        "fixed": " ".join(map(str, request["fixed"].get("dice", ()))),
        "observer": "observer" in request["parties"],
        "accept_high": request["accept_high"] or "",
    }
    for attribute, rows in panel["quotas"].items():
        for value, (low, high) in rows.items():
            if attribute in VALUES and (low, high) != (0, panel["seats"]):
                data[f"min_{attribute}_{value}"] = low
                data[f"max_{attribute}_{value}"] = high
    return data
