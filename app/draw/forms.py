"""Shape of the input of the request pages; the rules are in `requests`, `sources` and `operations`.

One form serves one panel and a batch: what all panels share stands on top, and each row of a batch
may differ in seats, mode, date and quotas. Everything works without script: rows are added by a
button that brings the form back as it was typed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wtforms import (
    FieldList,
    FormField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from app.directory.forms import choices
from app.domain.draw.rules_set import RuleSet
from app.domain.types import DomainError, Text
from app.draw import messages
from app.draw.form_data import filled_in
from app.draw.forms_panel import BoundsForm, ExtraForm, PanelForm
from app.draw.forms_sources import SourcesForm
from app.draw.messages import HIGH, MODE, MODE_REASON, ZERO
from app.draw.models import Draw
from app.draw.requests import HIGH_CHANCE, MODE_REASONS, ZERO_CHANCE
from app.draw.wording import value_words
from app.programme.instruments import panel_stages, stage_text
from app.programme.models import Round
from app.programme.queries import rules_of
from app.ui.forms import NEEDED, Form, IntegerField, needed

_LISTS = ("quotas", "extra", "panels", "sources", "parties", "pair_limits", "request")
EXTRA = 3  # empty rows for quotas of employers and regions
_REASONS = {"": Text("自动", "automatic")} | {
    code: Text("{m}：{r}", "{m}: {r}").format(m=MODE[mode], r=MODE_REASON[code])
    for mode, codes in MODE_REASONS.items()
    for code in codes
}


class RequestForm(BoundsForm, SourcesForm, Form):  # type: ignore[misc]
    """A draw as asked for: one panel for all counties, one for each, or panels put together."""

    stage = RadioField(
        Text("阶段", "Stage"),
        choices=choices(
            {
                "desk": Text("综合评审", "Desk review"),
                "site": Text("实地考核", "Site assessment"),
            }
        ),
        default="desk",
    )
    subjects = SelectMultipleField(Text("参评区县", "Counties"))
    split = RadioField(
        Text("评审组", "Panels"),
        choices=choices(
            {
                "one": Text("一个组评全部区县", "one panel for all counties"),
                "each": Text("每个区县一个组", "a panel for each county"),
                "groups": Text("分成几个组（在下面分组）", "several panels (put together below)"),
            }
        ),
        default="one",
    )
    panels = FieldList(FormField(PanelForm), label=Text("各组", "Panels"))
    seats = IntegerField(
        Text("每组席位", "Seats of a panel"),
        default=7,
        validators=[InputRequired(message=NEEDED), NumberRange(1, 99)],  # type: ignore[arg-type]
    )
    mode = RadioField(
        Text("抽取方式", "Mode"),
        choices=choices({
"lottery": Text("公平抽签：让机会最小的人机会尽量大（单组默认）", "Fair lottery: the smallest chance is made as large as can be (default for one panel)"),
"tickets": Text("按签号依次入选：签号小的先入选（多组）", "By ticket: lower tickets come first (batches)"),
}),
        default="lottery",
    )  # fmt: skip
    mode_reason = SelectField(
        Text("采用这种方式的理由", "Reason for this mode"),
        choices=choices(_REASONS),
        validate_choice=False,
    )
    pair_employer = IntegerField(
        Text("同一单位最多人数", "People of one employer at most"),
        validators=[Optional(), NumberRange(1, 99)],
    )
    pair_region = IntegerField(
        Text("同一省份最多人数（空白为不限）", "People of one province at most (blank: free)"),
        validators=[Optional(), NumberRange(1, 99)],
    )
    extra = FieldList(FormField(ExtraForm), label=Text("单位、地区名额", "Employers and regions"))
    load_cap = IntegerField(
        Text("每人最多参加的组数（0 为不限）", "Panels per expert at most (0: no limit)"),
        default=0,
        validators=[Optional(), NumberRange(0, 1000)],
    )
    replacement = RadioField(
        Text("更换方式", "Replacement"),
        choices=choices({
"act": Text("重新补抽：事由先会签，无人能预知由谁补入", "a new act: causes are cosigned first, and nobody can know who follows"),
"reserves": Text("候补：同时抽出，到场人员都知道候补是谁", "reserves: drawn along, so that everybody present knows them"),
}),
        default="act",
    )  # fmt: skip
    accept_high = SelectField(
        Text(
            "接受机会高于一半、有人必然入选或席次不足的理由",
            "Reason to accept a chance above one half, somebody who must sit, or too few places",
        ),
        choices=choices({"": Text("不接受", "not accepted"), **{k: HIGH[k] for k in HIGH_CHANCE}}),
    )
    accept_zero = SelectField(
        Text("接受合格专家机会为零的理由", "Reason to accept that somebody eligible has no chance"),
        choices=choices({"": Text("不接受", "not accepted"), **{k: ZERO[k] for k in ZERO_CHANCE}}),
        validate_choice=False,
    )

    @classmethod
    def of(
        cls,
        round_: Round,
        draw: Draw | None = None,
        *,
        template: Mapping[str, Any] | None = None,
        known: Mapping[str, Mapping[str, str]] | None = None,
    ) -> RequestForm:
        """The form for a round: filled from a draft, from a template, or from the scheme's rules.

        `known` are the employers and provinces that quotas may name (`pool.known_values`).
        """
        rows = [s for s in round_.subjects if s.status in ("declared", "qualified")]
        made = _for_counties(cls, [(s.id, s.name) for s in rows])
        stored = draw.request if draw else template
        data = filled_in(stored, draw.stage if draw else None) if stored else defaults(round_)
        form: RequestForm = made(data=data)
        stages = panel_stages(round_)
        if stages:
            form.stage.choices = [(stage, stage_text(stage)) for stage in stages]
            if not form.is_submitted() and form.stage.data not in stages:
                form.stage.data = stages[0]
        form.subjects.choices = [(s.id, s.name) for s in rows]
        form.counties = [s.id for s in rows]
        if not form.is_submitted() and draw is None:
            form.subjects.data = list(form.counties)
        form.rules = rules_of(round_)
        form.beside = {}
        form._choices(known or {})
        return form

    rules: RuleSet
    counties: list[str]
    beside: dict[str, list[Text]]

    def _choices(self, known: Mapping[str, Mapping[str, str]]) -> None:
        """Rows of panels and of open quotas, and what they can be chosen from."""
        while len(self.panels) < 2:
            self.panels.append_entry()
        if not self.is_submitted():
            for _ in range(EXTRA):
                self.extra.append_entry()
        groups: dict[Any, list[tuple[str, Any]]] = {"": [("", Text("未选", "none"))]}
        for attribute, values in known.items():
            named = [(f"{attribute}:{key}", value_words(attribute, key, values)) for key in values]
            groups[messages.ATTRIBUTE[attribute]] = sorted(named, key=lambda row: row[1].zh)
        names = [
            (str(n), row.form["name"].data or f"P{n + 1:02d}") for n, row in enumerate(self.panels)
        ]
        for row in self.extra:
            row.form.value.choices = groups
            row.form.of.choices = [("", Text("所有组", "every panel")), *names]
        for key in self.counties:
            self[f"of_{key}"].choices = names

    def refuse(self, error: Any, default: str | None = None) -> None:
        """Beside its field; what belongs to a whole list stands above the form and at the list."""
        if error.field in _LISTS:
            self.beside.setdefault(error.field, []).append(error.text)
            self.form_errors = [*self.form_errors, error.text]
            return
        super().refuse(error, default)

    def more(self, button: str) -> bool:
        """Whether `button` only adds or takes away a row of the form."""
        if button == "add_panel" and len(self.panels) < 40:
            self.panels.append_entry()
        elif button == "drop_panel" and len(self.panels) > 2:
            self.panels.pop_entry()
        elif button == "add_quota":
            self.extra.append_entry()
        else:
            return False
        return True

    def request(self, round_: Round) -> dict[str, Any]:
        """Arguments of `operations.request_draw` but for round, stage and counties.

        Raises DomainError for dice out of shape or a source that is not complete.
        """
        return {
            "panels": self._panels(round_),
            "load_cap": self.load_cap.data or 0,
            "replacement": self.replacement.data,
            **self.randomness(round_),
            "accept_high": self.accept_high.data or None,
            "accept_zero": self.accept_zero.data or None,
        }

    def _panels(self, round_: Round) -> list[dict[str, Any]]:
        chosen = [s.id for s in round_.subjects if s.id in (self.subjects.data or ())]
        seats = int(self.seats.data or 0)
        limits = {
            a: f.data
            for a, f in (("employer", self.pair_employer), ("region", self.pair_region))
            if f.data is not None
        }
        panel: dict[str, Any] = {
            "seats": seats,
            "mode": self.mode.data,
            "mode_reason": self.mode_reason.data or None,
            "pair_limits": limits,
            "quotas": {**self.quotas(seats), **self._extra(seats)},
        }
        if self.split.data == "groups":
            return self._groups(panel, chosen)
        if any(row.form.of.data and row.form.value.data for row in self.extra):
            raise DomainError(messages.ONLY_IN_GROUPS, field="extra")
        if self.split.data == "each" and len(chosen) > 1:
            return [
                {**panel, "id": f"P{n:02d}", "subjects": [key]} for n, key in enumerate(chosen, 1)
            ]
        first = self.panels[0].form
        return [{**panel, "id": (first["name"].data or "").strip() or "P01"}]

    def _groups(self, panel: Mapping[str, Any], chosen: list[str]) -> list[dict[str, Any]]:
        out = []
        for n, row in enumerate(self.panels):
            asked = row.form
            counties = [key for key in chosen if self[f"of_{key}"].data == str(n)]
            if not counties and not (asked["name"].data or "").strip():
                continue  # a row that nobody used
            seats = asked.size.data or panel["seats"]
            closed = asked.quotas(seats) if asked.own.data else self.quotas(seats)
            way = asked.way.data or panel["mode"]
            out.append(
                {
                    **panel,
                    "id": (asked["name"].data or "").strip() or f"P{n + 1:02d}",
                    "subjects": counties,
                    "seats": seats,
                    "mode": way,
                    "mode_reason": panel["mode_reason"] if way == panel["mode"] else None,
                    "dates": [asked.on.data] if asked.on.data else [],
                    "quotas": {**closed, **self._extra(seats, str(n))},
                }
            )
        return out

    def _extra(self, seats: int, panel: str = "") -> dict[str, dict[str, list[int]]]:
        """Quotas of employers and provinces for a panel; what is said of it alone goes before what is
        said of every panel."""
        out: dict[str, dict[str, list[int]]] = {}
        for row in sorted(self.extra, key=lambda row: bool(row.form.of.data)):
            attribute, _, value = (row.form.value.data or "").partition(":")
            if value and (row.form.of.data or "") in ("", panel):
                most = seats if row.form.most.data is None else row.form.most.data
                out.setdefault(attribute, {})[value] = [row.form.least.data or 0, most]
        return out


def defaults(round_: Round) -> dict[str, Any]:
    """What the scheme's rules ask for: size (D-03, D-05), one per employer (C-10), policy (D-12)."""
    rules = rules_of(round_)
    least = max(
        [int(rules[r].params["size"]) for r in ("D-03", "D-05") if rules[r].effect == "block"],
        default=5,
    )
    return {
        "seats": max(7, least | 1),
        "pair_employer": int(rules["C-10"].params["max_per_employer"]),
        "replacement": str(rules["D-12"].params["policy"]),
    }


def _for_counties(base: type[RequestForm], counties: list[tuple[str, Text]]) -> type[RequestForm]:
    """The form with one more box a county: which panel it goes to."""
    fields = {f"of_{key}": SelectField(name, validate_choice=False) for key, name in counties}
    return type("RequestFormOfRound", (base,), fields)


class TemplateForm(Form):
    """The name under which a request is kept for the whole office."""

    name = StringField(Text("模板名称", "Name"), validators=[needed(), Length(max=200)])
