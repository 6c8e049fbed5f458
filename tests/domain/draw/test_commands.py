"""The headless commands: shapes, refusals that name file, row and column, and one draw only."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from app.cli.draw import Progress, draw_group, verify_command
from app.domain.draw import chain

VECTORS = Path(__file__).parents[2] / "vectors" / "draw"
ROSTER = "id,性别,单位\nE1,女,甲\nE2,女,乙\nE3,男,丙\nE4,男,丁\nE5,男,甲\nE6,女,戊\n"
REQUEST = """\
panels:
  - id: 第一组
    seats: 3
    quotas:
      性别: {女: [1, 2], 男: [1, 2]}
    exclude:
      - {id: E6, rule: 同单位, evidence: 登记表}
mode: tickets
pair_limits: {单位: 1}
dice: 5
accept_high: small_pool
"""
cli = click.Group(commands={"draw": draw_group, "verify": verify_command})


def call(*args: object, code: int = 0) -> Result:
    result = CliRunner().invoke(cli, [str(a) for a in args])
    assert result.exit_code == code, (args, result.output, result.exception)
    return result


def files(tmp: Path, roster: str = ROSTER, request: str = REQUEST) -> tuple[Path, Path]:
    (tmp / "roster.csv").write_text(roster, "utf-8")
    (tmp / "request.yaml").write_text(request, "utf-8")
    return tmp / "roster.csv", tmp / "request.yaml"


def test_published_example() -> None:
    out = json.loads(
        call("draw", "fairness", VECTORS / "roster.csv", VECTORS / "request.yaml", "--json").stdout
    )
    assert out["feasible"] and out["certified"] and out["pool"] == 200 and out["seats"] == 20
    assert abs(out["min"] - 0.1) < 1e-9 and abs(out["max"] - 0.1) < 1e-9
    assert abs(out["gini"]) < 1e-9 and len(out["probabilities"]) == 200


def test_whole_way_with_chinese_values(tmp_path: Path) -> None:
    roster, request = files(tmp_path)
    out = tmp_path / "draw"
    done = call("draw", "commit", roster, request, "-o", out)
    digest = done.stdout.splitlines()[0]
    assert "unwitnessed" in done.stdout and len(digest) == 64
    assert stat.S_IMODE((out / "roster.json").stat().st_mode) == 0o600
    assert "女" not in (out / "commitment.json").read_text("utf-8")
    drawn = call("draw", "run", out, "--dice", "1 6 3 2 2")
    assert "unwitnessed" in drawn.stdout
    checked = call("verify", out / "transcript.zip", "--head", digest)
    assert "verified" in checked.stdout and "not anchored" in checked.stdout
    call("draw", "run", out, "--dice", "1 6 3 2 2", code=2)
    call("draw", "run", out, "--dice", "1 1 1 1 1", code=2)
    call("verify", out / "transcript.zip", "--head", "f" * 64, code=1)
    assert json.loads(call("verify", out / "transcript.zip", "--json").stdout)["kind"] == "real"
    call("draw", "commit", roster, request, "-o", out, code=2)


def test_a_drill_says_so(tmp_path: Path) -> None:
    roster, request = files(tmp_path)
    call("draw", "commit", roster, request, "-o", tmp_path / "d", "--drill")
    assert "drill" in call("draw", "run", tmp_path / "d", "--dice", "1 1 1 1 1").stdout
    assert "drill" in call("verify", tmp_path / "d" / "transcript.zip").stdout


def test_fresh_salts_make_fresh_commitments(tmp_path: Path) -> None:
    roster, request = files(tmp_path)
    hashes = {
        call("draw", "commit", roster, request, "-o", tmp_path / n).stdout.split()[0] for n in "ab"
    }
    assert len(hashes) == 2


def test_parties_and_sources(tmp_path: Path) -> None:
    secret = bytes([9]) * 32
    extra = (
        "sources:\n  - {name: 彩票, kind: set, count: 3, range: [1, 33], when: '2026-01-01'}\n"
        "  - {name: dice, kind: sequence, count: 2, range: [1, 6]}\n"
        f"parties:\n  - {{name: office, commitment: {chain(secret, 32).hex()}, index: 32}}\n"
    )
    roster, request = files(tmp_path, request=REQUEST.replace("dice: 5\n", extra))
    call("draw", "commit", roster, request, "-o", tmp_path / "d")
    seed = ["--source", "彩票=33 2 11", "--source", "dice=6 6"]
    call("draw", "run", tmp_path / "d", *seed, code=2)
    call(
        "draw", "run", tmp_path / "d", *seed, "--code", f"office={chain(secret, 30).hex()}", code=2
    )
    call("draw", "run", tmp_path / "d", "--dice", "1 1", code=2)
    call("draw", "run", tmp_path / "d", *seed, "--code", f"office={chain(secret, 31).hex()}")
    call("verify", tmp_path / "d" / "transcript.zip")


@pytest.mark.parametrize("dice", ["1 2 3 4", "1 2 3 4 5 6", "1 2 3 4 7", "1 2 3 4 x", ""])
def test_wrong_dice_draw_nothing(tmp_path: Path, dice: str) -> None:
    roster, request = files(tmp_path)
    call("draw", "commit", roster, request, "-o", tmp_path / "d")
    call("draw", "run", tmp_path / "d", "--dice", dice, code=2)
    assert not (tmp_path / "d" / "transcript.zip").exists()


@pytest.mark.parametrize("name", ["roster", "exclusions", "lotteries", "commitment"])
def test_an_edited_directory_draws_nothing(tmp_path: Path, name: str) -> None:
    roster, request = files(
        tmp_path, request=REQUEST.replace("tickets", "lottery").replace("dice: 5", "dice: 5")
    )
    call("draw", "commit", roster, request, "-o", tmp_path / "d")
    path = tmp_path / "d" / f"{name}.json"
    text = path.read_text("utf-8")
    if name == "commitment":
        path.write_text(text.replace('"roster_root":"', '"roster_root":"0'), "utf-8")
    else:
        path.write_text(text.replace("E", "F", 1) if name != "lotteries" else "[]", "utf-8")
    call("draw", "run", tmp_path / "d", "--dice", "1 2 3 4 5", code=2)
    assert not (tmp_path / "d" / "transcript.zip").exists()


@pytest.mark.parametrize(
    ("roster", "row", "column"),
    [
        (ROSTER.replace("E3,男", "E2,男"), "row 4", "'id'"),
        (ROSTER.replace("E3,男,丙", "E3,,丙"), "row 4", "'性别'"),
        (ROSTER.replace("E3,男,丙", "E3,男"), "row 4", "'单位'"),
        (ROSTER.replace("id,", "name,"), "row 1", "'name'"),
        (ROSTER.replace("单位", "性别"), "row 1", "'性别'"),
        (ROSTER.replace("E4,男", "E4,未知"), "row 5", "'性别'"),
        (ROSTER.replace("E4", "E 4"), "row 5", "'id'"),
        ("id,性别,单位\n", "row 2", "'id'"),
        ("", "row 1", "'id'"),
    ],
)
def test_roster_errors_name_row_and_column(
    tmp_path: Path, roster: str, row: str, column: str
) -> None:
    paths = files(tmp_path, roster=roster)
    for command in (("commit", "-o", tmp_path / "d"), ("fairness",)):
        error = call("draw", command[0], *paths, *command[1:], code=2).stderr
        assert "错误:" in error and f"error: roster.csv, {row}, column {column}" in error, error
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("seats: 3", "seat: 3", "row 3, column 5"),
        ("seats: 3", "seats: three", "row 3, column 5"),
        ("seats: 3", "seats: 0", "row 3, column 5"),
        ("女: [1, 2]", "女: [2, 1]", "row 5, column 12"),
        ("女: [1, 2]", "女: [3, 3]", "row 5, column 7"),
        ("女: [1, 2]", "女: [1]", "row 5, column 12"),
        ("女: [1, 2], 男: [1, 2]", "女: [0, 1], 男: [0, 1]", "row 5, column 7"),
        ("性别: {", "年龄: {", "row 5, column 7"),
        ("id: E6", "id: E9", "row 7, column 10"),
        ("rule: 同单位, ", "", "row 7, column 9"),
        ("mode: tickets", "mode: fair", "row 8, column 1"),
        ("dice: 5", "dices: 5", "row 10, column 1"),
        ("dice: 5", "dice: 5\ndice: 6", "row 11, column 1"),
        ("dice: 5", "load_cap: 0", "row 10, column 1"),
        ("dice: 5", "replacement: maybe", "row 10, column 1"),
        ("dice: 5", "dice: [", "row "),
        ("pair_limits: {单位: 1}", "pair_limits: {部门: 1}", "row 9, column 15"),
    ],
)
def test_request_errors_name_row_and_column(tmp_path: Path, old: str, new: str, where: str) -> None:
    assert REQUEST.count(old) == 1
    paths = files(tmp_path, request=REQUEST.replace(old, new))
    error = call("draw", "commit", *paths, "-o", tmp_path / "d", code=2).stderr
    assert "错误:" in error and f"error: request.yaml, {where}" in error, error
    assert not (tmp_path / "d").exists()


TWO = """\
panels:
  - id: 甲组
    seats: 2
    dates: [2012-11-19]
    quotas:
      性别: {女: [1, 1], 男: [1, 1]}
  - id: 乙组
    seats: 2
    dates: [2012-11-20]
    quotas:
      单位: {甲: [0, 2], 乙: [0, 1], 丙: [0, 1], 丁: [0, 1], 戊: [0, 0]}
