"""Replacement, supplementary draw and order of things over files: what both verifiers accept, and refusals
that name file, row and column."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from app.cli.draw import draw_group
from app.domain.draw import chain, leaf_hash, order_of_things, read_transcript
from app.verify import verify_transcript
from tests.verifiers.agreement import by_node

SECRET, OTHER = bytes([7]) * 32, bytes([8]) * 32
ROSTER = (
    "id,性别,单位\nE1,女,甲\nE2,女,乙\nE3,女,丙\nE4,女,丁\nE5,女,戊\nE6,女,己\nM1,男,庚\nM2,男,辛\n"
)
NEW = ROSTER + "M3,男,壬\nM4,男,癸\nM5,男,子\n"
PANEL = """\
panels:
  - id: 第一组
    seats: 3
    quotas:
      性别: {女: [1, 2], 男: [1, 1]}
pair_limits: {单位: 1}
mode: tickets
dice: 5
accept_high: small_pool
"""


def request(secret: bytes) -> str:
    party = f"  - {{name: office, commitment: {chain(secret, 9).hex()}, index: 9}}\n"
    return PANEL + "parties:\n" + party


cli = click.Group(commands={"draw": draw_group})


def call(*args: object, code: int = 0) -> Result:
    result = CliRunner().invoke(cli, ["draw", *map(str, args)])
    assert result.exit_code == code, (args, result.output, result.exception)
    return result


def put(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def both_accept(*paths: Path) -> None:
    """Python's verifier, and the page's where node is installed."""
    for path in paths:
        report = verify_transcript(path.read_bytes())
        assert report.ok, (path.name, report.en)
    if shutil.which("node"):
        for path, said in zip(paths, by_node([(p.read_bytes(), "") for p in paths]), strict=True):
            assert said["ok"], (path.name, said)


def drawn(tmp: Path) -> Path:
    """A drawn directory with one party and one man on its panel of three."""
    roster, wanted = put(tmp / "roster.csv", ROSTER), put(tmp / "request.yaml", request(SECRET))
    call("commit", roster, wanted, "-o", tmp / "d")
    call("run", tmp / "d", "--dice", "1 6 3 2 2", "--code", f"office={chain(SECRET, 8).hex()}")
    return tmp / "d"


def seated(path: Path) -> list[str]:
    """Who sits after the last act of a transcript, by seat."""
    files = read_transcript(path.read_bytes())
    people = [expert for expert, _ in files["result.json"]["panels"][0]["seats"]]
    for act in files["acts.json"]:
        for _, seat, _, expert, _, _ in act["fills"]:
            people[seat - 1] = expert
    return people


def man(path: Path) -> str:
    return next(e for e in seated(path) if e.startswith("M"))


def removal(tmp: Path, expert: str, panel: str = "第一组") -> Path:
    return put(tmp / "gone.csv", f"panel,id,reason,evidence\n{panel},{expert},health,住院\n")


def vacated(tmp: Path) -> Path:
    """Both men left one after the other, so that one seat stands vacant."""
    made = drawn(tmp)
    for act in (2, 3):
        before = made / ("transcript.zip" if act == 2 else "transcript-2.zip")
        call("replace", made, removal(tmp, man(before)))
        call("replace", made, "--code", f"office={chain(SECRET, 9 - act).hex()}")
    return made


def test_removals_are_fixed_before_any_code(tmp_path: Path) -> None:
    made = drawn(tmp_path)
    gone = man(made / "transcript.zip")
    table, code = removal(tmp_path, gone), f"office={chain(SECRET, 7).hex()}"
    assert "no removals of act 2" in call("replace", made, "--code", code, code=2).stderr
    assert "before any code" in call("replace", made, table, "--code", code, code=2).stderr
    assert not (made / "removals-2.json").exists()
    fixed = call("replace", made, table).stdout
    kept = json.loads((made / "removals-2.json").read_text("utf-8"))
    assert f"removal hash: {leaf_hash(kept['record'])}" in fixed and "office" in fixed
    assert stat.S_IMODE((made / "removals-2.json").stat().st_mode) == 0o600
    assert "住院" not in json.dumps(kept["record"], ensure_ascii=False)
    opening = {k: kept["evidence"][0][k] for k in ("evidence", "nonce")}
    assert kept["record"]["removals"][0]["evidence"] == leaf_hash(opening)
    assert not (made / "transcript-2.zip").exists()
    assert "are fixed in" in call("replace", made, table, code=2).stderr
    stale = f"office={chain(SECRET, 8).hex()}"
    assert "does not match" in call("replace", made, "--code", stale, code=2).stderr
    other = "M2" if gone == "M1" else "M1"
    told = call("replace", made, "--code", code).stdout
    assert f"{gone} -> {other} (type)" in told and "unwitnessed" in told
    assert (
        man(made / "transcript-2.zip") == other and len(set(seated(made / "transcript.zip"))) == 3
    )
    both_accept(made / "transcript.zip", made / "transcript-2.zip")


def test_without_parties_one_step_fills(tmp_path: Path) -> None:
    roster = put(tmp_path / "roster.csv", ROSTER)
    wanted = put(tmp_path / "request.yaml", PANEL + "replacement: reserves\n")
    call("commit", roster, wanted, "-o", tmp_path / "d", "--drill")
    call("run", tmp_path / "d", "--dice", "1 6 3 2 2")
    first = seated(tmp_path / "d" / "transcript.zip")
    told = call("replace", tmp_path / "d", removal(tmp_path, first[0])).stdout
    assert f"第一组 seat 1: {first[0]} -> " in told
    after = seated(tmp_path / "d" / "transcript-2.zip")
    assert after[1:] == first[1:] and after[0] not in first
    both_accept(tmp_path / "d" / "transcript-2.zip")


def test_a_removal_out_of_shape_names_its_place(tmp_path: Path) -> None:
    made = drawn(tmp_path)
    sits, out = seated(made / "transcript.zip")[0], "E9"
    head = "panel,id,reason,evidence\n"
    for text, place, what in (
        (f"{head}第二组,{sits},health,x\n", "row 2, column 'panel'", "no panel '第二组'"),
        (f"{head}第一组,{out},health,x\n", "row 2, column 'id'", "holds no seat"),
        (
            f"{head}第一组,{sits},health,x\n\n第一组,{sits},health,x\n",
            "row 4, column 'id'",
            "row 2",
        ),
        (f"{head}第一组,{sits},health,\n", "row 2, column 'evidence'", "missing"),
        (f"{head}第一组,{sits},health,x,y\n", "row 2, column '-'", "too many"),
        (f"panel,id,why,evidence\n第一组,{sits},a,x\n", "row 1, column 'why'", "exactly"),
        ("panel,id,reason\n", "row 1, column 'evidence'", "this column is missing"),
        (head, "row 2, column 'panel'", "no rows"),
        ("", "row 1, column 'panel'", "empty"),
    ):
        said = call("replace", made, put(tmp_path / "gone.csv", text), code=2).stderr
        assert "gone.csv, " + place in said and what in said, said
        assert "gone.csv 第 " in said and "错误" in said
    assert sorted(p.name for p in made.glob("*-2*")) == []


def test_a_vacancy_is_drawn_for_once_from_an_enlarged_roster(tmp_path: Path) -> None:
    made = vacated(tmp_path)
    third = made / "transcript-3.zip"
    assert seated(third).count("") == 1
    place = seated(third).index("") + 1
    roster, wanted = put(tmp_path / "new.csv", NEW), put(tmp_path / "again.yaml", request(OTHER))
    # What does not fit the first draw is refused, with its place.
    for text, what in (
        (request(SECRET), "again.yaml: the chain of 'office' belongs to the first draw"),
        (
            request(OTHER).replace("女: [1, 2]", "女: [0, 2]"),
            "row 2, column 5 (panel '第一组'): quotas",
        ),
        (request(OTHER).replace("第一组", "第二组"), "row 1, column 1 (panel '第一组'): the panel"),
    ):
        put(wanted, text)
        assert what in call("supplement", made, roster, wanted, "-o", tmp_path / "s", code=2).stderr
    put(wanted, request(OTHER))
    member = next(e for e in seated(third) if e)
    rows = [row for row in NEW.splitlines() if not row.startswith(member + ",")]
    put(roster, "\n".join(rows) + "\n")
    said = call("supplement", made, roster, wanted, "-o", tmp_path / "s", code=2).stderr
    assert (
        f"new.csv, column 'id': the standing member {member} of panel '第一组' is missing" in said
    )
    put(roster, NEW)
    assert not (tmp_path / "s").exists()
    told = call("supplement", made, roster, wanted, "-o", tmp_path / "s").stdout
    assert f"第一组: vacant seats {place}" in told
    again = call("supplement", made, roster, wanted, "-o", tmp_path / "t", code=2).stderr
    assert "have their supplementary draw" in again and not (tmp_path / "t").exists()
    call("run", tmp_path / "s", "--dice", "2 2 2 2 2", "--code", f"office={chain(OTHER, 8).hex()}")
    both_accept(third, tmp_path / "s" / "transcript.zip")
    files = read_transcript((tmp_path / "s" / "transcript.zip").read_bytes())
    purpose = files["commitment.json"]["purpose"]
    first = read_transcript(third.read_bytes())["commitment.json"]
    panel = files["commitment.json"]["panels"][0]
    assert purpose["supplement_of"] == leaf_hash(first)
    assert purpose["seats"] == f"{panel['id']}-{place}" and panel["seats"] == 1
    assert sorted(row[2:] for row in panel["quotas"]) == [[0, 0], [1, 1]]
    assert seated(tmp_path / "s" / "transcript.zip")[0] in {"M3", "M4", "M5"}
    kept_out = {row["expert"] for row in files["exclusions.json"] if row["rule"] == "D-09"}
    assert kept_out == {"M1", "M2", *(e for e in seated(third) if e)}


def test_nothing_vacant_and_open_acts_have_no_supplement(tmp_path: Path) -> None:
    made = drawn(tmp_path)
    roster, wanted = put(tmp_path / "new.csv", NEW), put(tmp_path / "again.yaml", request(OTHER))
    told = call("supplement", made, roster, wanted, "-o", tmp_path / "s", code=2)
    assert "no seat of" in told.stderr
    call("replace", made, removal(tmp_path, man(made / "transcript.zip")))
    told = call("supplement", made, roster, wanted, "-o", tmp_path / "s", code=2)
    assert "act 2 of" in told.stderr and not (tmp_path / "s").exists()
    (made / "removals-2.json").write_text("{}")
    code = f"office={chain(SECRET, 7).hex()}"
    assert "is damaged" in call("replace", made, "--code", code, code=2).stderr


def test_an_order_of_things(tmp_path: Path) -> None:
    names = ["610822 府谷县", "610823 横山县", "610824 靖边县", "P01"]
    things = put(tmp_path / "things.csv", "name\n" + "\n".join(names) + "\n")
    plan = put(tmp_path / "seed.yaml", "dice: 3\n")
    call("order", things, plan, "-o", tmp_path / "o", "--stage", "order-counties")
    told = call("run", tmp_path / "o", "--dice", "1 2 3").stdout.splitlines()
    order = [line.split("\t")[1] for line in told if "\t" in line]
    files = read_transcript((tmp_path / "o" / "transcript.zip").read_bytes())
    words = dict(files["labels.json"])
    key = files["result.json"]["key"]
    assert order == [words[c] for c in order_of_things(key, "order-counties", list(words))]
    assert sorted(order) == sorted(names)
    both_accept(tmp_path / "o" / "transcript.zip")
    gone = removal(tmp_path, "x")
    assert "no replacement acts" in call("replace", tmp_path / "o", gone, code=2).stderr
    sample = ["order", things, plan, "-o", tmp_path / "p", "--stage", "order-cases", "--count"]
    assert "2 of 4 things" in call(*sample, 2, "--drill").stdout
    call("run", tmp_path / "p", "--dice", "1 2 3")
    assert len(seated(tmp_path / "p" / "transcript.zip")) == 2


@pytest.mark.parametrize(
    ("things", "plan", "said"),
    [
        ("name\n甲\n乙\n甲\n", "", "things.csv, row 4, column 'name': '甲' repeats row 2"),
        ("name\n甲\n", "", "things.csv, row 2, column 'name': fewer than two"),
        ("title\n甲\n乙\n", "", "things.csv, row 1, column 'title'"),
        ("name\n甲\n乙\n", "seats: 2\n", "seed.yaml, row 1, column 1 (seats): unknown key"),
        ("name\n甲\n乙\n", "dice: no\n", "seed.yaml, row 1, column 1 (dice)"),
    ],
)
def test_a_list_out_of_shape_names_its_place(
    tmp_path: Path, things: str, plan: str, said: str
) -> None:
    where = put(tmp_path / "things.csv", things), put(tmp_path / "seed.yaml", plan)
    told = call("order", *where, "-o", tmp_path / "o", "--stage", "tie", code=2)
    assert said in told.stderr and not (tmp_path / "o").exists()
