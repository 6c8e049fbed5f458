"""The tablet's evaluators in a real browser say what Python says, case by case; one changed rule is found out.

The cases and their answers are tests/vectors/field/vectors.json, whose Python half is tests/domain/scoring/test_field_vectors.py.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, send_from_directory
from werkzeug.serving import make_server

from tests.vectors.field import make

STATIC = Path(__file__).resolve().parents[2] / "app" / "static"

# (module, what it says, what it must not say): each breaks one rule of the house
MUTATIONS = {
    "half-up": ("expressions.js", "rest * 2n >= cut", "rest * 2n > cut"),
    "digits": ("expressions.js", "PRECISION = 34", "PRECISION = 28"),
    "floor": ("scales.js", "most([left, decimal(item.min)])", "left"),
    "level-limit": ("scales.js", "=== 0 && !level.high_inclusive", "=== 0 && false"),
    "reason": ("scales.js", "cases > 0);", "false);"),
    "veto-evidence": ("scales.js", '!said(entry, "evidence")', "false"),
    "stacking": ("scales.js", "? most : sum", "? sum : sum"),
    "band-limit": ("scales.js", "(c) => c >= 0) && holds(gt", "(c) => c > 0) && holds(gt"),
    "section-floor": ("evaluate.js", ">= 0 : null", "> 0 : null"),
    "empty-section": ("evaluate.js", "!others &&", ""),
    "level-choice": ("entries.js", "under < 0 || (under === 0 && inclusive)", "under <= 0"),
    "draft-limit": ("entries.js", "slice(0, DRAFT_LIMIT)", "slice(0, 1999)"),
    "comma": ("../js/numbers.js", '"。": "."', '"。": ","'),
}


@pytest.fixture(scope="module")
def evaluators(chromium: Any) -> Iterator[Any]:
    """A page that can run the vectors: `/NAME/field/…` serves the tablet's modules with mutation NAME."""
    app = Flask(__name__, static_folder=None)

    @app.get("/")
    def blank() -> str:
        return "<!doctype html><title>vectors</title>"

    @app.get("/vectors/<name>")
    def vectors(name: str) -> Response:
        return send_from_directory(make.HERE, name)

    @app.get("/<mutation>/<path:name>")
    def module(mutation: str, name: str) -> Response:
        text = (STATIC / name).read_text("utf-8")
        file, before, after = MUTATIONS.get(mutation, ("", "", ""))
        if file and name == (file[3:] if file.startswith("../") else f"field/{file}"):
            assert text.count(before) == 1, (mutation, before)
            text = text.replace(before, after)
        return Response(text, mimetype="text/javascript")

    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    context = chromium.new_context(base_url=f"http://127.0.0.1:{server.server_port}")
    page = context.new_page()
    page.goto("/")
    yield page
    context.close()
    server.shutdown()


RUN = """async (mutation) => {
  globalThis.vectors ??= await (await fetch("/vectors/vectors.json")).json();
  const { run } = await import("/vectors/run.js");
  const { count, wrong } = await run(vectors, (name) => import(new URL(name, `${location.origin}/${mutation}/field/`)));
  return { count, wrong: wrong.length, first: wrong.slice(0, 3) };
}"""


def test_the_tablet_computes_what_the_server_computes(evaluators: Any) -> None:
    found = evaluators.evaluate(RUN, "none")
    assert found["first"] == []
    assert found["wrong"] == 0
    assert found["count"] >= 1500


@pytest.mark.parametrize("mutation", sorted(MUTATIONS))
def test_one_changed_rule_is_found_out(evaluators: Any, mutation: str) -> None:
    found = evaluators.evaluate(RUN, mutation)
    assert 0 < found["wrong"] < found["count"] / 2
