"""Do the two verifiers say the same of forged transcripts, and name the same first failing step?"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.verify import verify_transcript
from tests.chromium_path import chromium_path
from tests.verifiers.forgeries import SHAPES, sample, whole

PAGE = Path(__file__).parents[2] / "app" / "verifiers" / "verify.html"
RUNNER = Path(__file__).with_name("run_verify.mjs")
Item = tuple[bytes, str] | tuple[bytes, str, bytes]  # transcript, head, openings
Judge = Callable[[Sequence[Item]], list[dict[str, Any]]]
BATCH = """items => { const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));
    return Promise.all(items.map(([data, head, opened]) =>
        window.mingjianVerify(bytes(data), head, opened === undefined ? null : bytes(opened)))); }"""


def packed(items: Sequence[Item]) -> list[list[str]]:
    return [
        [base64.b64encode(data).decode(), head, *(base64.b64encode(b).decode() for b in opened)]
        for data, head, *opened in items
    ]


def by_node(items: Sequence[Item]) -> list[dict[str, Any]]:
    """The page's script under node: quick, for machines that have it."""
    done = subprocess.run(
        ["node", str(RUNNER), "--batch"],
        input=json.dumps(packed(items)).encode(),
        capture_output=True,
        check=True,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def by_browser(browser: Any) -> Judge:
    """The page itself, opened from its file without a network, many transcripts at a time."""

    def judge(items: Sequence[Item]) -> list[dict[str, Any]]:
        context = browser.new_context(offline=True)
        try:
            page = context.new_page()
            page.goto(PAGE.as_uri())
            out: list[dict[str, Any]] = []
            for start in range(0, len(items), 50):
                out += page.evaluate(BATCH, packed(items[start : start + 50]))
            return out
        finally:
            context.close()

    return judge


@contextmanager
def any_judge() -> Iterator[Judge]:
    """Node where there is one, else Chromium."""
    if shutil.which("node"):
        yield by_node
        return
    from playwright.sync_api import sync_playwright

    path = chromium_path()
    if path is None:
        pytest.skip("neither node nor Chromium is installed")
    with sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield by_browser(launched)
        launched.close()


def agree(count: int, judge: Judge) -> dict[str, int]:
    """`count` forgeries: both reject all, and name the same step. How many fail at each step."""
    honest: list[Item] = [(whole(shape), "") for shape in SHAPES]
    for (data, *_), said in zip(honest, judge(honest), strict=True):
        mine = verify_transcript(data)
        assert mine.ok and said["ok"], (mine.failed, said)
        same = (
            "commitment_hash", "kind", "anchored", "signers", "steps", "cosigned", "cosigners", "seated",
        )  # fmt: skip
        assert {k: getattr(mine, k) for k in same} == {k: said[k] for k in same}
    forged = sample(count)
    steps: dict[str, int] = {}
    differing = []
    for (what, data), said in zip(forged, judge([(d, "") for _, d in forged]), strict=True):
        mine = verify_transcript(data)
        if mine.ok or said["ok"] or mine.failed != said["step"] or mine.steps != said["steps"]:
            differing.append((what, mine.failed, mine.en, said["step"], said["en"]))
        assert said["zh"] and said["en"] or said["ok"]
        steps[mine.failed] = steps.get(mine.failed, 0) + 1
    assert not differing, (len(differing), differing[:10])
    assert sum(steps.values()) >= count * 0.95
    return steps


def verifiers(count: int) -> str:
    """The proof: at full count in `make proof`."""
    with any_judge() as judge:
        steps = agree(count, judge)
    named = ", ".join(f"{step} {n}" for step, n in sorted(steps.items(), key=lambda s: -s[1]))
    return f"{sum(steps.values())} forgeries, both reject all and name the same step: {named}"
