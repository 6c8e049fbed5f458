"""The verifier page in a real browser, from its file, without a network; and its agreement with verify.py."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from app.verify import STEPS, verify_transcript
from tests.test_verify import anchored, opened, remade, transcript
from tests.vectors.make_pdraw import FILE, UNMAKEABLE, expanded
from tests.vectors.second_generator import generate
from tests.verifiers.agreement import PAGE, agree, by_browser
from tests.verifiers.forgeries import whole
from tests.verifiers.openings import named


@pytest.fixture
def page(reader: Any) -> Any:
    """The page, opened as a person does: from a folder, offline."""
    opened_page = reader("about:blank", offline=True)
    opened_page.page.goto(PAGE.as_uri())
    return opened_page


def check(page: Any, folder: Path, data: bytes, head: str = "") -> Any:
    file = folder / f"draw-{hashlib.sha256(data).hexdigest()[:8]}.zip"
    file.write_bytes(data)
    page.page.fill("#head", head)
    page.page.set_input_files("#file", file)
    page.page.wait_for_selector("#verdict")
    return page.page


def test_forty_forgeries_are_rejected_at_the_same_step(chromium: Any) -> None:
    steps = agree(40, by_browser(chromium))
    assert len(steps) >= 6, steps


def test_every_frozen_vector(chromium: Any) -> None:
    """Accepted with the frozen hash, or stopped at the frozen step."""
    lines = [json.loads(line) for line in FILE.read_text("utf-8").split("\n") if line]
    able = [v for v in lines if v["name"] not in UNMAKEABLE]
    items = [
        (generate(expanded(v["request"]))["zip"], str(v["expect"].get("hash", ""))) for v in able
    ]
    for vector, said in zip(able, by_browser(chromium)(items), strict=True):
        assert said["step"] == vector["expect"].get("refused", ""), (vector["name"], said)


def test_an_honest_transcript_is_shown_with_its_panel_and_tickets(
    page: Any, tmp_path: Path
) -> None:
    data = whole("tickets")
    shown = check(page, tmp_path, data, verify_transcript(data).commitment_hash[:16])
    verdict = shown.inner_text("#verdict")
    assert "核验通过" in verdict and "Verified" in verdict
    assert "not anchored" in verdict and "drill" in verdict and "无人见证" in verdict
    assert "not cosigned" in verdict
    held = shown.locator("ol.steps .held").evaluate_all("items => items.map(i => i.dataset.step)")
    assert held == [step for step in STEPS if step not in ("anchor", "cosignature", "openings")]
    line = re.search(r"printf '%s' \"(ticket\|[^\"]+)\" \| sha256sum", shown.inner_text(".shell"))
    assert line
    ticket = hashlib.sha256(line[1].encode()).hexdigest()
    assert ticket in shown.inner_text("#tickets") and ticket in shown.inner_text("#panels")
    name = line[1].rsplit("|", 1)[1]
    shown.fill("#who", name)
    assert shown.locator("#tickets tbody tr").count() == 1
    assert "第 3 次" in shown.inner_text("#panels")
    assert not page.faults, page.faults


def test_the_first_failing_step_stands_out(page: Any, tmp_path: Path) -> None:
    files = opened(whole("lottery"))
    text = files["seed.json"].decode()
    value = re.search(r"\[(\d),", text)
    assert value
    forged = text.replace(value[0], f"[{int(value[1]) % 6 + 1},", 1)
    shown = check(page, tmp_path, remade(files, "seed.json", json.loads(forged)))
    assert shown.get_attribute("#verdict", "data-step") == "key"
    verdict = shown.inner_text("#verdict")
    assert "抽取密钥" in verdict and "draw key" in verdict and "Not verified" in verdict
    assert shown.locator("ol.steps .failed").inner_text().startswith("✗")
    assert not shown.locator("#panels").count()
    wrong = check(page, tmp_path, whole("lottery"), "f" * 64)
    wrong.wait_for_selector("#verdict[data-step=head]")


def test_a_printed_ledger_head_and_signatures(page: Any, tmp_path: Path) -> None:
    data = whole("anchored")
    note = anchored(verify_transcript(data).commitment_hash)[0]
    size, root = note.split("\n")[1:3]
    head = f"mj1:{size}:{base64.b64decode(root).hex()}"
    assert verify_transcript(data, head).ok and verify_transcript(data, note).ok
    said = page.page.evaluate(
        "([d, h]) => mingjianVerify(Uint8Array.from(atob(d), c => c.charCodeAt(0)), h)",
        [base64.b64encode(data).decode(), note],
    )
    assert said["ok"] and said["signers"] == ["log", "supervisor"]
    verdict = check(page, tmp_path, data, head).inner_text("#verdict")
    assert "anchored, signed by: log, supervisor" in verdict
    assert "head" not in verify_transcript(data).steps


def test_the_fingerprint_of_a_cosigned_draw_is_shown(page: Any, tmp_path: Path) -> None:
    data = whole("real")
    verdict = check(page, tmp_path, data).inner_text("#verdict")
    report = verify_transcript(data)
    assert report.ok and len(report.cosigners) == 2
    for name, fingerprint in report.cosigners:
        assert f"cosigned by {name}" in verdict and fingerprint in verdict
    assert "not cosigned" not in verdict and "drill" not in verdict


def test_names_are_opened_beside_the_transcript(page: Any, tmp_path: Path) -> None:
    """The second picker: names of who sits, in the table of the panel too; a forged one is refused."""
    data, names, members = named(3)
    shown = check(page, tmp_path, data)
    assert not shown.locator("#names").count()
    file = tmp_path / "openings.json"
    file.write_bytes(names)
    shown.set_input_files("#openings", file)
    shown.wait_for_selector("#names")
    table = shown.inner_text("#names")
    seated = verify_transcript(data, None, names).seated
    assert [name for *_, name in seated] == [*members[:3], ""]
    for _, _, pseudonym, name in seated:
        assert pseudonym in table and name in table
    assert members[0] in shown.inner_text("#panels")
    file = tmp_path / "forged.json"
    file.write_bytes(names.replace(members[0].encode(), "冒名者".encode()))
    shown.set_input_files("#openings", file)
    shown.wait_for_selector("#verdict[data-step=openings]")
    assert "身份哈希" in shown.inner_text("#verdict") and not shown.locator("#names").count()
    assert not page.faults, page.faults


def test_a_bundle_is_opened(page: Any, tmp_path: Path) -> None:
    """A ZIP with one transcript in it, deflated, as the draw's page hands it out."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("verify.html", PAGE.read_bytes())
        bundle.writestr("transcript-drill.zip", transcript("batch"))
    verdict = check(page, tmp_path, out.getvalue()).inner_text("#verdict")
    assert "Verified" in verdict
    again = io.BytesIO()
    with zipfile.ZipFile(again, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, body in opened(transcript("batch")).items():
            packed.writestr(name, body)
    page.page.reload()
    shown = check(page, tmp_path, again.getvalue())
    assert shown.get_attribute("#verdict", "data-step") == "archive"
    assert "原始文件" in shown.inner_text("#verdict")


def test_the_page_cannot_send_anything(page: Any, small: tuple[str, Any]) -> None:
    """Its own policy refuses every request, with a network too."""
    text = PAGE.read_text("utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert policy and policy[1].startswith(
        "default-src 'none'; script-src 'unsafe-inline'; style-src"
    )
    assert not re.search(
        r"(src|href)=|https?://|\bfetch\(|XMLHttpRequest|sendBeacon|innerHTML", text
    )
    page.context.set_offline(False)
    address = small[0]
    blocked = page.page.evaluate(f"fetch('{address}/sign-in').then(() => false, () => true)")
    assert blocked and any("Content Security Policy" in fault for fault in page.faults)


def test_accessible(page: Any, tmp_path: Path, axe: str) -> None:
    check(page, tmp_path, whole("uneven"))
    client = page.context.new_cdp_session(page.page)  # the page's policy allows no injected file
    client.send("Runtime.evaluate", {"expression": axe})
    found = page.page.evaluate(
        "axe.run().then(r => r.violations.map(v => [v.id, v.nodes[0].html]))"
    )
    assert not found, found
