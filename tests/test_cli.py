"""The `mingjian` command as a user meets it: its own process, from another directory."""

from __future__ import annotations

import gc
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select, text

from app.accounts.models import Invitation
from app.cli import COMMANDS, main
from app.db import Database
from app.registry.columns import template_table
from tests.places import blank_database, bytes_under

ROOT = Path(__file__).parents[1]
VECTORS = Path(__file__).parent / "vectors"
HEAD = re.compile(r"mj1:\d+:[0-9a-f]{64}")


def forked(
    arguments: list[str], directory: Path, env: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """`mingjian` in a process of its own with its own directory and environment. Forked, because a
    new interpreter spends most of its time on the imports that this one has behind it
    (test_help_names_every_command and tests/test_install.py start the command for good)."""
    with tempfile.TemporaryFile("w+b") as out, tempfile.TemporaryFile("w+b") as err:
        child = os.fork()
        if child == 0:
            gc.freeze()  # nothing of the parent is finalised in the child
            code = 70
            try:
                os.dup2(out.fileno(), 1)
                os.dup2(err.fileno(), 2)
                sys.stdin = io.StringIO()
                sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), "utf-8")
                sys.stderr = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), "utf-8")
                os.environ.clear()
                os.environ.update(env)
                os.chdir(directory)
                sys.argv = ["mingjian", *arguments]
                main()
                code = 0
            except SystemExit as stop:
                code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
            except BaseException:
                traceback.print_exc()
            finally:
                with suppress(Exception):
                    sys.stdout.flush()
                    sys.stderr.flush()
                os._exit(code)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(
            arguments, status, out.read().decode(), err.read().decode()
        )


class Shell:
    """Runs `mingjian` in a directory of its own, against one database."""

    def __init__(self, directory: Path, url: str | None) -> None:
        self.directory, self.url = directory, url
        self.home = directory / "home"

    def __call__(
        self, *arguments: object, code: int = 0, home: Path | None = None, **env: str
    ) -> subprocess.CompletedProcess[str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("MINGJIAN")}
        clean |= {"PYTHONPATH": str(ROOT), "MINGJIAN_HOME": str(home or self.home)} | env
        clean.pop("DATABASE_URL", None)
        if self.url and home is None:
            clean["DATABASE_URL"] = self.url
        done = forked([str(argument) for argument in arguments], self.directory, clean)
        assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    @property
    def database(self) -> Database:
        return Database(self.url or f"sqlite:///{self.home / 'mingjian.db'}")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, pg_server: str | None) -> Iterator[Shell]:
    """An installation after `init` and one `user add`; read-only for the tests."""
    directory = tmp_path_factory.mktemp("cli")
    with blank_database(pg_server, directory) as url:
        shell = Shell(directory, url if pg_server else None)
        shell.first = shell("init").stdout  # type: ignore[attr-defined]
        add = ("user", "add", "--role", "keeper", "--name", "测试库一", "--login", "keeper1")
        shell.added = shell(*add, "--password", "a long pass phrase here").stdout  # type: ignore[attr-defined]
        yield shell


@pytest.fixture
def bare(tmp_path: Path) -> Shell:
    """A directory without any installation."""
    return Shell(tmp_path, None)


@pytest.fixture
def tampered(made: Shell, tmp_path: Path, pg_server: str | None) -> Shell:
    """A copy of the installation, on SQLite, to be damaged."""
    if pg_server is not None:
        pytest.skip("the copy is a file")
    shutil.copytree(made.home, tmp_path / "home")
    return Shell(tmp_path, None)


def sql(shell: Shell, statement: str) -> None:
    engine = create_engine(f"sqlite:///{shell.home / 'mingjian.db'}")
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """One line on stderr, both languages, nothing on stdout."""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1 and done.stdout == "", (done.stdout, done.stderr)
    assert re.fullmatch(r"错误: .*[\u4e00-\u9fff].* / error: [^\u4e00-\u9fff]*", lines[0]), lines
    return lines[0]


# ---------- start-up


