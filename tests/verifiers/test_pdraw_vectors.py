"""The frozen vectors: the engine, the second generator and the verifier all come to the same."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from app.domain.types import DomainError
from app.verify import verify_transcript
from tests.vectors import engine, make_pdraw, second_generator
from tests.vectors.make_pdraw import FILE, expanded, expectation

VECTORS = [json.loads(line) for line in FILE.read_text("utf-8").split("\n") if line]
DRAWS = [v for v in VECTORS if "key" in v["expect"]]
REFUSED = [v for v in VECTORS if "refused" in v["expect"]]
INFEASIBLE = [v for v in VECTORS if "relaxations" in v["expect"]]


def test_there_are_enough_of_every_kind() -> None:
    assert len(VECTORS) >= 200 and len({v["name"] for v in VECTORS}) == len(VECTORS)
    assert (len(DRAWS), len(REFUSED), len(INFEASIBLE)) == (210, 24, 20)
    made = [second_generator.generate(expanded(v["request"])) for v in DRAWS]
    panels = [p for m in made for p in m["result"]["panels"]]
    reasons = {why for p in panels for _, _, why in p["skips"]}
    assert reasons == {"load_cap", "date", "max", "pair", "completion"}
    assert any(m["result"]["restarts"] for m in made) and any(p["short"] for p in panels)
    assert {fill[5] for m in made for act in m["acts"] for fill in act["fills"]} == {"type", "swap", "none"}  # fmt: skip
    assert sum(p["lot"] >= 0 for p in panels) == 35


def test_made_again_they_are_byte_equal() -> None:
    assert make_pdraw.text() == FILE.read_text("utf-8")


@pytest.mark.parametrize("vector", DRAWS, ids=lambda v: v["name"])
def test_a_draw(vector: dict[str, Any]) -> None:
    """Both generators give the same bytes; the verifier accepts them."""
    request = expanded(vector["request"])
    second = second_generator.generate(request)
    assert expectation(second) == vector["expect"]
    first = engine.drawn(request, second["commitment"])
    assert expectation(first) == vector["expect"]
    assert first == second
    if not request["lotteries"]:
        assert engine.committed(request).document == second["commitment"]
    report = verify_transcript(second["zip"], vector["expect"]["hash"])
    assert report.ok, (report.failed, report.en)


@pytest.mark.parametrize("vector", REFUSED, ids=lambda v: v["name"])
def test_a_refusal(vector: dict[str, Any]) -> None:
    """The engine refuses to commit or to draw; a transcript made nevertheless fails at this step."""
    request, step = expanded(vector["request"]), vector["expect"]["refused"]
    with pytest.raises(DomainError) as refused:
        commitment = engine.committed(request)
        engine.drawn(request, commitment.document)
    assert refused.value.text.zh and refused.value.text.en
    if vector["name"] not in make_pdraw.UNMAKEABLE:
        forged = second_generator.generate(request)["zip"]
        assert verify_transcript(forged).failed == step


@pytest.mark.parametrize("vector", INFEASIBLE, ids=lambda v: v["name"])
def test_an_infeasible_request(vector: dict[str, Any]) -> None:
    request = expanded(vector["request"])
    assert engine.relaxations(request) == vector["expect"]["relaxations"] != []
    result = second_generator.generate(request)["result"]
    assert [p["short"] for p in result["panels"]] == [1]


def test_the_second_generator_stands_alone() -> None:
    path = Path(second_generator.__file__)
    source = path.read_text("utf-8")
    assert len(source.splitlines()) < 400
    for node in ast.walk(ast.parse(source)):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert all(n.split(".")[0] in sys.stdlib_module_names for n in names), names