mode: tickets
"""


def test_quotas_are_of_each_panel_and_an_error_names_it(tmp_path: Path) -> None:
    out = json.loads(call("draw", "fairness", *files(tmp_path, request=TWO), "--json").stdout)
    assert out["feasible"] and out["probabilities"]["E1"] > 0 and out["probabilities"]["E6"] > 0
    for old, new, where in (
        (
            "甲: [0, 2]",
            "甲: [0, 3, 4]",
            "row 11, column 12 (panels.1.quotas.单位.甲, panel '乙组')",
        ),
        ("甲: [0, 2]", "甲: [3, 3]", "row 11, column 7 (panels.1.quotas.单位, panel '乙组')"),
        (
            "      性别: {女",
            "      年龄: {女",
            "row 6, column 7 (panels.0.quotas.年龄, panel '甲组')",
        ),
        ("id: 乙组", "id: 甲组", "row 7, column 5 (panels.1.id, panel '甲组')"),
    ):
        assert TWO.count(old) == 1
        paths = files(tmp_path, request=TWO.replace(old, new))
        error = call("draw", "fairness", *paths, code=2).stderr
        assert f"error: request.yaml, {where}: " in error, error
        assert "评审组“" in error
    paths = files(tmp_path, request=TWO.replace(", 戊: [0, 0]", ""))
    error = call("draw", "fairness", *paths, code=2).stderr
    assert (
        "roster.csv, row 7, column '单位': value '戊' has no quota in request.yaml, panel '乙组'"
        in error
    )


def test_progress_goes_to_stderr_and_pairs_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Progress, "every", 0.0)
    lottery = REQUEST.replace("mode: tickets", "mode: lottery").replace("dice: 5\n", "")
    roster, request = files(tmp_path, request=lottery)
    done = call("draw", "fairness", roster, request, "--json")
    out = json.loads(done.stdout)  # nothing but the answer
    assert out["method"] == "lottery (exact)"
    lines = [line for line in done.stderr.splitlines() if line.startswith("[")]
    assert lines[0].startswith("[  0%] lottery of panel 第一组: ")
    assert lines[-1] == "[100%] lottery of panel 第一组: the lottery table is ready"
    pairs = out["pairs"]
    assert {p["together"] > p["independent"] for p in pairs} == {True, False}
    assert all(p["panel"] == pairs[0]["panel"] for p in pairs)
    assert not any("E6" in p["one_of"] + p["and_one_of"] for p in pairs)  # excluded
    distance = [abs(p["together"] - p["independent"]) for p in pairs]
    assert distance == pytest.approx(sorted(distance, reverse=True)) and len(pairs) <= 20
    plain = call("draw", "fairness", roster, request).stdout
    assert "furthest from being drawn independently" in plain
    committed = call("draw", "commit", roster, request, "-o", tmp_path / "d")
    assert "the lottery table is ready" in committed.stderr and "%" not in committed.stdout
    tickets = files(tmp_path, request=REQUEST)
    asked = call("draw", "fairness", *tickets, "--json")
    assert json.loads(asked.stdout)["pairs"] == []
    assert "[100%] drawing with drill keys" in asked.stderr


def test_infeasible_request_is_refused_with_its_relaxation(tmp_path: Path) -> None:
    roster, request = files(
        tmp_path, request=REQUEST.replace("女: [1, 2]", "女: [1, 2]").replace("id: E6", "id: E1")
    )
    text = request.read_text("utf-8").replace("女: [1, 2], 男: [1, 2]", "女: [3, 3], 男: [0, 0]")
    request.write_text(text, "utf-8")
    error = call("draw", "commit", roster, request, "-o", tmp_path / "d", code=2).stderr
    assert "minimum of 性别 = 女 from 3 to 2" in error and "roster.csv" in error
    assert not (tmp_path / "d").exists()
    out = json.loads(call("draw", "fairness", roster, request, "--json").stdout)
    assert out["feasible"] is False and out["min"] is None and out["relaxations"]


def test_a_guard_that_refuses_is_refused_unless_the_request_names_it(tmp_path: Path) -> None:
    plain = REQUEST.replace("accept_high: small_pool\n", "")
    roster, request = files(tmp_path, request=plain)
    out = tmp_path / "d"
    refused = call("draw", "commit", roster, request, "-o", out, code=2).stderr
    assert "机会高于一半" in refused and "nothing was committed" in refused
    assert "a chance above one half" in refused and "accept_high" in refused
    assert not out.exists()
    roster, request = files(tmp_path, request=plain + "accept_high: because\n")
    wrong = call("draw", "commit", roster, request, "-o", out, code=2).stderr
    assert "row 11" in wrong and "small_pool, rare_specialty, legal_requirement" in wrong
    roster, request = files(tmp_path)
    done = call("draw", "commit", roster, request, "-o", out)
    assert "a chance above one half" in done.stderr and "(accepted: small_pool)" in done.stderr


def test_too_few_places_for_a_batch_is_no_exception(tmp_path: Path) -> None:
    panel = (
        "  - {{id: {0}, seats: 3, quotas: {{性别: {{女: [2, 3], 男: [0, 1]}}}}, dates: [d{0}]}}\n"
    )
    request = "panels:\n" + panel.format("a") + panel.format("b") + "load_cap: 2\ndice: 5\n"
    paths = files(tmp_path, request=request + "accept_high: small_pool\naccept_zero: not_needed\n")
    refused = call("draw", "commit", *paths, "-o", tmp_path / "d", code=2).stderr
    assert "below 2 per seat" in refused and "不足 2 倍" in refused and "女" in refused
    assert not (tmp_path / "d").exists()


def test_gb18030_and_byte_order_mark(tmp_path: Path) -> None:
    roster, request = files(tmp_path)
    want = call("draw", "fairness", roster, request, "--json").stdout
    for data in (ROSTER.encode("gb18030"), b"\xef\xbb\xbf" + ROSTER.encode()):
        roster.write_bytes(data)
        got = json.loads(call("draw", "fairness", roster, request, "--json").stdout)
        assert got["probabilities"] == json.loads(want)["probabilities"]


def test_missing_files_are_said_so(tmp_path: Path) -> None:
    _, request = files(tmp_path)
    assert "cannot be read" in call("draw", "fairness", tmp_path / "no.csv", request, code=2).stderr
    call("draw", "run", tmp_path / "none", "--dice", "1", code=2)
    call("verify", tmp_path / "none.zip", code=1)
