"""A form written on screen: remarks beside the lines, the difference, saved as a new version or not at all."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

import pytest
from sqlalchemy import func, select

from app.domain.scoring.library import read_files
from app.domain.types import DomainError, Forbidden
from app.programme import form_editing
from app.programme.models import FormVersion
from app.programme.versions import latest_version, load_forms, to_confirm

DESK = read_files()["forms/mlr15-desk-I.yaml"]
SITE = read_files()["forms/mlr15-site.yaml"]
WRITE = "/forms/write"


@pytest.fixture
def loaded(session: Any, make: Any) -> Any:
    admin = make.viewer(session, "admin")
    load_forms(session, admin)
    session.flush()
    return admin


def test_a_remark_stands_beside_its_line(session: Any, loaded: Any) -> None:
    rows = DESK.splitlines()
    at = next(n for n, row in enumerate(rows, 1) if row.startswith("total:"))
    text = "\n".join("total: 90" if n == at else row for n, row in enumerate(rows, 1)) + "\n"
    found = form_editing.checked(session, text)
    assert found.errors >= 1 and found.latest is not None
    told = {line.number: [r.code for r in line.remarks] for line in found.lines()}
    assert all(line.text == text.splitlines()[line.number - 1] for line in found.lines())
    assert any(codes for codes in told.values()) and len(told) < len(rows)
    with pytest.raises(DomainError) as caught:
        form_editing.save(session, loaded, found, found.seen)
    assert caught.value.field == "text" and str(found.errors) in caught.value.text.zh


def test_what_is_no_form_at_all_is_said_with_its_line(session: Any, loaded: Any) -> None:
    for text, line in (("", 1), ("a: [1\nb: 2\n", 2), ("schema: mingjian-form/1\nid: x\n", 1)):
        found = form_editing.checked(session, text)
        assert found.form is None and found.instrument is None and found.errors >= 1
        assert any(r.line >= line for r in found.findings) and found.lines()
    with pytest.raises(DomainError) as caught:
        form_editing.checked(session, "#" * (form_editing.MOST_CHARACTERS + 1))
    assert caught.value.field == "text"


def test_the_difference_is_said_in_words_and_by_line(session: Any, loaded: Any) -> None:
    same = form_editing.checked(session, DESK)
    assert same.errors == 0 and same.differences() == [] and same.changed_lines() == []
    with pytest.raises(DomainError):
        form_editing.save(session, loaded, same, same.seen)  # nothing new
    head, _, items = DESK.partition("indicators:")
    renamed = head + "indicators:" + re.sub(r"(zh: )", r"\1（改）", items, count=1)
    changed = form_editing.checked(session, renamed)
    assert any("（改）" in text.zh for text in changed.differences())
    signs = [sign for sign, _ in changed.changed_lines()]
    assert signs.count("+") == signs.count("-") == 1
    moved = DESK.replace("ge: 0.", "ge: 0.0", 1)
    inside = form_editing.checked(session, moved).differences()
    assert moved == DESK or any("内容有改动" in text.zh for text in inside)


def test_saving_takes_what_was_checked_and_keeps_the_old_version(
    session: Any, loaded: Any, make: Any
) -> None:
    text = SITE.replace("edition:", "# 测试修改\nedition:", 1)
    text = re.sub(r"^(note: \{zh: )", r"\1（测试）", text, count=1, flags=re.M)
    if text.count("（测试）") == 0:
        text = re.sub(r"(title: \{zh: )", r"\1（测试）", text, count=1)
    found = form_editing.checked(session, text)
    assert found.errors == 0
    with pytest.raises(DomainError):
        form_editing.save(session, loaded, found, "0" * 64)  # another text was looked at
    with pytest.raises(Forbidden):
        form_editing.save(session, make.viewer(session, "supervisor"), found, found.seen)
    before = latest_version(session, "mlr15-site")
    made = form_editing.save(session, loaded, found, found.seen)
    assert before is not None and made.id != before.id and made.source == text
    assert made.signed_at is None and to_confirm(made) == to_confirm(before)
    assert latest_version(session, "mlr15-site") is made
    kept = select(func.count()).where(FormVersion.form_id == "mlr15-site")
    assert session.scalar(kept.select_from(FormVersion)) == 2


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_checks_and_saves(client_as: Any, app: Any, language: str) -> None:
    client = client_as("admin")
    client.post("/language", data={"lang": language})
    with app.extensions["mingjian.db"].write() as session:
        load_forms(session, client.viewer)
    text = SITE.replace("schema:", "# 测试\nschema:", 1).replace("total: ", "total: 1", 1)
    answer = client.post(WRITE, data={"do": "check", "text": text})
    assert answer.status_code == 422
    assert ("不能保存" if language == "zh" else "cannot be saved") in answer.text
    assert "total: 1" in answer.text and "data-form-preview" in answer.text
    title = re.search(r"^title: \{zh: ([^,]+),", SITE, re.M)
    assert title is not None
    good = SITE.replace(title[1], title[1] + "甲", 1)
    upload = {"do": "check", "file": (BytesIO(good.encode()), "form.yaml")}
    answer = client.post(WRITE, data=upload, content_type="multipart/form-data")
    assert answer.status_code == 200 and title[1] + "甲" in answer.text
    seen = re.search(r'name="seen"[^>]*value="([0-9a-f]{64})"', answer.text)
    assert seen is not None
    wrong = client.post(WRITE, data={"do": "save", "text": good + "# x", "seen": seen[1]})
    assert wrong.status_code == 422
    assert ("刚才检查" if language == "zh" else "that was checked") in wrong.text
    assert (
        client.get("/forms").text.count("（旧版本）" if language == "zh" else "(older version)")
        == 0
    )
    saved = client.post(WRITE, data={"do": "save", "text": good, "seen": seen[1]})
    assert saved.status_code == 302
    assert language == "en" or title[1] + "甲" in client.get(saved.location).text
    assert (
        client.get("/forms").text.count("（旧版本）" if language == "zh" else "(older version)")
        == 1
    )
    source = client.get(saved.location + "/form.yaml")
    assert source.text == good and "mlr15-site.yaml" in source.headers["Content-Disposition"]
    bad = {"do": "check", "file": (BytesIO(b"\xff\xfe\x00"), "form.yaml")}
    answer = client.post(WRITE, data=bad, content_type="multipart/form-data")
    assert answer.status_code == 422 and "UTF-8" in answer.text


def test_the_specimen_on_paper(client_as: Any) -> None:
    client = client_as("office")
    made = client.post("/forms/paper", data={"text": SITE})
    assert made.status_code == 200 and made.data.startswith(b"%PDF")
    broken = client.post("/forms/paper", data={"text": "schema: x"})
    assert broken.status_code == 422 and "没有保存" in broken.text
