"""The field application's screens served over the store of `field_store.js`: real forms, invented counties, strict policy."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, send_from_directory
from werkzeug.serving import make_server

from app.domain.scoring.instrument import FormContext, compile_form
from app.domain.scoring.library import load_library
from app.field.phrases import PHRASES
from app.ui.headers import FIXED

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "app" / "static"
PAGE = (
    '<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>明鉴</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<link rel="icon" href="/static/field/icon.svg"><link rel="stylesheet" href="/static/field/field.css">'
    '<script type="module" src="/static/field/app.js"></script></head><body><main id="field"></main></body></html>'
)
COUNTIES = ("东城区", "海淀区", "丰台区", "顺义区", "通州区", "昌平区", "大兴区")


def instruments() -> dict[str, dict[str, Any]]:
    """Form id -> instrument, every fact true."""
    library = load_library(ROOT / "scoring_forms")
    return {
        name: compile_form(
            form, FormContext({f.name: True for f in form.facts}, library.vetoes_of_form(name))
        )
        for name, form in library.forms.items()
    }


def fixture() -> dict[str, Any]:
    """The package of one invented expert: a form of each kind, two case files, every state."""
    forms = instruments()
    for name in (
        "yfxz-main",
        "mlr15-desk-I",
    ):  # one person fills in what several do, so that every scale is on a screen
        forms[f"{name}-all"] = {**forms[name], "filled_by": "everyone", "digest": f"{name}-all"}

    def duty(key: str, form: str, place: int, **more: Any) -> dict[str, Any]:
        return {
            "key": key, "kind": "sheet", "round": {"slug": "trial", "title": {"zh": "试用轮次", "en": "Trial round"}},
            "sitting": key, "case": None, "county": COUNTIES[place], "stage": "site", "on": "2026-10-20", "place": "会议室",
            "phase": "scoring", "panel": "1", "seat_number": 3, "with_statement": False, "unlock_hash": None, "deadline": None,
            "instrument": forms[form]["digest"], "computed": [], "materials": MATERIALS, "sheet": None, "ready": None, **more,
        }  # fmt: skip

    case = {"kind": "case", "sitting": "main"}
    wait = {"code": "statement", "zh": "陈述还没有结束", "en": "The statement is not over"}
    mixed = {"I1": {"type": "mark", "value": {"level": "good", "mark": "8"}}}
    duties = [
        duty("main", "yfxz-main", 0),
        duty("main/c1", "yfxz-casefile", 0, **case, case=_case("c1", "试罚〔2025〕1号")),
        duty("main/c2", "yfxz-casefile", 0, **case, case=_case("c2", "试许〔2025〕2号")),
        duty("desk", "mlr15-desk-I", 1, computed=[{"item": "I-1", "points": None, "words": {"zh": "合成中", "en": "later"}}]),
        duty("duty", "expert-duty", 1),
        duty("all", "yfxz-main-all", 1),
        duty("desk-all", "mlr15-desk-I-all", 1),
        duty("veto", "lh10-selfcheck", 2),
        duty("qual", "mlr15-qual", 2),
        duty("bonus", "js22-bonus", 3),
        duty("survey", "mlr15-survey", 3),
        duty("statement", "mlr15-site", 4, with_statement=True, phase="statement", unlock_hash="00", ready=wait),
        duty("branch", "mlr15-site", 5, fake="branch", sheet={"entries": mixed, "branch": True}),
        duty("readonly", "mlr15-site", 6, fake="read_only"),
    ]  # fmt: skip
    site = forms["mlr15-site"]["items"]
    levels = site[0]["scale"]["levels"]
    branches = [
        {
            "id": "b1", "label": "五号平板", "opened_at": "2026-10-20T02:00:00Z",
            "items": [
                {"item": site[0]["id"], "mine": _mark(levels[0]), "branch": _mark(levels[1]), "mine_media": [], "branch_media": ["ab" * 32]},
                {"item": site[1]["id"], "mine": None, "branch": {"type": "mark", "value": _mark(site[1]["scale"]["levels"][0])["value"], "reason": "现场看过"},
                 "mine_media": [], "branch_media": []},
            ],
        }
    ]  # fmt: skip
    return {
        "pack": {
            "name": "试用专家甲", "duties": duties, "instruments": {form["digest"]: form for form in forms.values()},
            "phrases": [{"zh": text.zh, "en": text.en} for text in PHRASES],
        },
        "branches": branches,
    }  # fmt: skip


MATERIALS = [
    {"id": "m1", "item": "", "title": "自评报告.pdf", "mime": "application/pdf", "size": 120, "sha256": "1f" * 32, "url": ""},
    {"id": "gone", "item": "", "title": "航拍图.pdf", "mime": "application/pdf", "size": 120, "sha256": "2e" * 32, "url": ""},
]  # fmt: skip


def _case(key: str, number: str) -> dict[str, Any]:
    return {
        "id": key,
        "number": number,
        "title": "试用案卷",
        "kind": {"zh": "行政处罚", "en": "Penalty"},
    }


def _mark(level: dict[str, Any]) -> dict[str, Any]:
    return {"type": "mark", "value": {"level": level["id"], "mark": level["low"]}}


@contextmanager
def served() -> Iterator[str]:
    """The address of the fixture, served for as long as the block lasts."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = Flask(__name__, static_folder=None)
    data = fixture()

    @app.after_request
    def policy(response: Response) -> Response:
        for name, value in FIXED.items():
            response.headers.setdefault(name, value)
        return response

    @app.get("/field")
    def page() -> str:
        return PAGE.format(lang="zh-CN")

    @app.get("/field-en")
    def page_en() -> str:
        return PAGE.format(lang="en")

    @app.get("/fixture.json")
    def package() -> Response:
        return jsonify(data)

    @app.get("/static/field/engine/store.js")
    def store() -> Response:
        return send_from_directory(Path(__file__).parent, "field_store.js")

    @app.get("/static/<path:name>")
    def static_file(name: str) -> Response:
        return send_from_directory(STATIC, name)

    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
