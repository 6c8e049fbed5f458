"""What the installation needs from its administrator: disk, clock, keys, certificate, backups, checks.

Read from the machine and from small files whenever the first page is opened; nothing is measured in
advance and nothing is written. Neither marks nor personal data come near it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import certificates, clock
from app import keys as key_files
from app.config import Settings
from app.domain.types import Text
from app.home import keepsakes
from app.keys import Keys
from app.ledger.models import Head
from app.supervision import verification

GIB = 1024**3
LOW_BYTES, LOW_SHARE = GIB, 20  # less than 1 GiB, or less than one twentieth
BACKUP_DUE = timedelta(days=2)
DRILL_DUE = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be: what, and what to do. `kind`: wrong | waits."""

    code: str
    kind: str
    what: Text
    todo: Text


@dataclass(frozen=True, slots=True)
class Care:
    """The administrator's card: what is wrong first, then the facts whatever they are."""

    findings: tuple[Finding, ...]
    verified: verification.Verification | None
    saved: keepsakes.Saved | None
    drill: keepsakes.Drill | None
    certificate: certificates.Certificates | None
    free: int | None  # bytes; None where the disk does not say
    now: datetime


def look(session: Session, settings: Settings, keys: Keys) -> Care:
    """Everything, now. One query."""
    now = clock.now()
    verified = verification.last(settings.home)
    saved, drill = keepsakes.last_saved(settings.home), keepsakes.last_drill(settings.home)
    known = certificates.last(settings.tls)
    found: list[Finding] = []
    free = None
    try:
        usage = shutil.disk_usage(settings.home)
        free = usage.free
        found += disk(usage.free, usage.total)
    except OSError:
        pass
    found += clock_back(now, session.scalar(select(Head.at).where(Head.id == 1)), settings)
    found += key_state(settings.keys, keys)
    if known is not None or (settings.tls / certificates.AUTHORITY).exists():
        found += certificate(known, now, settings)
    found += backups(saved, now)
    found += drills(drill, now)
    found += checks(verified)
    found.sort(key=lambda finding: finding.kind != "wrong")
    return Care(tuple(found), verified, saved, drill, known, free, now)


def disk(free: int, total: int) -> Iterator[Finding]:
    """Less than 1 GiB or 5 % free."""
    if free >= LOW_BYTES and free * LOW_SHARE >= total:
        return
    mib = free // 1024**2
    yield Finding(
        "disk",
        "wrong",
        Text(f"磁盘快满了：只剩 {mib} MB", f"The disk is nearly full: {mib} MB are left"),
        Text(
            "满了以后什么都保存不了（已保存的不受影响）。请把旧备份移到别的盘，清理日志和下载文件。"
            "不要删除 files 和 keys 目录。",
            "Once it is full nothing can be saved (what is saved stays safe). Move old backups to another "
            "disk, clear logs and downloads. Do not delete the directories files and keys.",
        ),
    )


