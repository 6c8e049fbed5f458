"""What the documents tell people to type and open exists: commands, links, pictures, pages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from werkzeug.exceptions import NotFound
from werkzeug.routing import RequestRedirect

from app.cli import COMMANDS, cli

HOME = Path(__file__).resolve().parent.parent
GUIDE = HOME / "docs" / "operators-guide.md"
DOCUMENTS = sorted(
    [*HOME.glob("*.md"), *(HOME / "docs").glob("*.md"), HOME / "scoring_forms" / "README.md"]
)
TOP = 150 * 1024  # bytes of a picture of the guide


def code_of(text: str) -> list[str]:
    """Code spans and lines of code blocks."""
    lines = [line.strip() for line in text.split("\n") if line.startswith("    ")]
    return lines + re.findall(r"`([^`\n]+)`", text)


def commands_of(text: str) -> set[tuple[str, ...]]:
    """(command, subcommand?, options...) of each `mingjian` in code."""
    found = set()
    for code in code_of(text):
        match = re.match(r"(?:\.venv/bin/)?mingjian ([a-z]+)\b([^|#`]*)", code)
        if match:
            words = match.group(2).split()
            sub = tuple(words[:1]) if words and re.fullmatch(r"[a-z]+", words[0]) else ()
            options = tuple(w.split("=")[0] for w in words if re.fullmatch(r"--[a-z-]+\S*", w))
            found.add((match.group(1), *sub, *options))
    return found


def refused(words: tuple[str, ...]) -> str:
    """Why this command line cannot be typed; empty when it can."""
    group = cli
    path = []
    for word in [w for w in words if not w.startswith("--")]:
        if not isinstance(group, click.Group):
            break  # an argument
        made = group.get_command(click.Context(group), word)
        if made is None:
            return f"no command {' '.join([*path, word])}"
        path.append(word)
        group = made  # type: ignore[assignment]
    known = {name for parameter in group.params for name in parameter.opts}
    for option in [w for w in words if w.startswith("--")]:
        if option not in known:
            return f"{' '.join(path)} has no {option}"
    answer = CliRunner().invoke(cli, [*path, "--help"])
    return "" if answer.exit_code == 0 else f"{' '.join(path)} --help: {answer.exit_code}"


def broken_links(file: Path, text: str) -> list[str]:
    """Relative links and pictures that lead nowhere."""
    targets = re.findall(r"\]\(([^)\s#]+)(?:#[^)]*)?\)", text)
    return [t for t in targets if "://" not in t and not (file.parent / t).exists()]


def unknown_targets(text: str) -> list[str]:
    """Targets of `make` that the Makefile has not."""
    made = re.findall(r"^([a-z]+):", (HOME / "Makefile").read_text("utf-8"), re.MULTILINE)
    typed = [re.match(r"(?:[A-Z]+=\S+ )*make ([a-z]+)\b", code) for code in code_of(text)]
    return [match[1] for match in typed if match and match[1] not in made]


def unknown_pages(app: Any, text: str) -> list[str]:
    """Addresses in code spans that no page answers."""
    adapter = app.url_map.bind("localhost")
    unknown = []
    for address in re.findall(r"`(/[^`\s]*)`", text):
        try:
            adapter.match(address, "GET")
        except RequestRedirect:
            pass
        except NotFound:
            unknown.append(address)
    return unknown


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_commands_and_links_of_a_document(file: Path) -> None:
    text = file.read_text("utf-8")
    assert {why for words in commands_of(text) if (why := refused(words))} == set()
    assert broken_links(file, text) == [] and unknown_targets(text) == []


def test_the_guide(app: Any) -> None:
    text = GUIDE.read_text("utf-8")
    assert unknown_pages(app, text) == []
    assert len(re.findall(r"`/[^`\s]*`", text)) > 30 and len(commands_of(text)) >= 10
    days = re.findall(r"^## 周(.)", text, re.MULTILINE)
    assert days == ["一", "二", "三", "四", "五"]
    pictures = re.findall(r"\((pictures/guide-[a-z]+\.png)\)", text)
    assert len(pictures) == 6
    for name in pictures:
        data = (GUIDE.parent / name).read_bytes()
        size = tuple(int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
        assert len(data) < TOP and size == (1366, 768), name


def test_what_is_wrong_is_named(app: Any, tmp_path: Path) -> None:
    text = (
        "Run `mingjian nothing`, `mingjian cert mend`, `mingjian serve --lam` and `mingjian init`.\n"
        "Or `make test`, `FULL=1 make tests`.\n"
        "See [there](gone.md), [web](https://example.org/x.md), `/r/SLUG/nowhere` and `/rounds`.\n"
    )
    whys = sorted(why for words in commands_of(text) if (why := refused(words)))
    assert whys == ["no command cert mend", "no command nothing", "serve has no --lam"]
    assert broken_links(tmp_path / "x.md", text) == ["gone.md"]
    assert unknown_targets(text) == ["tests"]
    assert unknown_pages(app, text) == ["/r/SLUG/nowhere"]
    assert set(COMMANDS) >= {"init", "round"}
