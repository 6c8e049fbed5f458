"""No phrase exists in one language only: every word that a template or a module shows is a pair."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.ui.scripts import literals
from tests.ui.scripts import unpaired as unpaired_in_script

APP = Path(__file__).parents[2] / "app"
HAN = re.compile(r"[\u4e00-\u9fff]")
COMMENT = re.compile(r"\{#.*?#\}|<!--.*?-->", re.S)
# t("中文", "English", ...) and Text("中文", "English"), in either kind of quotes.
PAIR = re.compile(
    r"""\b(?:t|Text)\(\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\s*,\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""",
    re.S,
)
NAMES = ("明鉴", "中文")  # the product's own name, and the name of a language in itself


def unpaired(source: str) -> list[str]:
    """Lines of a template with Chinese outside a pair, and pairs whose English is missing."""
    found = []
    text = COMMENT.sub("", source)
    for zh, en in PAIR.findall(text):
        if HAN.search(en) or not en.strip("\"' "):
            found.append(f"no English: {zh}")
    rest = PAIR.sub("", text)
    for name in NAMES:
        rest = rest.replace(name, "")
    return found + [line.strip() for line in rest.splitlines() if HAN.search(line)]


@pytest.mark.parametrize("path", sorted((APP / "templates").rglob("*.html")), ids=lambda p: p.name)
def test_templates_speak_both_languages(path: Path) -> None:
    if path.name == "styleguide.html":
        pytest.skip("sample content")
    assert unpaired(path.read_text()) == []


def test_the_check_catches_what_is_missing() -> None:
    assert unpaired('<p>{{ t("抽取", "Draw") }}</p>') == []
    assert unpaired("<p>抽取</p>") == ["<p>抽取</p>"]
    assert unpaired('<p>{{ t("抽取", "") }}</p>') != []
    assert unpaired('<p>{{ t("抽取", "抽取") }}</p>') != []
    assert unpaired('<p>{{ t("抽取") }}</p>') != []


COUNTS = " 份"  # a measure word: English has none
SCRIPTS = [path for path in sorted((APP / "static").rglob("*.js")) if "vendor" not in path.parts]


def test_scripts_speak_both_languages() -> None:
    bad = [
        f"{path.relative_to(APP)}:{line}"
        for path in SCRIPTS
        for line in unpaired_in_script(path.read_text(), (*NAMES, COUNTS))
    ]
    assert not bad, "\n".join(bad)
    assert sum(bool(HAN.search(row.text)) for p in SCRIPTS for row in literals(p.read_text())) > 500


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('say("抽取", "Draw")', 0),
        ('say("抽取", "")', 1),
        ('say("抽取")', 1),
        ('say("抽取", "抽取")', 2),
        ('x = ["一", "one"];', 0),
        ('x = ["一", "二"];', 2),
        ('x = { zh: "一", en: "one" };', 0),
        ('x = { zh: "一" };', 1),
        ("say(`共 ${n ? `${n} 人` : '无人'}`, `${n} people`)", 0),
        ("html`<p>${say('一', 'one')} 二</p>`", 1),
        ("html`<p>${say('一', 'one')}</p>` // 注释", 0),
        ('/["一]/.test(x) ? say("一", "one") : "二"', 1),
        ('"届次 / round"', 0),
    ],
)
def test_the_check_of_scripts_catches_what_is_missing(source: str, found: int) -> None:
    assert len(unpaired_in_script(source, NAMES)) == found


def _pairs(path: Path) -> list[tuple[int, ast.expr, ast.expr]]:
    tree = ast.parse(path.read_text())
    return [
        (node.lineno, node.args[0], node.args[1])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("Text", "say")
        and len(node.args) >= 2
    ]


def test_every_text_in_the_code_has_its_english() -> None:
    """Constant pairs: Chinese first, and an English side without Chinese words in running text."""
    bad = []
    for path in sorted(APP.rglob("*.py")):
        if "exercise" in path.parts:  # invented content of the exercise, checked by its own tests
            continue
        for line, zh, en in _pairs(path):
            if not isinstance(zh, ast.Constant) or not isinstance(en, ast.Constant):
                continue
            # Chinese names may be quoted, or given as an example of what to type.
            english = re.sub(r"[（(\"“'].*?[）)\"”']|as (in )?\S+\.", "", str(en.value))
            if bool(str(zh.value).strip()) != bool(str(en.value).strip()) or (
                HAN.search(str(zh.value)) and HAN.search(english)
            ):
                bad.append(f"{path.relative_to(APP)}:{line}: {en.value}")
    assert not bad, "\n".join(bad)