def test_help_names_every_command_and_imports_nothing_heavy(bare: Shell) -> None:
    said = bare("--help").stdout
    for name, (_, _, line) in COMMANDS.items():
        assert re.search(rf"^  {name} ", said, re.M), name
        assert line.split(".")[0].split()[0] in said
    assert bare("--version").stdout.startswith("mingjian, version ")
    watch = (
        "import sys\nfrom app.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = ('flask', 'numpy', 'scipy', 'typst', 'sqlalchemy', 'openpyxl', 'cryptography')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", watch], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(bare: Shell, name: str) -> None:
    said = bare(name, "--help").stdout
    assert said.startswith("Usage: mingjian " + name) and len(said.splitlines()) > 3
    assert list(bare.directory.iterdir()) == []


def test_an_unknown_command_is_refused(bare: Shell) -> None:
    assert "No such command" in bare("draws", code=2).stderr


# ---------- init, user


def test_init_prints_a_one_time_link_valid_for_an_hour(made: Shell) -> None:
    said = made.first  # type: ignore[attr-defined]
    (token,) = re.findall(r"http://127\.0\.0\.1:8000/join/(\S+)", said)
    assert "one hour" in said and len(token) >= 40
    database = made.database
    with database.read() as session:
        link = session.scalars(select(Invitation)).one()
        assert (link.purpose, link.role, link.used_at) == ("signup", "admin", None)
        assert link.expires_at - link.created_at == timedelta(hours=1)
        assert token not in link.token_hash
    database.dispose()
    for key in (made.home / "keys").iterdir():
        assert key.stat().st_mode & 0o777 == 0o600


def test_a_second_init_says_so_and_changes_nothing(made: Shell) -> None:
    assert "added keeper1 (keeper)" in made.added  # type: ignore[attr-defined]
    keys = bytes_under(made.home / "keys")
    head = made("ledger", "verify", "--json").stdout
    said = made("init").stdout
    assert "accounts exist already" in said and "/join/" not in said
    assert bytes_under(made.home / "keys") == keys
    assert made("ledger", "verify", "--json").stdout == head


def test_a_user_without_a_password_gets_a_link_and_a_bad_one_is_refused(tampered: Shell) -> None:
    add = ("user", "add", "--name", "测试办一", "--role", "office", "--login")
    said = tampered(*add, "office1").stdout
    assert "added office1 (office)" in said and "/join/" in said
    line = refused(tampered(*add, "OFFICE 1", code=2))
    assert "No account was created" in line
    assert "office1" in refused(tampered(*add, "office1", code=2))
    assert refused(tampered(*add, "office2", "--password", "short", code=2))
    wrong = ("user", "add", "--name", "x", "--role", "king", "--login", "king1")
    assert "no role king" in refused(tampered(*wrong, code=2))
    assert json.loads(tampered("ledger", "verify", "--json").stdout)["ok"] is True


@pytest.mark.parametrize(
    "arguments",
    [("ledger", "verify"), ("ledger", "checkpoint"), ("doctor",), ("serve",), ("backup", "x.mjb")],
    ids=" ".join,
)
def test_without_an_installation_each_command_says_what_to_run(
    bare: Shell, arguments: tuple[str, ...]
) -> None:
    assert "mingjian init" in refused(bare(*arguments, code=2))
    assert list(bare.directory.iterdir()) == []


def test_a_database_out_of_reach_is_one_clear_line(made: Shell, tampered: Shell) -> None:
    tampered.url = "postgresql://nobody@127.0.0.1:9/none"
    assert "cannot be opened" in refused(tampered("doctor", code=2))


# ---------- ledger


def test_ledger_verify_and_checkpoint(made: Shell) -> None:
    said = made("ledger", "verify").stdout
    assert said.rstrip().endswith("核验通过\nverified") and "NOT" not in said
    (head,) = HEAD.findall(said)
    report = json.loads(made("ledger", "verify", "--json").stdout)
    assert report["ok"] and report["head"] == head and report["rows"] > 2800
    assert report["faults"] == [] and report["events"] == int(head.split(":")[1])
    printed = made("ledger", "checkpoint", "--reason", "test").stdout
    assert printed.startswith("mingjian\n") and printed.rstrip().endswith(head)
    paper = made.directory / "head.txt"
    paper.write_text(printed)
    for form in (head, paper, printed):
        made("ledger", "verify", "--head", form)
    other = "mj1:1:" + "0" * 64
    done = made("ledger", "verify", "--head", other, code=1)
    assert "printed head at 1" in done.stderr and "纸面账本头" in done.stderr
    assert "mj1:SIZE" in refused(made("ledger", "verify", "--head", "mj1:x", code=2))


