"""What an expert types is what is kept: fields and entries say the same, whatever the order."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.scoring.sheets import check_sheet
from app.scoring.entries import DRAFT_LIMIT, entry_of, fields_of, merged


def item(name: str, **scale) -> dict:
    return {"id": name, "scale": scale}


LEVELS = [
    {"id": "good", "low": "8", "high": "10", "high_inclusive": True},
    {"id": "fair", "low": "0", "high": "8", "high_inclusive": False},
]
ITEMS = [
    item("P", type="points"),
    item("G", type="grade", levels=LEVELS),
    item("C", type="checklist", items=[{"id": "a"}, {"id": "b"}]),
    item("D", type="deduct"),
    item("CD", type="checklist_deduct", items=[{"id": "a"}]),
    item("F", type="passfail"),
    item("T", type="grade_table", table=[{"id": "A"}]),
    item("B", type="bands", figures=[{"name": "n"}, {"name": "k"}]),
]
BY_ID = {row["id"]: row for row in ITEMS}
TEXT = st.one_of(
    st.sampled_from(
        ["", "0", "8", "7.5", "-1", "８", "nan", "NaN", "sNaN", "Infinity", "1e9", "x"]
    ),
    st.text(max_size=8),
)
ON = st.sampled_from(["on", ""])
TICKS = st.lists(st.sampled_from(["a", "b", "zz"]), max_size=3, unique=True)
PARTS = {
    "P": {"mark": TEXT},
    "G": {"mark": TEXT},
    "C": {"ticks": TICKS, "none": ON},
    "D": {"cases": TEXT},
    "CD": {"ticks": TICKS, "cases": TEXT},
    "F": {"pass": st.sampled_from(["yes", "no", "", "maybe"])},
    "T": {"grade": TEXT, "prior": ON},
    "B": {"figure.n": TEXT, "figure.k": TEXT},
}


@st.composite
def change(draw):
    name = draw(st.sampled_from(sorted(PARTS)))
    own = PARTS[name] | {"reason": TEXT, "na": ON}
    part = draw(st.sampled_from(sorted(own)))
    return f"{name}.{part}", draw(own[part])


@settings(max_examples=300, deadline=None)
@given(st.lists(change(), max_size=12))
def test_any_sequence_of_changes_comes_back_as_it_was_kept(sequence):
    entries: dict = {}
    for name, value in sequence:
        entries = merged(ITEMS, entries, {name: value})
        for row in ITEMS:
            kept = entries.get(row["id"])
            assert entry_of(row, fields_of(row, kept)) == kept
    assert set(entries) <= set(BY_ID)


@settings(max_examples=100, deadline=None)
@given(st.lists(change(), max_size=8))
def test_an_untouched_item_never_changes(sequence):
    before = {"P": {"type": "mark", "value": "7"}}
    others = [(name, value) for name, value in sequence if not name.startswith("P.")]
    entries = dict(before)
    for name, value in others:
        entries = merged(ITEMS, entries, {name: value})
    assert entries["P"] == before["P"]
    assert before == {"P": {"type": "mark", "value": "7"}}, "the old entries are not mutated"


def test_a_reason_added_later_leaves_the_mark(subtests):
    typed = {
        "P": {"mark": "7"}, "G": {"mark": "8"}, "C": {"none": "on"}, "D": {"cases": "0"},
        "CD": {"ticks": ["a"]}, "F": {"pass": "no"}, "T": {"grade": "A", "prior": "on"},
        "B": {"figure.n": "3"},
    }  # fmt: skip
    for name, fields in typed.items():
        with subtests.test(item=name):
            first = merged(ITEMS, {}, {f"{name}.{part}": v for part, v in fields.items()})
            then = merged(ITEMS, first, {f"{name}.reason": "因为"})
            assert then[name]["value"] == first[name]["value"]
            assert then[name]["reason"] == "因为"


@pytest.mark.parametrize("mark", ["nan", "sNaN", "-Infinity", "1e999999", "八分", "\ud800"])
def test_a_mark_that_is_no_number_is_kept_and_named(mark):
    row = {
        "id": "G", "section": "s", "scorer": "expert", "applies": True, "max": "10", "min": "0",
        "not_applicable": "refused", "places": 2, "title": {"zh": "项", "en": "item"},
        "scale": {"type": "grade", "step": "0.5", "levels": [
            {**level, "reason": False, "title": {"zh": "档", "en": "level"}} for level in LEVELS
        ]},
    }  # fmt: skip
    entries = merged([row], {}, {"G.mark": mark})
    assert entries["G"]["value"]["mark"] == mark.encode(errors="replace").decode()
    instrument = {"items": [row], "sections": [], "filled_by": "expert"}
    (problem,) = check_sheet(instrument, entries)
    assert problem.item_id == "G" and problem.code in {"wrong_shape", "out_of_range", "off_grid"}


def test_full_width_digits_fall_in_their_level():
    entries = merged(ITEMS, {}, {"G.mark": "９"})
    assert entries["G"]["value"] == {"level": "good", "mark": "９"}
    assert Decimal(entries["G"]["value"]["mark"]) == 9


def test_an_overlong_reason_is_cut_at_the_limit_and_an_unknown_item_is_refused():
    entries = merged(ITEMS, {}, {"P.reason": "长" * (DRAFT_LIMIT + 1)})
    assert entries["P"] == {"type": "missing", "reason": "长" * DRAFT_LIMIT}
    with pytest.raises(KeyError):
        merged(ITEMS, {}, {"ZZ.mark": "1"})
    assert merged(ITEMS, {}, {"P.owner": "somebody", "P.state": "sealed"}) == {}
