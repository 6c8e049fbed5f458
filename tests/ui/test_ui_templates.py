"""The templates as text: both languages whole, no inline script or style, every input labelled."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from ui_harness import APP, build

PAGES = [
    "/",
    "/?wrong=1&flash=1",
    "/?sort=name&page=2&q=a%26b",
    "/?out=1",
    "/field",
    "/print",
    "/error",
    "/error?status=401&out=1",
]
CJK = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]+")
PROPER = {"中文", "明鉴"}  # the other language's own name, the product's name
VOID = {"input", "meta", "link", "br", "hr", "img"}


class Page(HTMLParser):
    """Tags with attributes, and which tags were closed out of order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.faults: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.faults.append(f"double attribute in <{tag}>: {names}")
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID and tag != "path":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")

    def all(self, *names: str) -> list[dict[str, str | None]]:
        return [attrs for tag, attrs in self.tags if tag in names]


def get(path: str, lang: str = "zh") -> str:
    answer = build().test_client().get(path + ("&" if "?" in path else "?") + f"lang={lang}")
    wanted = 200 if not path.startswith("/error") else 401 if "401" in path else 500
    assert answer.status_code == wanted
    return answer.get_data(as_text=True)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_page_is_well_formed_and_labelled(path: str, lang: str) -> None:
    page = Page(get(path, lang))
    assert page.faults == [] and page.open == []
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids)), sorted(i for i in ids if ids.count(i) > 1)
    labelled = {attrs.get("for") for attrs in page.all("label")}
    for attrs in page.all("input", "select", "textarea"):
        if attrs.get("type") not in ("hidden", "radio", "checkbox"):
            assert attrs.get("id") in labelled, attrs
        for bound in (attrs.get("aria-describedby") or "").split():
            assert bound in ids, attrs
    for attrs in page.all("a"):
        assert attrs.get("href"), attrs
    assert len(page.all("main")) == 1
    assert len(page.all("h1")) == 1
    assert page.all("html")[0]["lang"] == ("en" if lang == "en" else "zh-CN")


@pytest.mark.parametrize("path", PAGES)
def test_nothing_inline_for_the_strict_policy(path: str) -> None:
    page = Page(get(path))
    for tag, attrs in page.tags:
        assert tag != "style" and "style" not in attrs
        assert not [name for name in attrs if name.startswith("on")], (tag, attrs)
        if tag == "script":
            assert attrs["type"] == "module" and str(attrs["src"]).startswith("/static/js/")


@pytest.mark.parametrize("path", PAGES)
def test_english_is_complete(path: str) -> None:
    left = set(CJK.findall(get(path, "en"))) - PROPER
    assert left == set()


@pytest.mark.parametrize("path", PAGES)
def test_chinese_has_no_english_sentences(path: str) -> None:
    text = re.sub(r"<[^>]*>", " ", get(path, "zh"))
    text = re.sub(
        r"Chen Shili|office|English|Saved &amp; kept|&lt;b&gt;Refused&lt;/b&gt;", "", text
    )
    assert re.findall(r"[A-Za-z]{3,}(?: [A-Za-z]+)+", text) == []


def test_every_post_form_carries_the_token() -> None:
    for path in PAGES:
        for form in re.findall(r"<form method=\"post\".*?</form>", get(path), re.S):
            assert 'name="csrf_token" value="token-1"' in form


def test_messages_and_texts_are_escaped() -> None:
    page = get("/?flash=1")
    assert "<b>Refused</b>" not in page and "&lt;b&gt;Refused" in page
    assert 'role="alert"' in page


def test_errors_are_bound_and_led_to() -> None:
    page = get("/?wrong=1", "en")
    assert 'href="#name"' in page and 'id="name-error"' in page
    assert re.search(r'<input aria-describedby="name-hint name-error" aria-invalid="true"', page)
    assert "The list is already frozen" in page
    assert "name-error" not in get("/")


def test_choices_are_shown_in_the_page_language() -> None:
    assert '<option value="b" selected>Associate senior</option>' in get("/", "en")
    assert '<option value="b" selected>副高级</option>' in get("/", "zh")


def test_number_field_is_text_with_a_digit_keypad() -> None:
    tag = re.search(r'<input[^>]*id="points"[^>]*>', get("/"))
    assert tag is not None
    assert (
        'type="text"' in tag[0] and 'inputmode="decimal"' in tag[0] and 'data-max="100"' in tag[0]
    )
    assert " step=" not in tag[0] and " max=" not in tag[0] and 'value="12.50"' in tag[0]


def test_sorting_keeps_the_search_and_leaves_the_page() -> None:
    page = get("/?sort=name&page=2&q=a%26b")
    assert 'aria-sort="ascending"' in page
    assert 'href="?q=a%26b&amp;lang=zh&amp;sort=-name"' in page
    assert 'href="?sort=name&amp;q=a%26b&amp;lang=zh&amp;page=3"' in page


def test_a_query_cannot_steer_the_links_elsewhere() -> None:
    page = get("/?_scheme=javascript&_external=1&endpoint=x")
    assert not re.search(r'href="(?!\?|/|#|data:image)', page)


def test_empty_table_teaches_instead_of_showing_nothing() -> None:
    page = get("/", "en")
    assert "No supplementary draw yet" in page and "Record a withdrawal" in page
    assert "<caption>Supplementary draws" not in page


def test_switcher_leads_to_each_round_and_marks_this_one() -> None:
    page = get("/")
    assert '<a href="/r/2012-2/home" aria-current="true">' in page
    assert '<a href="/r/2013/home">' in page


def test_signed_out_page_has_no_sign_out_and_no_round() -> None:
    page = get("/?out=1")
    assert 'action="/out"' not in page and "stages" not in page and 'data-viewer=""' in page


def test_error_page_is_marked_so_that_typed_text_is_kept() -> None:
    assert 'data-outcome="error"' in get("/error") and 'data-outcome="page"' in get("/")


def test_modules_are_safe_under_trusted_types() -> None:
    banned = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\.style\b(?!\.setProperty\(\"--)"
    )
    files = sorted((APP / "static" / "js").glob("*.js"))
    assert {f.name for f in files} >= {"autosave.js", "forms.js", "stepper.js", "present.js"}
    for file in files:
        assert not banned.search(file.read_text("utf-8")), file.name


def test_stylesheet_loads_nothing_and_stays_small() -> None:
    css = (APP / "static" / "css" / "app.css").read_text("utf-8")
    assert "url(" not in css and "@import" not in css
    assert len(css.encode()) < 20_000
    used = set(re.findall(r"var\((--[\w-]+)", css))
    assert used <= set(re.findall(r"(--[\w-]+):", css))