def test_a_tampered_database_fails_and_the_row_is_named(tampered: Shell) -> None:
    sql(tampered, "UPDATE person SET name = '改' WHERE name = '测试库一'")
    done = tampered("ledger", "verify", code=1)
    assert re.search(r"error: person [0-9a-f]{16}: differs from ledger entry \d+", done.stderr)
    assert re.search(r"错误: person [0-9a-f]{16}：与账本第 \d+ 条不符", done.stderr)
    assert "NOT verified" in done.stdout
    sick = tampered("doctor", code=1).stdout
    assert "BROKEN the ledger verifies and covers every row" in sick and "1 broken" in sick
    assert "1 项核对未通过" in sick and "核验未通过" in done.stdout


def test_doctor_names_each_invariant(made: Shell) -> None:
    said = made("doctor").stdout.splitlines()
    assert said[-2:] == ["所有核对均通过", "all invariants hold"]
    assert len(said) > 20 and all(line.startswith("ok     ") for line in said[:-2])
    assert len(set(said)) == len(said)


# ---------- backup, restore


def test_backup_and_restore_elsewhere(made: Shell, tmp_path: Path) -> None:
    file = tmp_path / "one.mjb"
    (head,) = HEAD.findall(made("backup", file).stdout)
    assert "was not overwritten" in refused(made("backup", file, code=2))
    second = tmp_path / "second"
    done = made("restore", file, "--keys", made.home / "keys", home=second)
    assert head in done.stdout and done.stderr == ""
    report = json.loads(made("ledger", "verify", "--json", home=second).stdout)
    assert report["ok"] and report["head"] == head
    assert "not empty" in refused(made("restore", file, code=2, home=second))
    third = tmp_path / "third"
    warned = made("restore", file, home=third).stderr
    assert "cannot be decrypted" in warned and str(third / "keys") in warned
    file.write_bytes(file.read_bytes()[:-1])
    fourth = tmp_path / "fourth"
    assert "damaged" in refused(made("restore", file, code=2, home=fourth))
    assert not fourth.exists()


# ---------- import


def _csv(path: Path, rows: list[list[str]]) -> Path:
    path.write_text("\n".join(",".join(row) for row in rows) + "\n", encoding="utf-8")
    return path


