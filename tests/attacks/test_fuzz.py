"""Every endpoint, as everybody who may reach it, with rubbish in every field that it reads: never a 500.

The names of fields are learned from what each view looks up, the rubbish is what people, spreadsheets and
scanners send: empty, enormous, of another type, of another script, markup, paths, NUL, half a surrogate,
numbers that are none, days that do not exist, files that are not what they say. Nothing commits, so each
question meets the same world. `MINGJIAN_FUZZ=40` asks forty times as much as 1; from 4 on as every role, also
those who may not.
"""

from __future__ import annotations

import io
import json
import os
import random  # the same rubbish every time: seeded by the name of the endpoint
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, request

from tests.attacks.cells import ROLES
from tests.attacks.test_matrix import MATRIX, routes, town, url, wanted_roles
from tests.attacks.test_secrecy import noting

__all__ = ["town"]

ROUNDS = int(os.environ.get("MINGJIAN_FUZZ", "1"))
RUBBISH = (
    "", " ", "0", "-1", "1", "9" * 400, "1e400", "-1e-400", "NaN", "Infinity", "0x1F", "１２．５", "½", "1,5",
    "2012-02-30", "0000-00-00", "9999-12-31", "2012-11-20", "24:61", "true", "null", "[]", "{}", '{"a": {}}',
    "\x00", "a\x00b", "\ud800", "\u202e\u2066", "喆堃镕珺龑𠮷", "é" * 3000, "<script>alert(1)</script>",
    "'; DROP TABLE person; --", "../../../../etc/passwd", "=cmd|' /C calc'!A0", "%s%n%x", "\r\nSet-Cookie: a=b",
    "0" * 16, "f" * 16, "A" * 64, "office", "pass", "yes", "on", "zh", "中" * 20_000,
)  # fmt: skip
FILES = (
    ("a.pdf", b""), ("a.pdf", b"%PDF-1.4"), ("a.xlsx", b"PK\x03\x04junk"), ("a.csv", b"\xff\xfe\x00,\x00"),
    ("../a.png", b"\x89PNG\r\n\x1a\n"), ("a.zip", b"PK\x05\x06" + b"\0" * 18), ("\x00", b"\x00" * 99),
    ("a.yaml", b"a: &a [*a]"), ("a.csv", "姓名,单位\n测试,".encode("gb18030")),
)  # fmt: skip
NAMES = (
    "q",
    "page",
    "sort",
    "order",
    "status",
    "kind",
    "from",
    "to",
    "next",
    "lang",
    "seat",
    "head",
    "limit",
)


@pytest.fixture(scope="module")
def learned(town: Any) -> Iterator[dict[str, set[str]]]:
    """METHOD endpoint -> names of the fields that it looks up."""
    app: Flask = town[0]
    names: dict[str, set[str]] = defaultdict(set)
    kept = app.request_class.parameter_storage_class
    app.request_class.parameter_storage_class = noting(names)
    yield names
    app.request_class.parameter_storage_class = kept
    for role in ROLES:  # or all the rest was asked by strangers
        assert town[2][role].get("/account").status_code == 200, role


def value(chance: random.Random) -> str:
    return RUBBISH[chance.randrange(len(RUBBISH))]


def bodies(chance: random.Random, names: list[str], where: str) -> dict[str, Any]:
    """What one request carries: fields and files, JSON, or bytes."""
    kind = chance.randrange(10)
    if where.startswith("/field/api/") and kind < 8 or kind == 9:
        text = chance.choice((
            "", "nonsense", "[]", "{}", "null", "1e999", '{"ops": [[]], "a": 1}', "[" * 500,
            json.dumps({name: chance.choice((None, [], {}, 1, -1.5, "x", "中" * 99, True)) for name in names}),
            json.dumps({"ops": [{"op": 1}], "sheet": [], "key": {}, "v": "9", "fields": {"x": None}}),
        ))  # fmt: skip
        return {"data": text.encode("utf-8", "surrogatepass"), "content_type": "application/json"}
    if kind == 8:
        return {"data": bytes(range(256)) * 8, "content_type": "application/octet-stream"}
    fields: dict[str, Any] = {}
    for name in names:
        if chance.random() < 0.85:
            many = [value(chance) for _ in range(chance.choice((1, 1, 1, 2, 5)))]
            fields[name] = [
                text.encode("utf-8", "surrogatepass").decode("utf-8", "replace") for text in many
            ]
    if chance.random() < 0.3 and names:
        name, data = FILES[chance.randrange(len(FILES))]
        fields[chance.choice(names)] = (io.BytesIO(data), name)
    return {"data": fields, "content_type": "multipart/form-data"}


def asked(client: Any, method: str, where: str, chance: random.Random, names: list[str]) -> Any:
    if method == "GET":
        given = {name: value(chance) for name in {*names, *NAMES} if chance.random() < 0.5}
        query = {k: v.encode("utf-8", "surrogatepass") for k, v in given.items()}
        return client.get(where, query_string=query)
    return client.open(where, method=method, **bodies(chance, names, where))


def faults_of(town: Any, names: dict[str, set[str]], endpoint: str) -> list[str]:
    """Requests of this endpoint that were answered with 500 or more, in words that repeat them."""
    app, stage, clients = town
    rule = routes(app)[endpoint]
    entry = MATRIX[endpoint]
    may = sorted(wanted_roles(entry) & set(ROLES)) or ["nobody", "office"]
    rest = [role for role in (*ROLES, "nobody") if role not in may]
    who = may + rest if ROUNDS > 1 else may
    wrong = []
    for method in sorted(rule.methods & {"GET", "POST", "PUT"}):
        chance = random.Random(f"{endpoint} {method}")
        for turn in range(2 * ROUNDS):
            role = who[turn % len(who)]
            where = (
                url(app, stage, endpoint, role if role in may else may[0], "own", stage.world.slug)
                if "token" not in rule.arguments and "filename" not in rule.arguments
                else None
            )
            where = where or rule.rule.replace("<slug>", stage.world.slug).replace(
                "<token>", "x"
            ).replace("<path:filename>", "x")
            if "<" in where:
                continue
            learned_here = sorted(names[f"{method} {endpoint}"] - {"csrf_token"})
            answer = asked(clients[role], method, where, chance, learned_here)
            if answer.status_code >= 500:
                wrong.append(f"{method} {where} {role} turn {turn}: {answer.status_code}")
            answer.close()
    return wrong


@pytest.mark.parametrize("endpoint", sorted(MATRIX))
def test_no_rubbish_makes_the_server_fall_over(town: Any, learned: Any, endpoint: str) -> None:
    if endpoint in (
        "accounts.sign_in",
        "accounts.sign_out",
        "field.sign_out",
    ):  # they would end the session of the others
        pytest.skip("tried in tests/accounts and tests/field")
    assert faults_of(town, learned, endpoint) == []


def test_a_view_that_falls_over_is_found(
    town: Any, learned: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that takes a number for granted, planted in the place of the product's own."""
    app: Flask = town[0]

    def falls(expert_id: str) -> str:
        return str(int(request.form.get("reason", "none")))

    falls.__access__ = app.view_functions["registry.sanction"].__access__  # type: ignore[attr-defined]
    monkeypatch.setitem(app.view_functions, "registry.sanction", falls)
    found = faults_of(town, learned, "registry.sanction")
    found += faults_of(town, learned, "registry.sanction")  # by now the name is known
    assert found and all(": 500" in fault for fault in found)
