"""`python -m tests.windows DIRECTORY ROSTER REQUEST EXPERTS`: an office's first hour on a Windows that is played.

The modules, calls and signals that Windows lacks are taken away, a file that is open can be neither renamed
nor replaced nor removed, and the output goes to a file in a code page without Chinese. Every module of the
program is imported, then the commands of docs/windows.md run, and the server answers through waitress.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import waitress
import werkzeug.test

# What others wrote for both systems is loaded before anything is taken away.
OTHERS = (
    "alembic.config", "argon2", "asyncio", "brotli", "click", "cryptography.x509", "docx", "flask", "flask_login",
    "flask_wtf", "multiprocessing", "numpy", "openpyxl", "PIL.Image", "psycopg", "pyotp", "qrcode",
    "scipy.optimize", "sqlalchemy.orm", "typst", "uuid", "xlsxwriter", "yaml",
)  # fmt: skip
MODULES = (
    "fcntl",
    "resource",
    "pwd",
    "grp",
    "termios",
    "tty",
    "pty",
    "syslog",
    "posix",
    "gunicorn",
)
CALLS = (
    "fork", "forkpty", "killpg", "getuid", "geteuid", "getgid", "getegid", "setsid", "uname", "fchmod",
    "fchown", "chown", "getpgid", "setuid", "sync", "wait3", "wait4", "getloadavg", "sched_getaffinity",
    "posix_fallocate", "nice", "mkfifo", "sysconf", "O_NOFOLLOW", "O_DIRECTORY", "O_CLOEXEC",
)  # fmt: skip
SIGNALS = ("SIGKILL", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGCHLD", "SIGQUIT", "alarm", "setitimer")  # fmt: skip


def take_away() -> None:
    for name in OTHERS:
        importlib.import_module(name)
    for name in MODULES:
        sys.modules[name] = None  # type: ignore[assignment]
    for owner, names in ((os, CALLS), (signal, SIGNALS)):
        for name in names:
            if hasattr(owner, name):
                delattr(owner, name)
    os.name, sys.platform = "played", "win32"
    real = os.open

    def opened(path: Any, *args: Any, **more: Any) -> int:
        if os.path.isdir(path):
            raise PermissionError(13, "a directory cannot be opened", str(path))
        return real(path, *args, **more)

    os.open = opened
    for name in ("replace", "rename", "unlink", "remove", "rmdir"):
        setattr(os, name, unless_open(name, getattr(os, name)))


def unless_open(name: str, act: Callable[..., None]) -> Callable[..., None]:
    def guarded(path: Any, *rest: Any, **more: Any) -> None:
        for each in (path, *rest):
            if more.get("dir_fd") is None and held(str(each)):
                raise PermissionError(13, "it is open in this process", str(each))
        if name == "rename" and os.path.exists(rest[0]):
            raise FileExistsError(17, "it exists", str(rest[0]))
        act(path, *rest, **more)

    return guarded


def held(path: str) -> bool:
    whole, found = os.path.realpath(path), False
    for number in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{number}")
        except OSError:
            continue
        found |= target == whole or target.startswith(whole + "/")
    return found


def hour(place: Path, roster: str, request: str, experts: str) -> None:
    import app
    from app.cli import main

    def run(*words: object, code: int = 0) -> None:
        try:
            main([str(word) for word in words])
        except SystemExit as ended:
            assert (ended.code or 0) == code, (words, ended.code)

    for module in pkgutil.walk_packages(app.__path__, "app."):
        if not module.name.startswith("app.migrations"):  # alembic runs them, not an import
            importlib.import_module(module.name)
    home = ("--home", place / "home")
    run("init", *home, "--public-url", "https://review.lan:8443")
    run("cert", "make", *home, "review.lan")
    run("user", "add", *home, "--role", "keeper", "--name", "测试", "--login", "keep")
    run("import", "template", "experts", place / "template.xlsx")
    run("import", "experts", *home, "--new-employers", experts)
    run("draw", "commit", roster, request, "-o", place / "draw")
    run("draw", "run", place / "draw", "--dice", "1 6 3 2 2")
    run("draw", "run", place / "draw", "--dice", "1 6 3 2 2", code=2)
    run("verify", place / "draw" / "transcript.zip")
    run("backup", *home, place / "night.mjb")
    run("restore", "--drill", *home, place / "night.mjb")
    run("serve", *home, "--lan", code=2)

    def served(application: Any, sockets: list[Any], threads: int) -> None:
        browser = werkzeug.test.Client(application)
        page = browser.get("/sign-in", base_url="http://127.0.0.1:8000")
        print(f"waitress  {page.status_code}  {'登录名' in page.text}  {threads}")
        run("serve", *home, "--port", sockets[0].getsockname()[1], code=2)  # taken
        sockets[0].close()

    waitress.serve = served
    run("serve", *home, "--port", 0)


if __name__ == "__main__":
    take_away()
    for gone in ("fcntl", "resource"):
        try:
            importlib.import_module(gone)
        except ImportError:
            continue
        raise SystemExit(f"{gone} is still here")
    hour(Path(sys.argv[1]), *sys.argv[2:5])
