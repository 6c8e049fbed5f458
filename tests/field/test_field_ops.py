"""What is an operation and what is none; its hash; what a log amounts to."""

from __future__ import annotations

import copy
import hashlib
import json

import pytest

from app.domain.field.logs import Beside, End, fold, media_after
from app.domain.field.operations import START, Malformed, canonical_text, operation_hash, parse
from tests.field.virtual import VirtualTablet, sha

KEY, ROW = "0123456789abcdef", "fedcba9876543210"


def operation(kind="set", key=KEY, **fields):
    if kind == "set" and not fields:
        fields = {"path": "C1.mark", "old": "", "new": "5"}
    return VirtualTablet(ROW, "f" * 64).do(key, kind, **fields)


def changed(**fields):
    op = copy.deepcopy(operation()) | fields
    op["hash"] = operation_hash(op)
    return op


def test_the_hash_is_sha_256_of_the_sorted_json_without_it():
    op = operation()
    rest = {k: v for k, v in op.items() if k != "hash"}
    written = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert op["hash"] == hashlib.sha256(written.encode()).hexdigest()
    taken = parse(op)
    assert (taken.sitting, taken.case, taken.of_statement) == (KEY, None, False)
    assert json.loads(taken.text) == op and taken.fields["new"] == "5"


def test_text_is_hashed_as_typed_whatever_its_normal_form():
    one, two = changed(new="é"), changed(new="e\u0301")
    assert one["hash"] != two["hash"] and parse(two).fields["new"] == "e\u0301"
    assert canonical_text({"b": "\u2028\u0001", "a": True}) == '{"a":true,"b":"\u2028\\u0001"}'


@pytest.mark.parametrize(
    "bad",
    [
        {"v": 2}, {"v": True}, {"id": "A" * 32}, {"seq": 0}, {"seq": 1.0}, {"prev": "x"},
        {"prev": "1" * 64}, {"base": -1}, {"mono": None}, {"at": "2026-13-45T00:00:00Z"},
        {"at": "yesterday"}, {"kind": "erase"}, {"kind": "attend"}, {"sheet": "x"},
        {"sheet": f"statement/{KEY}"}, {"sheet": f"{KEY}/{KEY}/{KEY}"}, {"path": "C1"},
        {"path": ".mark"}, {"new": None}, {"new": 5}, {"new": ["a", 5]}, {"more": "x"},
        {"new": "half \ud83d"}, {"new": "nul \0"}, {"new": "x" * 70_000}, {"new": {"a": 1.5}},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_operation(bad):
    op = copy.deepcopy(operation()) | bad
    try:
        op["hash"] = operation_hash(op)
    except Malformed:
        return
    with pytest.raises(Malformed):
        parse(op)


@pytest.mark.parametrize("bad", [None, 5, [], "x", {}, {"kind": "set"}, {1: 2}])
def test_what_is_no_object_of_the_protocol(bad):
    with pytest.raises(Malformed):
        parse(bad)


def test_a_bent_operation_is_not_the_one_its_hash_names():
    op = operation()
    for key, value in (
        ("new", "6"),
        ("seq", 2),
        ("base", 7),
        ("mono", 9),
        ("at", "2012-11-06T01:00:00Z"),
    ):
        with pytest.raises(Malformed):
            parse(op | {key: value})
    deep: list = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(Malformed):
        parse(op | {"new": deep})


def test_a_log_is_a_chain():
    tablet = VirtualTablet(ROW, "f" * 64)
    one, two = (parse(tablet.put(KEY, "C1.mark", str(n))) for n in range(2))
    end = End()
    assert end.follows(one) and not end.follows(two) and end.hash == START
    assert end.after(one).follows(two) and not end.after(two).follows(one)


def test_the_fold_takes_operations_one_after_the_other():
    def merge(entries, typed):
        return {**entries, **{path.partition(".")[0]: word for path, word in typed.items()}}

    ops = [("set", {"path": "A.mark", "new": "1"}), ("attach", {"item": "A", "sha256": sha("x")}),
           ("set", {"path": "A.mark", "new": "2"}),
           ("choose", {"branch": "b", "picks": {"A": "mine", "B": "branch", "C": "branch"}})]  # fmt: skip
    assert fold({"C": "old"}, ops, merge, {"b": Beside({"A": "9", "B": "8"})}) == {
        "A": "2",
        "B": "8",
    }
    media = media_after((), "attach", {"item": "A", "sha256": "1"}, None)
    media = media_after(media, "attach", {"item": "A", "sha256": "1"}, None)
    media = media_after(media, "attach", {"item": "B", "sha256": "2"}, None)
    assert media == (("A", "1"), ("B", "2"))
    chosen = {"picks": {"A": "branch", "B": "mine"}}
    beside = Beside({}, (("A", "3"), ("B", "4")))
    assert media_after(media, "choose", chosen, beside) == (("B", "2"), ("A", "3"))
    assert media_after(media, "detach", {"item": "B", "sha256": "2"}, None) == (("A", "1"),)
