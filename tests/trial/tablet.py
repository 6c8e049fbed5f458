"""One expert's tablet: bound once, then a sheet of marks for each county, signed by hand and sealed."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.trial.person import PATIENCE, Person

PIN = "246810"
STROKES = 3  # a name on the glass: three pointings


def bind(expert: Person, label: str) -> None:
    """From the page of his sheets into the field application, on the device in his hands."""
    expert.goes("第一次在这台设备上评分")
    expert.expects("登录这台平板")
    expert.writes("给平板起个名", label)
    expert.writes("设六位密码", PIN)
    expert.writes("再输一次", PIN)
    expert.presses("登录")
    expert.expects("我的任务")


def waits_for_sheet(expert: Person, county: str) -> None:
    """The tablet fetches the tasks by itself after scoring was opened."""
    link = expert.page.get_by_role("link", name=f"打开 {county}")
    with expert.watch.waits():
        expect(link).to_have_text("评分", timeout=PATIENCE)


def scores(expert: Person, county: str, marks: list[list[str]]) -> None:
    """Types the marks of one county part by part (none where a part is read only), signs and seals."""
    waits_for_sheet(expert, county)
    page = expert.page
    _goes(expert, f"打开 {county}")
    for n, part in enumerate(marks):
        fields = page.get_by_role("textbox", name="评分", exact=True)
        expect(fields).to_have_count(len(part))
        for place, mark in enumerate(part):
            expert.watch.points()
            expert.watch.types(mark)
            fields.nth(place).fill(mark)
            fields.nth(place).blur()
        if n + 1 < len(marks):
            _goes(expert, "下一部分")
    expert.expects("已填完")
    _goes(expert, "核对并封存")
    expert.expects("签名并封存")
    expert.writes("签名人", expert.name)
    box = page.get_by_label("签名框")
    box.scroll_into_view_if_needed()
    place = box.bounding_box()
    assert place, expert.text()
    for stroke in range(STROKES):
        expert.watch.points()
        x = place["x"] + place["width"] * (stroke + 1) / (STROKES + 1)
        page.mouse.move(x, place["y"] + place["height"] * 0.2)
        page.mouse.down()
        page.mouse.move(x + 8, place["y"] + place["height"] * 0.5, steps=4)
        page.mouse.move(x, place["y"] + place["height"] * 0.8, steps=4)
        page.mouse.up()
    seal = page.get_by_role("button", name="封存", exact=True)
    with expert.watch.waits():
        expect(seal).to_be_enabled()
    expert.presses("封存")
    expert.expects("回执码")
    _goes(expert, "明鉴：我的任务")
    expert.expects("我的任务")


def _goes(expert: Person, name: str) -> None:
    """To another screen of the application: the page stays, its address changes."""
    before = expert.page.url
    expert.watch.points()
    with expert.watch.waits():
        expert.page.get_by_role("link", name=name, exact=True).last.click()
        expert.page.wait_for_url(lambda url: url != before)
    screen = expert.page.url.split("#")[-1].split("/")
    kind = "/".join(word for word in screen if len(word) < 16)
    expert.watch.reads(kind not in expert.seen)
    expert.seen.add(kind)
