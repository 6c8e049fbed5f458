"""`aggregate` and `agree` as a person or a script calls them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.cli.statistics import aggregate_command, agree_command
from app.domain.statistics.replay import differences
from tests.domain.statistics.builders import VECTORS

HEADLESS = VECTORS / "headless"
MARKS, RULE = HEADLESS / "marks.csv", HEADLESS / "rule.yaml"


def aggregate(*args: object) -> Result:
    return CliRunner().invoke(aggregate_command, [str(arg) for arg in args])


def agree(*args: object) -> Result:
    return CliRunner().invoke(agree_command, [str(arg) for arg in args])


def test_worked_example() -> None:
    # A and D: 7 8 8 8.25 8.5 9 9.5 -> drop 7 and 9.5 -> 41.75 / 5 = 8.35
    # B: one absent, six present -> 26.25 / 4 = 6.5625 -> 6.56, bonus 0.50
    result = aggregate(MARKS, "--rule", RULE, "--json")
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout)
    subjects = data["subjects"]
    assert [subjects[name]["total"] for name in "ABCD"] == ["8.35", "7.06", "8.85", "8.35"]
    assert [subjects[name]["rank"] for name in "ABCD"] == [2, 4, 1, 2]
    assert subjects["B"]["items"]["X"] == {
        "value": "6.56",
        "present": 6,
        "used": 4,
        "dropped": ["E1", "E5"],
    }
    assert {"rule", "subjects", "agreement"} <= data.keys()
    for subject in subjects.values():
        assert {"total", "rank", "items", "flags", "p_top", "rank_interval"} <= subject.keys()
        assert differences(subject) == []
    assert [flag["rater"] for flag in subjects["C"]["flags"]] == ["E5", "E5"]
    assert sum(subject["p_top"] for subject in subjects.values()) == pytest.approx(2.0)


def test_diagnostics_stand_beside_the_promised_keys() -> None:
    data = json.loads(aggregate(MARKS, "--rule", RULE, "--json", "--in-order").stdout)
    more = {"checks", "weight_sensitivity", "experts_left_out", "what_if", "shadow", "raters"}
    assert more <= data.keys() and data["shadow"]["official"] is False
    assert {o["rater"] for o in data["experts_left_out"]} == {f"E{n}" for n in range(1, 8)}
    assert [o["rule"] for o in data["what_if"]][-1] == "severity_adjusted"
    assert all("shadow" in s and "p_top_weights" in s for s in data["subjects"].values())
    assert data["raters"]["connected"] is True
    silent = {c["rule"]: c["reason"] for c in data["checks"] if c["outcome"] == "not_enough_data"}
    assert silent["home_lift"]["zh"].startswith("数据不足")
    flag = data["subjects"]["C"]["flags"][0]
    assert (
        flag["false_alarm"]["simulated"] == 30_000 and "误报率" in flag["false_alarm"]["text"]["zh"]
    )


def test_home_regions_from_a_file(tmp_path: Path) -> None:
    homes = tmp_path / "homes.csv"
    homes.write_text("expert,subject\nE1,A\nE2,B\nE3,C\n", encoding="utf-8")
    data = json.loads(aggregate(MARKS, "--rule", RULE, "--homes", homes, "--json").stdout)
    assert {c["rule"]: c["outcome"] for c in data["checks"]}["home_lift"] == "clear"
    homes.write_text("expert,subject\nE1,\n", encoding="utf-8")
    assert aggregate(MARKS, "--rule", RULE, "--homes", homes).exit_code == 2


def test_agreement_shape() -> None:
    result = agree(MARKS, "--scale", "interval", "--resamples", 100, "--json")
    assert result.exit_code == 0, result.output
    more = {"tau_b", "alpha_interval", "within_one", "raters", "weighted", "sem_mean", "verdict"}
    assert more <= json.loads(result.stdout).keys()
    data = json.loads(result.stdout)
    forms = {"ICC(1,1)", "ICC(A,1)", "ICC(C,1)", "ICC(1,k)", "ICC(A,k)", "ICC(C,k)"}
    assert data["icc"].keys() == forms
    assert all({"value", "low", "high"} <= form.keys() for form in data["icc"].values())
    assert {"nominal", "ordinal", "interval", "ratio"} <= data["alpha"].keys()
    assert {"value", "chi2", "p"} <= data["kendall_w"].keys()
    assert {"n", "k", "fleiss_kappa", "ac1", "ac2_quadratic", "sem"} <= data.keys()
    assert (data["n"], data["k"]) == (4, 7)


def test_tables_for_people() -> None:
    scores = aggregate(MARKS, "--rule", RULE)
    assert scores.exit_code == 0
    assert re.search(r"^1 +C +8\.85 ", scores.stdout, re.MULTILINE)
    assert "41.75 ÷ 5 = 8.35" in scores.stdout
    assert "ICC(A,k)" in agree(MARKS, "--resamples", 0).stdout


@pytest.mark.parametrize("command", ["aggregate", "agree"])
def test_every_sentence_stands_in_both_languages(command: str) -> None:
    made = aggregate(MARKS, "--rule", RULE) if command == "aggregate" else agree(MARKS, "--resamples", 0)  # fmt: skip
    lines = [line for line in made.stdout.splitlines() if line.strip()]
    chinese = [bool(re.search(r"[\u4e00-\u9fff]", line)) for line in lines]
    latin = [bool(re.search(r"[a-z]{3}", line)) for line in lines]
    assert sum(chinese) > 20
    for n, line in enumerate(lines):
        if latin[n] and not chinese[n] and not re.match(r"^\S+( kappa| W)? +-?\d", line):
            assert chinese[n - 1], line  # an English sentence follows its Chinese


BAD: dict[str, tuple[str, int, str]] = {
    "text mark": ("subject,expert,item,mark\nA,E1,X,8\nA,E2,X,good\n", 3, "good"),
    "nan": ("subject,expert,item,mark\nA,E1,X,NaN\n", 2, "NaN"),
    "exponent": ("subject,expert,item,mark\nA,E1,X,1e3\n", 2, "1e3"),
    "duplicate": ("subject,expert,item,mark\nA,E1,X,8\nB,E1,X,8\nA,E1,X,8\n", 4, "line 2"),
    "duplicate of an empty mark": ("subject,expert,mark\nA,E1,\nA,E1,8\n", 3, "line 2"),
    "unknown column": ("subject,expert,itme,mark\nA,E1,X,8\n", 1, "itme"),
    "no mark column": ("subject,expert,item\nA,E1,X\n", 1, "mark"),
    "too few cells": ("subject,expert,item,mark\nA,E1,X,8\nA,E2,8\n", 3, "3 cells"),
    "no subject": ("subject,expert,item,mark\n,E1,X,8\n", 2, "subject"),
    "empty": ("", 1, "column"),
    "header only": ("subject,expert,item,mark\n", 1, "no marks"),
    "open quote": ('subject,expert,item,mark\nA,E1,X,"8\n', 2, "CSV"),
}


@pytest.mark.parametrize("name", BAD)
def test_one_clear_error_with_its_line(name: str, tmp_path: Path) -> None:
    text, line, word = BAD[name]
    path = tmp_path / "marks.csv"
    path.write_text(text, encoding="utf-8")
    for command in (aggregate, agree):
        result = command(path, "--json")
        assert result.exit_code == 2
        assert result.stdout == ""
        assert f"line {line}:" in result.stderr
        assert f"错误: 第 {line} 行:" in result.stderr
        assert word in result.stderr
        assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("estimater: mean\n", "estimater"),
        ("quorum: 5\nquorum: 6\n", "quorum"),
        ("adjust: {Z: '1'}\n", "Z"),
        ("trim: [\n", "line 2"),
        ("- a\n", "mapping"),
        ("modules: {desk: '1'}\n", "modules"),
        ("items: {Y: {weight: '1'}}\n", "X"),
    ],
)
def test_bad_rules(text: str, word: str, tmp_path: Path) -> None:
    path = tmp_path / "rule.yaml"
    path.write_text(text, encoding="utf-8")
    result = aggregate(MARKS, "--rule", path, "--json")
    assert result.exit_code == 2
    assert word in result.stderr


def totals(text: str | bytes, tmp_path: Path, rule: str = "") -> dict[str, Any]:
    path, rule_path = tmp_path / "marks.csv", tmp_path / "rule.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    rule_path.write_text(rule, encoding="utf-8")
    result = aggregate(path, "--rule", rule_path, "--json")
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout)["subjects"])


def test_missing_row_and_empty_mark_are_the_same(tmp_path: Path) -> None:
    head = "subject,expert,item,mark\n"
    full = "".join(f"A,E{n},{item},{7 + n % 2}\n" for n in range(7) for item in "XY")
    empty = totals(head + full.replace("A,E3,Y,8", "A,E3,Y,"), tmp_path)
    missing = totals(head + full.replace("A,E3,Y,8\n", ""), tmp_path)
    assert empty == missing
    assert empty["A"]["stages"]["panel"]["unit"]["present"] == 6


def test_item_that_no_expert_marked_is_a_gap_not_a_shorter_form(tmp_path: Path) -> None:
    rows = "".join(f"A,E{n},X,8\nB,E{n},X,8\nB,E{n},Y,8\n" for n in range(5))
    found = totals("subject,expert,item,mark\n" + rows, tmp_path)
    assert found["A"]["total"] is None
    assert "Y" in found["A"]["steps"][1]["text"]["en"]
    assert found["B"]["total"] == "16.00"


def test_chinese_excel_full_width_digits_and_no_item(tmp_path: Path) -> None:
    rows = "subject,expert,mark\r\n" + "".join(f"神木,专家{n},８.５\r\n" for n in range(5))
    found = totals(rows.encode("gb18030"), tmp_path)
    assert found["神木"]["total"] == "8.50"
    assert list(found["神木"]["items"]) == ["mark"]
    assert totals(b"\xef\xbb\xbf" + rows.encode(), tmp_path) == found


def test_binary_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "marks.csv"
    path.write_bytes(b"PK\x03\x04\0\0\xff\xff")
    result = agree(path)
    assert result.exit_code == 2
    assert "UTF-8" in result.stderr


def test_yaml_numbers_are_what_was_typed(tmp_path: Path) -> None:
    rows = "subject,expert,item,mark\n" + "".join(
        f"007,E{n},SS,5\n007,E{n},TR,6\n" for n in range(5)
    )
    rule = "trim: {unit: item}\nitems: {SS: {weight: 1.6, section: A}, TR: {weight: 0.1, section: A}}\nadjust: {007: -1.00}\n"
    found = totals(rows, tmp_path, rule)
    assert found["007"]["total"] == "7.60"


def test_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    head, *rows = MARKS.read_text(encoding="utf-8").splitlines()
    rule = RULE.read_text(encoding="utf-8")
    one = totals("\n".join([head, *rows]), tmp_path, rule)
    other = totals("\n".join([head, *reversed(rows)]), tmp_path, rule)
    assert one == other
