"""Every kind of page that a role can reach by its links, in both languages, in a real browser: axe finds
nothing, the console is silent (so is the policy), nothing scrolls sideways on a phone, English
pages are English but for names and data, and no page shows a code for a word, a machine's time, small
print, an empty table or two titles.

A kind is an address without its ids; of several kinds made from one template the first is looked at."""

from __future__ import annotations

import re

import pytest
from flask import request, template_rendered
from playwright.sync_api import Error as PlaywrightError

LOGINS = {
    "office": "office", "keeper": "keeper", "supervisor": "supervisor", "admin": "admin",
    "presenter": "presenter-110108", "expert": "",
}  # fmt: skip
FEWEST = {
    "office": 55, "keeper": 15, "supervisor": 55, "admin": 14, "presenter": 6, "expert": 11,
}  # pages looked at  # fmt: skip
CJK = re.compile(r"[\u4e00-\u9fff]+")
# What a person would be ashamed of, found in what is visible: one line each.
BLEMISHES = r"""() => {
  const found = new Set(), seen = (e) => e.checkVisibility({visibilityProperty: true}) && !e.closest(".vh, .skip");
  const titles = [...document.querySelectorAll("h1")].filter(seen).length;
  if (titles !== 1) found.add(`${titles} titles`);
  for (const body of document.querySelectorAll("table"))
    if (seen(body) && ![...body.tBodies].some((part) => part.rows.length)) found.add(`empty table ${body.innerText.slice(0, 40)}`);
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode.nodeValue.trim(), at = texts.currentNode.parentElement;
    if (!text || at.closest("script, style, option, svg, template") || !seen(at)) continue;
    if (parseFloat(getComputedStyle(at).fontSize) < 13.9) found.add(`small print ${text.slice(0, 40)}`);
    if (at.closest("code, pre, textarea, .code")) continue;
    if (/(^|[\s:：])[a-z]+(_[a-z0-9]+)+($|[\s,，;；.。])/.test(text)) found.add(`code ${text.slice(0, 60)}`);
    if (/\d{4}-\d\d-\d\dT\d\d:/.test(text)) found.add(`time ${text.slice(0, 40)}`);
    if (/(^|[\s:：])(True|False|None|undefined|NaN)($|[。；])/.test(text)) found.add(`value ${text.slice(0, 60)}`);
  }
  return [...found].slice(0, 5);
}"""
NAVIGATION = ".top .actions, .foot, .stages, .banner, button, .hint, .help, .card > h2"


def links(page):
    """Addresses of this site that the page leads to by a plain link, downloads left out."""
    found = page.eval_on_selector_all("a[href]", "all => all.map(a => a.getAttribute('href'))")
    kept = []
    for href in found:
        bare = href.split("#")[0]
        if not bare.startswith("/") or re.search(
            r"export|template|transcript|pdf|paper-forms|/read|/slip|materials/|/verify/|/bundle|letters|\.zip|\?",
            bare,
        ):
            continue
        kept.append(bare)
    return list(dict.fromkeys(kept))


def shape(address):
    """One page of each kind: ids do not make another kind."""
    return re.sub(r"/[0-9a-f]{16}|/\d+|bj2012-\w+", "/*", address)


def looked_at(page, address, axe, lang):
    """What is wrong with the page that is open: axe, blemishes, too wide for a phone, Chinese in English."""
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    problems = [
        f"{address}: axe {v['id']} {v['nodes'][0]['html'][:120]}" for v in found["violations"]
    ]
    problems += [f"{address}: {blemish}" for blemish in page.evaluate(BLEMISHES)]
    page.set_viewport_size({"width": 390, "height": 844})
    wide = page.evaluate("document.documentElement.scrollWidth")
    if wide > 390:
        problems.append(f"{address}: {wide} px wide on a phone")
    page.set_viewport_size({"width": 1280, "height": 900})
    if lang == "en":
        for text in page.eval_on_selector_all(
            NAVIGATION, "all => all.filter(e => e.offsetParent).map(e => e.innerText)"
        ):
            bare = re.sub(r"中文|[^\n]*拟[^\n]*|such as [^.]*|“[^”]*”", "", text)
            if CJK.search(bare):
                problems.append(f"{address}: Chinese in the English page: {bare[:60]!r}")
    return problems


@pytest.fixture
def templates():
    """Which template each address was made from, newest last; the server runs in this process."""
    made = {}

    def note(_app, template, **_more):
        made[request.path] = template.name

    with template_rendered.connected_to(note):
        yield made


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("role", sorted(LOGINS))
def test_the_pages_of_a_role(exercise, expert_login, reader, templates, axe, role, lang):
    one = reader(exercise)
    one.sign_in(LOGINS[role] or expert_login, lang)
    page = one.page
    waiting, seen, problems, looked = ["/"], set(), [], {}
    while waiting:
        address = waiting.pop(0)
        if shape(address) in seen:
            continue
        seen.add(shape(address))
        try:
            response = page.goto(address)
        except PlaywrightError as error:
            if "Download is starting" in str(error):
                continue  # a file, not a page
            raise
        if response.status != 200:
            problems.append(f"{address}: {response.status}")
            continue
        waiting += [a for a in links(page) if shape(a) not in seen]
        template = templates.get(address, address)
        if template in looked:
            continue
        looked[template] = address
        problems += looked_at(page, address, axe, lang)
    assert problems == [], "\n".join(problems)
    assert one.faults == []
    assert len(looked) >= FEWEST[role], looked


# The walk looks at one round; of the other, which is finished, what the first has not come to.
FINISHED = {
    "office": (
        "runs/1", "runs/1/release", "runs/1/flags", "runs/1/holds", "runs/1/meetings", "runs/1/agreement",
        "runs/1/ranks", "runs/corrections", "reports/1", "reports/1/history",
    ),
    "supervisor": ("runs/1", "runs/1/raters"),
}  # fmt: skip


@pytest.mark.parametrize(("role", "lang"), [("office", "en"), ("supervisor", "zh")])
def test_the_pages_of_a_finished_round(exercise, reader, axe, role, lang):
    one = reader(exercise)
    one.sign_in(role, lang)
    problems = []
    for name in FINISHED[role]:
        response = one.page.goto(f"/r/bj2012-exercise/{name}")
        assert response.status == 200, name
        problems += looked_at(one.page, name, axe, lang)
    assert problems == [], "\n".join(problems)
    assert one.faults == []


def test_each_blemish_is_seen(chromium):
    """The look itself: a page with one of each, and the same page in order."""
    page = chromium.new_page()
    head = "<h1>a</h1><p>{}</p><p style='font-size:{}px'>b</p><table><tbody>{}</tbody></table>"
    page.set_content(
        head.format("words; <code style='font-size:14px'>in_law</code>", 14, "<tr><td>c</td></tr>")
    )
    assert page.evaluate(BLEMISHES) == []
    for text, size, rows, expected in (
        ("kin: in_law", 14, "<tr><td>c</td></tr>", "code kin: in_law"),
        ("2026-11-22T17:31:32Z", 14, "<tr><td>c</td></tr>", "time 2026-11-22T17:31:32Z"),
        ("单数：固定为 True。", 14, "<tr><td>c</td></tr>", "value 单数：固定为 True。"),
        ("a", 13, "<tr><td>c</td></tr>", "small print b"),
        ("a", 14, "", "empty table "),
        ("<h1>z</h1>", 14, "<tr><td>c</td></tr>", "2 titles"),
    ):
        page.set_content(head.format(text, size, rows))
        assert page.evaluate(BLEMISHES) == [expected]
    page.close()
