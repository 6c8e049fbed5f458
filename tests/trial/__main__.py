"""`make trial`: a new user's first round with a stop-watch, from an empty home to the archive.

    python -m tests.trial [--no-write]

Four people who have never seen the product begin with `mingjian init` and a served empty home. They find
their way by the words on the screen alone (`person.py`); the stop-watch (`stopwatch.py`) adds what a
person needs and how long the machine lets him wait. Where several people work at the same time (the two
who type the dice; seven experts at their tablets) the slowest counts. What is measured stands in docs/operators-guide.md between two marks. A way that is not
written on a page, an error 500, a broken script or a broken promise stops the trial.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from tests.chromium_path import chromium_path
from tests.trial.rest import WholeTrial
from tests.trial.stopwatch import Stopwatch

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "operators-guide.md"
BEGIN, END = "<!-- trial: begin -->", "<!-- trial: end -->"
PROGRAM = "from app.cli import main; main()"
PROMISED = 300  # seconds from the spreadsheet to a drawn panel
WHOLE = 3600  # seconds of all laps: six places, seven experts
VERIFIER = ROOT / "app" / "report" / "verify_archive.py"
ARGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def mingjian(home: Path, *words: str) -> str:
    """What a command of the product prints; it must succeed."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        env={**os.environ, "MINGJIAN_HOME": str(home)}, cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise AssertionError(f"mingjian {' '.join(words)}: {done.stdout}{done.stderr}")
    return done.stdout


def answered(address: str, process: subprocess.Popen[bytes]) -> None:
    """Waits until the server answers."""
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/sign-in", timeout=2).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the server did not start")


def table(watch: Stopwatch) -> str:
    """The laps as a table of Markdown, in both languages."""
    lines = [
        "| 部分 / part | 人 / person | 机器 / machine | 新页面 / new pages | 点击 / clicks | 按键 / keys |",
        "|---|---|---|---|---|---|",
    ]
    for lap in watch.laps:
        lines.append(
            f"| {lap.name} | {lap.person:.0f} s | {lap.machine:.1f} s | {lap.pages} | {lap.points} | {lap.keys} |"
        )
    return "\n".join(lines)


def write(page: Path, text: str) -> None:
    """Between the two marks of a page."""
    old = page.read_text("utf-8")
    new, n = re.subn(f"{BEGIN}.*?{END}", lambda _: f"{BEGIN}\n{text}\n{END}", old, flags=re.S)
    if n != 1:
        raise AssertionError(f"{page} has no place for the figures")
    page.write_text(new, "utf-8")


def main() -> int:
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--no-write", action="store_true", help="leave the guide as it is")
    options = asked.parse_args()
    from playwright.sync_api import sync_playwright

    path = chromium_path()
    if path is None:
        print("no Chromium: set MINGJIAN_BROWSER or install chromium", file=sys.stderr)
        return 1
    watch = Stopwatch()
    with tempfile.TemporaryDirectory() as folder:
        home, port = Path(folder) / "home", free_port()
        address = f"http://127.0.0.1:{port}"
        watch.begin("安装 / installation")
        with watch.waits():
            printed = mingjian(home, "init", "--public-url", address)
        link = re.search(r"/join/\S+", printed)
        assert link, printed
        command = [sys.executable, "-c", PROGRAM, "serve", "--port", str(port)]
        process = subprocess.Popen(
            command, env={**os.environ, "MINGJIAN_HOME": str(home)}, cwd=ROOT,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            with watch.waits():
                answered(address, process)
            with sync_playwright() as driver:
                browser = driver.chromium.launch(executable_path=path, args=list(ARGS))
                trial = WholeTrial(browser, address, watch, Path(folder))
                archive = trial.to_archive(link.group(0))
                faults = [f for person in trial.people for f in person.faults]
                browser.close()
            mingjian(home, "round", "verify", str(archive))
            alone = subprocess.run([sys.executable, "-I", str(VERIFIER), str(archive)])
            assert alone.returncode == 0, "the archive does not verify"
            found = mingjian(home, "doctor")
            mingjian(home, "ledger", "verify")
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)
        mingjian(home, "backup", f"{folder}/copy.zip")
        mingjian(home, "restore", "--drill", f"{folder}/copy.zip", "--keys", str(home / "keys"))
    assert not faults, faults
    drawn = sum(lap.seconds for lap in watch.laps if lap.name in WholeTrial.DRAWN)
    person = sum(lap.person for lap in watch.laps)
    whole = person + sum(lap.machine for lap in watch.laps)
    said = (
        f"{table(watch)}\n\n从表格到抽出专家组 / from the spreadsheet to a drawn panel: "
        f"**{drawn / 60:.1f} min**\n\n从空的安装到归档 / from an empty installation to the archive: "
        f"**{whole / 60:.1f} min** (人 / person {person / 60:.1f}, "
        f"机器 / machine {(whole - person) / 60:.1f})"
    )
    print(said)
    print(found.strip().splitlines()[-1])
    if drawn >= PROMISED:
        print(f"promised: less than {PROMISED // 60} minutes", file=sys.stderr)
        return 1
    if whole >= WHOLE:
        print(f"promised: a whole round in less than {WHOLE // 60} minutes", file=sys.stderr)
        return 1
    if not options.no_write:
        write(GUIDE, said)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