def test_import_of_experts_dry_run_then_all_or_nothing(tampered: Shell) -> None:
    heads, rows = template_table()
    rows = [[cell.replace(",", "，") for cell in row] for row in rows]
    left_in = _csv(tampered.directory / "examples.csv", [heads, *rows])
    examples = tampered("import", "experts", "--new-employers", left_in, code=1)
    assert examples.stderr.count("this is the template's example") == len(rows)
    rows = [[f"测试{row[0]}", *row[1:-1], "备注"] for row in rows]
    file = _csv(tampered.directory / "experts.csv", [heads, *rows])
    before = json.loads(tampered("ledger", "verify", "--json").stdout)
    dry = tampered("import", "experts", "--dry-run", "--new-employers", file)
    assert f"{len(rows)} would be imported; nothing was written" in dry.stdout
    assert json.loads(tampered("ledger", "verify", "--json").stdout) == before
    unknown = tampered("import", "experts", file, code=1)
    assert "employer not known yet" in unknown.stderr and "--new-employers" in unknown.stderr
    bad = [list(row) for row in rows]
    bad[1][heads.index("出生日期") if "出生日期" in heads else -2] = "1970-13-45"
    broken = tampered("import", "experts", "--new-employers", _csv(file.with_name("bad.csv"), [heads, *bad]), code=1)  # fmt: skip
    assert "row 3, " in broken.stderr and "Nobody was imported" in broken.stderr
    assert "第 3 行，" in broken.stderr and "错误: 没有导入任何人" in broken.stderr
    assert json.loads(tampered("ledger", "verify", "--json").stdout) == before
    done = tampered("import", "experts", "--new-employers", file)
    assert f"{len(rows)} imported" in done.stdout
    after = json.loads(tampered("ledger", "verify", "--json").stdout)
    assert after["ok"] and after["rows"] > before["rows"]
    again = tampered("import", "experts", "--new-employers", file, code=2)
    assert again.stdout.count("row ") == len(rows)  # each named as a duplicate
    assert len(re.findall(r"第 \d+ 行：", again.stdout)) == len(rows)
    empty = tampered.directory / "empty.csv"
    empty.write_bytes(b"")
    assert refused(tampered("import", "experts", empty, code=2))
    own = [head.replace("姓名", "称呼") for head in heads]
    rows[0][heads.index("职称*")] = "副教授"
    rows[0][heads.index("职称级别")] = "副高"
    other = _csv(file.with_name("own.csv"), [own, *rows])
    assert "缺少列：姓名" in tampered("import", "experts", other, code=2).stderr
    changed = tampered("import", "experts", "--update", "--column", "name=称呼*", other)
    assert "职称 Title: 教授 -> 副教授" in changed.stdout and "1 updated" in changed.stdout
    past = _csv(
        file.with_name("past.csv"),
        [["专家", "届次", "评审日期", "依据"], [rows[0][0], "2011年度评选", "2011.9.5", "名单"]],
    )
    assert "1 would be entered" in tampered("import", "engagements", "--dry-run", past).stdout
    assert "1 entered, 0 were there" in tampered("import", "engagements", past).stdout
    assert "0 entered, 1 were there" in tampered("import", "engagements", past).stdout
    wrong = _csv(file.with_name("wrong.csv"), [["专家", "处理", "自", "事由", "决定机关及文号"],
                                               ["E9999", "批评", "2011-01-01", "x", "y"]])  # fmt: skip
    assert "row 2, expert" in tampered("import", "sanctions", wrong, code=1).stderr
    assert "row 2, expert" in tampered("import", "sanctions", "--dry-run", wrong, code=1).stderr
    made = tampered.directory / "sanctions.xlsx"
    tampered("import", "template", "sanctions", made)
    assert "example" in tampered("import", "sanctions", made, code=1).stderr


# ---------- headless


def test_forms_lint_from_elsewhere(bare: Shell, tmp_path: Path) -> None:
    said = bare("forms", "lint").stdout
    assert re.search(r"^\d\d file\(s\): 0 error\(s\)", said, re.M), said
    bad = tmp_path / "bad.yaml"
    bad.write_text("id: x\nnonsense: 1\n")
    assert "bad.yaml:1: error: schema" in bare("forms", "lint", bad, code=1).stdout


def test_draw_fairness_from_elsewhere(bare: Shell) -> None:
    files = (VECTORS / "draw" / "roster.csv", VECTORS / "draw" / "request.yaml")
    said = json.loads(bare("draw", "fairness", *files, "--json").stdout)
    assert said["feasible"] is True and said["pool"] == 200
    assert abs(said["min"] - 0.1) < 1e-6 and abs(said["max"] - 0.1) < 1e-6
    missing = bare("draw", "fairness", "nowhere.csv", files[1], code=2)
    assert "错误" in missing.stderr and "error" in missing.stderr


def test_statistics_from_elsewhere(bare: Shell) -> None:
    marks = VECTORS / "headless" / "marks.csv"
    rule = VECTORS / "headless" / "rule.yaml"
    assert json.loads(bare("aggregate", marks, "--rule", rule, "--json").stdout)["subjects"]
    assert json.loads(bare("agree", marks, "--json").stdout)["icc"]
    bad = bare.directory / "bad.csv"
    bad.write_text("nothing,here\n1,2\n")
    assert refused(bare("aggregate", bad, code=2))


def test_a_transcript_that_is_none_is_refused(bare: Shell) -> None:
    file = bare.directory / "t.zip"
    file.write_bytes(b"no zip")
    assert "archive" in bare("verify", file, code=1).stderr
