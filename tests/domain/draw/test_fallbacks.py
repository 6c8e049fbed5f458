"""A committed fallback is read where a public source does not come about; both verifiers check which."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from app.cli.draw import draw_group
from app.domain.draw import (
    Candidate,
    Commitment,
    PanelSpec,
    Source,
    build_commitment,
    derive_key,
    read_transcript,
    select,
    write_transcript,
)
from app.domain.draw.seed import input_material
from app.domain.types import DomainError
from app.verify import verify_transcript
from tests.verifiers.agreement import by_node

BALL, DRAND = (
    Source("ball", "set", 3, 1, 33, "2012135"),
    Source("later", "set", 3, 1, 33, "2012136"),
)
BEACON, DICE = Source("beacon", "sequence", 2, 0, 9, "noon"), Source("dice", "sequence", 3, 1, 6)
PEOPLE = [Candidate(f"E{n}", {}, bytes([n]) * 16) for n in range(1, 7)]
SPARE = {"ball": (DRAND, BEACON)}
VALUES = {"ball": [2, 11, 33], "later": [2, 11, 33], "beacon": [7, 0], "dice": [6, 6, 1]}


def committed(fallbacks: Any = None) -> Commitment:
    return build_commitment(
        kind="real", purpose={"scheme": "t"}, attempt=1, panels=[PanelSpec("P1", 2)],
        roster=PEOPLE, exclusions=[], load_cap=None, replacement="act", sources=[BALL, DICE],
        parties=[], rule_set_hash="", previous_head="", fallbacks=fallbacks,
    )  # fmt: skip


def transcript(commitment: Commitment, *read: str, key: str = "") -> bytes:
    values = {name: VALUES[name] for name in read}
    key = key or derive_key(commitment, values, {})
    result = select(commitment, PEOPLE, [], key)
    return write_transcript(
        commitment=commitment, roster=PEOPLE, exclusions=[], source_values=values, codes={},
        key=key, result=result,
    )  # fmt: skip


def changed(commitment: Commitment, **document: Any) -> Commitment:
    return Commitment({**commitment.document, **document}, commitment.lotteries)


def agreed(*files: bytes) -> list[tuple[str, list[list[str]]]]:
    """(first failing step or "", fallbacks read) of each; the page's script says the same."""
    mine = [verify_transcript(data) for data in files]
    if shutil.which("node"):
        for report, said in zip(mine, by_node([(data, "") for data in files]), strict=True):
            assert (report.ok, report.failed) == (said["ok"], said["step"]), (report.en, said["en"])
            assert not report.ok or report.fallbacks == said["fallbacks"]
    return [(report.failed, report.fallbacks) for report in mine]


def test_without_fallbacks_nothing_changes() -> None:
    plain = committed()
    assert "fallbacks" not in plain.document and plain.fallbacks == {}
    values = {name: VALUES[name] for name in ("ball", "dice")}
    assert input_material([BALL, DICE], values) == b"2.11.33./6.6.1./"
    assert input_material([BALL, DICE], values, SPARE) == b"2.11.33./6.6.1./"


def test_the_seed_says_which_fallback_was_read() -> None:
    spare = {name: VALUES[name] for name in ("later", "dice")}
    assert input_material([BALL, DICE], spare, SPARE) == b"~1:2.11.33./6.6.1./"
    second = {name: VALUES[name] for name in ("beacon", "dice")}
    assert input_material([BALL, DICE], second, SPARE) == b"~2:7.0./6.6.1./"
    made = committed(SPARE)
    assert [row["of"] for row in made.document["fallbacks"]] == ["ball", "ball"]
    assert made.fallbacks == SPARE
    files = [transcript(made, name, "dice") for name in ("ball", "later", "beacon")]
    keys = {read_transcript(data)["result.json"]["key"] for data in files}
    assert len(keys) == 3, "equal numbers of another source are another seed"
    assert agreed(*files) == [
        ("", []), ("", [["ball", "later"]]), ("", [["ball", "beacon"]]),
    ]  # fmt: skip
    said = verify_transcript(files[1]).lines()
    assert "fallback 'later' in place of 'ball': check that it did not come about" in said
    for names in (
        ("ball", "later", "dice"),
        ("dice",),
        ("later", "beacon"),
        ("later", "dice", "x"),
    ):
        with pytest.raises(DomainError, match="exactly those committed"):
            input_material([BALL, DICE], dict.fromkeys(names, [1, 2, 3]), SPARE)


