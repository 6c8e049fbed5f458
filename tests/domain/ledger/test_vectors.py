"""RFC 6962 and RFC 8785 published answers, and properties of the tree."""

from __future__ import annotations

import base64
import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.ledger import canonical, merkle

VECTORS = Path(__file__).parents[2] / "vectors"
MERKLE = json.loads((VECTORS / "rfc6962_merkle.json").read_text())
JCS = json.loads((VECTORS / "rfc8785_jcs.json").read_text())


def _b64(value: str | None) -> bytes:
    return base64.b64decode(value or "")


def test_roots_of_the_reference_tree() -> None:
    leaves = [merkle.leaf_hash(bytes.fromhex(x)) for x in MERKLE["leaf_inputs_hex"]]
    for size, expected in enumerate(MERKLE["root_by_size"]):
        assert merkle.root(leaves[:size]).hex() == expected
    for index, path in enumerate(MERKLE["derived_inclusion_paths_size8"]):
        assert [step.hex() for step in merkle.inclusion_proof(leaves, index)] == path


@pytest.mark.parametrize("case", MERKLE["inclusion_cases"], ids=lambda c: c["file"])
def test_inclusion_cases(case: dict) -> None:
    proof = [_b64(step) for step in case["proof"] or []]
    good = merkle.verify_inclusion(
        _b64(case["leafHash"]), case["leafIdx"], case["treeSize"], proof, _b64(case["root"])
    )
    assert good is (not case["wantErr"])


@pytest.mark.parametrize("case", MERKLE["consistency_cases"], ids=lambda c: c["file"])
def test_consistency_cases(case: dict) -> None:
    proof = [_b64(step) for step in case["proof"] or []]
    good = merkle.verify_consistency(
        case["size1"], case["size2"], _b64(case["root1"]), _b64(case["root2"]), proof
    )
    assert good is (not case["wantErr"])


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=70), st.data())
def test_own_proofs_hold_and_no_other_leaf_passes(items: list[bytes], data: st.DataObject) -> None:
    leaves = [merkle.leaf_hash(item) for item in items]
    root = merkle.root(leaves)
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof = merkle.inclusion_proof(leaves, index)
    assert merkle.verify_inclusion(leaves[index], index, len(leaves), proof, root)
    assert not merkle.verify_inclusion(b"\0" * 32, index, len(leaves), proof, root)
    old = data.draw(st.integers(1, len(leaves)))
    old_root = merkle.root(leaves[:old])
    steps = merkle.consistency_proof(leaves, old)
    assert merkle.verify_consistency(old, len(leaves), old_root, root, steps)
    if old < len(leaves):
        assert not merkle.verify_consistency(old, len(leaves), b"\1" * 32, root, steps)


@pytest.mark.parametrize("case", JCS["cases"], ids=lambda c: c["name"])
def test_canonical_json_cases(case: dict) -> None:
    value = json.loads(case["input"])
    assert rfc8785.dumps(value).hex() == case["output_hex"]


def test_floats_and_big_integers_are_refused() -> None:
    for value in (0.5, {"a": [1.0]}, object()):
        with pytest.raises(TypeError):
            canonical.canonical(value)
    with pytest.raises(ValueError):
        canonical.canonical(2**53)
    assert canonical.canonical({"b": 1, "a": [True, None, "x"]}) == b'{"a":[true,null,"x"],"b":1}'


def test_text_is_brought_to_nfc_first() -> None:
    assert canonical.canonical("A\u030a") == canonical.canonical("\u00c5")


# Keys and texts with what an encoder gets wrong: control characters, the line separators that
# JavaScript once refused, DEL, characters above U+FFFF beside U+E000 to U+FFFF (their order by code
# points is not the one by UTF-16 units), and pairs that NFC joins.
_ODD = '\x00\x07\b\t\n\f\r\x1f "\\/\x7f\x80\u2028\u2029\ue000\ufb33\ufeff\uffff\U00010000\U0001f600e\u0301é中a'
_TEXTS = st.text(st.sampled_from(_ODD), max_size=6) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=6
)
_SCALARS = st.none() | st.booleans() | st.integers(-canonical.MAX_SAFE, canonical.MAX_SAFE) | _TEXTS
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(_TEXTS, inner, max_size=5)
    ),
    max_leaves=20,
)


def _nfc(value: Any) -> Any:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, dict):
        return {_nfc(key): _nfc(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_nfc(item) for item in value]
    return value


@settings(max_examples=500)
@given(_VALUES)
def test_the_canonical_form_agrees_with_the_reference_library(value: Any) -> None:
    assert canonical.canonical(value) == rfc8785.dumps(_nfc(value))


def _hidden(bad: Any) -> st.SearchStrategy[Any]:
    """`bad` somewhere inside a value that is otherwise sound."""
    return st.recursive(
        st.just(bad),
        lambda inner: (
            st.tuples(_SCALARS, inner).map(list)
            | st.builds(lambda key, item: {"a": 1, key: item}, _TEXTS, inner)
        ),
        max_leaves=3,
    )


@given(
    st.one_of(
        st.integers(min_value=2**53),
        st.integers(max_value=-(2**53)),
        st.characters(categories=["Cs"]),
        st.characters(categories=["Cs"]).map(lambda lone: {f"a{lone}": 1}),
    ).flatmap(_hidden)
)
def test_what_the_library_refuses_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):
        canonical.canonical(value)
    with pytest.raises(ValueError):
        rfc8785.dumps(value)


@given(
    st.one_of(
        st.floats(),
        st.decimals(),
        st.binary(),
        st.sets(st.integers()),
        st.dates(),
        st.just({1: "a"}),
        st.just({None: 1}),
    ).flatmap(_hidden)
)
def test_floats_and_foreign_types_are_refused_wherever_they_stand(value: Any) -> None:
    with pytest.raises(TypeError):
        canonical.canonical(value)