def clock_back(now: datetime, last: datetime | None, settings: Settings) -> Iterator[Finding]:
    """The machine's clock is behind the ledger's last entry."""
    if last is None or now >= last:
        return
    zone = ZoneInfo(settings.timezone)
    here, there = (m.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") for m in (now, last))
    yield Finding(
        "clock",
        "wrong",
        Text(
            f"时钟倒走：现在是 {here}，而账本最后一条是 {there}",
            f"The clock went back: it is {here}, and the ledger's last entry is of {there}",
        ),
        Text(
            "截止时间和验证码会出错。请在服务器上校准时间（timedatectl，Windows：日期和时间）；"
            "如果是现在的时间对、以前的错，请告诉监督人员。账本时间不会倒退：在此之前的新记录都记为账本最后的时间。",
            "Deadlines and sign-in codes go wrong. Set the server's time (timedatectl; Windows: Date & "
            "time). If the present time is right and the earlier was wrong, tell the supervisor. The "
            "ledger's time never runs backwards: until then new entries carry its last time.",
        ),
    )


def key_state(directory: Path, keys: Keys) -> Iterator[Finding]:
    """Each key file: there, whole, the one that is in use, and readable by its owner alone."""
    put_back = Text(
        "服务器现在还用着已读入的密钥，重启后就无法启动。请在重启之前把封存的副本放回原处。",
        "The server still has the key that it read and will not start again without the file. Put the "
        "sealed copy back before it is restarted.",
    )
    for name, value in zip(key_files.NAMES, (keys.ledger, keys.field, keys.cookie), strict=True):
        path = directory / name
        try:
            same = bytes.fromhex(path.read_text().strip()) == value
        except FileNotFoundError:
            what = Text(f"密钥文件不见了：{name}", f"A key file is missing: {name}")
            yield Finding("key_missing", "wrong", what, put_back)
            continue
        except (OSError, ValueError):
            same = False
        if not same:
            what = Text(
                f"密钥文件 {name} 读不出，或不是正在使用的那一个",
                f"Key file {name} cannot be read, or is not the one in use",
            )
            yield Finding("key_changed", "wrong", what, put_back)
            continue
    yield from _modes(directory)


def _modes(directory: Path) -> Iterator[Finding]:
    if os.name != "posix":
        return
    paths = [directory / name for name in key_files.NAMES]
    paths += [
        directory.parent / "tls" / name
        for name in (certificates.AUTHORITY_KEY, certificates.SERVER_KEY)
    ]
    for path in paths:
        try:
            mode = path.stat().st_mode & 0o777
        except OSError:
            continue
        if mode & 0o077:
            yield Finding(
                "key_mode",
                "wrong",
                Text(
                    f"密钥文件 {path.name} 别人也能读（权限 {mode:o}）",
                    f"Key file {path.name} is open to others (mode {mode:o})",
                ),
                Text(
                    f"请在服务器上运行 chmod 600 {path}；如果别人可能已经读过，请告诉监督人员。",
                    f"Run chmod 600 {path} on the server; if others may have read it, tell the "
                    "supervisor.",
                ),
            )


def certificate(
    known: certificates.Certificates | None, now: datetime, settings: Settings
) -> Iterator[Finding]:
    """The server's certificate ends within 30 days, has ended, or cannot be read."""
    renew = Text(
        "请在服务器上运行 mingjian cert renew，再重启服务。平板不用重新安装。",
        "Run mingjian cert renew on the server and restart it. Nothing changes on the tablets.",
    )
    if known is None:
        what = Text(
            "办公室证书文件损坏或不全", "The office's certificate files are damaged or incomplete"
        )
        todo = Text(
            f"请把副本放回 {settings.tls}，或用 mingjian cert make --new-authority 另建。",
            f"Put a copy back into {settings.tls}, or make another with mingjian cert make "
            "--new-authority.",
        )
        yield Finding("certificate", "wrong", what, todo)
        return
    left = known.days_left(now)
    if left < 0:
        what = Text("服务器证书已到期：平板会拒绝连接", "The server's certificate has ended: tablets refuse it")  # fmt: skip
        yield Finding("certificate", "wrong", what, renew)
    elif left < certificates.WARN_DAYS:
        what = Text(
            f"服务器证书还有 {left} 天到期", f"Days left of the server's certificate: {left}"
        )
        yield Finding("certificate", "waits", what, renew)


def backups(saved: keepsakes.Saved | None, now: datetime) -> Iterator[Finding]:
    """No backup, or the last is older than two days."""
    todo = Text(
        "请运行 mingjian backup 文件名，放到另一块盘；每晚自动备份见 docs/deploy.md。",
        "Run mingjian backup FILE onto another disk; docs/deploy.md has the nightly timer.",
    )
    if saved is None:
        what = Text("这套装置还没有备份", "This installation has no backup yet")
    elif now - saved.at > BACKUP_DUE:
        days = (now - saved.at).days
        what = Text(f"上次备份是 {days} 天以前", f"The last backup is {days} days old")
    else:
        return
    yield Finding("backup", "waits", what, todo)


def drills(drill: keepsakes.Drill | None, now: datetime) -> Iterator[Finding]:
    """A drill that failed, or none in the last 90 days."""
    todo = Text(
        "请运行 mingjian restore --drill 备份文件 --keys 封存密钥的副本：在临时位置恢复、核对、删除，不影响使用。",
        "Run mingjian restore --drill BACKUP --keys COPY: it restores into a temporary place, compares "
        "and removes it; nobody is disturbed.",
    )
    if drill is not None and not drill.ok:
        what = Text("上次恢复演练没有成功：{said}", "The last restore drill failed: {said}")
        again = Text(
            "请用最近的另一份备份再做一次；再不成功，请立即另做备份。",
            "Try another recent backup; if that fails too, make a new one at once.",
        )
        yield Finding("drill", "wrong", what.format(said=drill.said), again)
    elif drill is None:
        what = Text("还没有做过恢复演练", "No restore drill has been made yet")
        yield Finding("drill", "waits", what, todo)
    elif now - drill.at > DRILL_DUE:
        days = (now - drill.at).days
        what = Text(f"上次恢复演练是 {days} 天以前", f"The last restore drill was {days} days ago")
        yield Finding("drill", "waits", what, todo)


def checks(kept: verification.Verification | None) -> Iterator[Finding]:
    """The last full verification found faults, or there was none. Counts only: what they are stands
    on the page of the checks."""
    if kept is None:
        yield Finding(
            "checks",
            "waits",
            Text("还没有做过全面检查", "No full check has been made yet"),
            Text("请点“立即全部核验”。", "Press “Verify everything now”."),
        )
    elif not kept.ok:
        broken = sum(bool(check.count) for check in kept.checks)
        yield Finding(
            "checks",
            "wrong",
            Text(
                f"全面检查发现 {broken} 项不成立",
                f"Broken invariants found by the full check: {broken}",
            ),
            Text(
                "请打开检查结果，并告诉监督人员；不要自行改动数据库。",
                "Open the results and tell the supervisor; change nothing in the database.",
            ),
        )