def test_both_verifiers_reject_what_was_not_committed() -> None:
    made, rows = committed(SPARE), committed(SPARE).document["fallbacks"]
    honest = derive_key(made, {n: VALUES[n] for n in ("later", "dice")}, {})
    forged = [
        # The key of one source with the numbers of another.
        (transcript(made, "ball", "dice", key=honest), "key"),
        (transcript(changed(made, fallbacks=[]), "ball", "dice"), "commitment"),
        (
            transcript(changed(made, fallbacks=[{**rows[0], "of": "x"}]), "ball", "dice"),
            "commitment",
        ),
        (transcript(changed(made, fallbacks=[rows[0], rows[0]]), "ball", "dice"), "commitment"),
        (
            transcript(changed(made, fallbacks=[{**rows[0], "low": 33}]), "ball", "dice"),
            "commitment",
        ),
        (transcript(changed(made, fallbacks=[{**rows[0], "more": 1}]), "ball", "dice"), "form"),
    ]
    assert [step for step, _ in agreed(*(data for data, _ in forged))] == [s for _, s in forged]
    unnamed = committed(SPARE), committed({"ball": (BEACON,)})
    swapped = Commitment(unnamed[1].document)
    data = transcript(unnamed[0], "later", "dice")
    files = read_transcript(data)
    assert [n for n, _ in files["seed.json"]["sources"]] == ["later", "dice"]
    with pytest.raises(DomainError, match="exactly those committed"):
        transcript(swapped, "later", "dice")
    with pytest.raises(DomainError, match="which is no source"):
        committed({"other": (DRAND,)})
    with pytest.raises(DomainError, match="must differ"):
        committed({"ball": (DICE,)})


REQUEST = """\
panels:
  - {id: P1, seats: 2}
mode: tickets
sources:
  - {name: 彩票, kind: set, count: 3, range: [1, 33], when: 2012135}
  - {name: dice, kind: sequence, count: 3, range: [1, 6]}
fallbacks:
  - {of: 彩票, name: 次期, kind: set, count: 3, range: [1, 33], when: 2012136}
"""
cli = click.Group(commands={"draw": draw_group})


def call(*args: object, code: int = 0) -> Result:
    result = CliRunner().invoke(cli, ["draw", *map(str, args)])
    assert result.exit_code == code, (args, result.output, result.exception)
    return result


def test_the_command_line_takes_the_committed_fallback(tmp_path: Path) -> None:
    roster, request = tmp_path / "roster.csv", tmp_path / "request.yaml"
    roster.write_text("id\n" + "".join(f"E{n}\n" for n in range(1, 7)), "utf-8")
    for text, said in (
        (REQUEST.replace("of: 彩票", "of: 彩"), "row 8, column 6 (fallbacks.0.of): there is no"),
        (REQUEST.replace("name: 次期", "name: dice"), "row 8, column 14 (fallbacks.0.name)"),
        (
            REQUEST.replace("of: 彩票, ", "off: 彩票, "),
            "row 8, column 6 (fallbacks.0.off): unknown",
        ),
        (REQUEST.replace("2012136}", "2012136}\ndice: 3"), "give dice or sources"),
    ):
        request.write_text(text, "utf-8")
        out = call("commit", roster, request, "-o", tmp_path / "d", code=2)
        assert said in out.stderr, (said, out.stderr)
    request.write_text(REQUEST, "utf-8")
    call("commit", roster, request, "-o", tmp_path / "d")
    dice, ball, later = "dice=1 2 3", "彩票=1 2 3", "次期=1 2 3"
    for given in ((dice,), (dice, ball, later), (ball, later)):
        wrong = [part for value in given for part in ("--source", value)]
        assert "彩票 / 次期, dice" in call("run", tmp_path / "d", *wrong, code=2).stderr
    told = call("run", tmp_path / "d", "--source", later, "--source", dice)
    assert "fallback '次期' in place of '彩票'" in told.stderr
    data = (tmp_path / "d" / "transcript.zip").read_bytes()
    assert agreed(data) == [("", [["彩票", "次期"]])]
