"""Settings: read once from the environment, passed around as one frozen object.

Every secret is a file of mode 0600 under `home/keys`, outside the database and outside backups.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

LOCAL = ("localhost", "127.0.0.1")  # the server's own machine
ADDRESS = "http://127.0.0.1:8000"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things lie and how the server behaves; see `from_environment` for the variables."""

    home: Path
    database_url: str
    timezone: str = "Asia/Shanghai"
    public_url: str = ADDRESS
    trusted_hosts: tuple[str, ...] = ()
    proxy_hops: int = 0
    demo: bool = False  # two-factor sign-in off, and every page says so
    session_idle_minutes: int = 30
    session_hours: int = 12
    max_upload_mb: int = 50

    @property
    def keys(self) -> Path:
        """Directory of the ledger key, the field key and the cookie key."""
        return self.home / "keys"

    @property
    def tls(self) -> Path:
        """Directory of the office's certificates and their keys (app.certificates)."""
        return self.home / "tls"

    @property
    def files(self) -> Path:
        """Root of the content-addressed store."""
        return self.home / "files"

    @property
    def secure_cookies(self) -> bool:
        """`Secure` and `__Host-` need https; Safari refuses them on plain http."""
        return self.public_url.startswith("https://")

    @classmethod
    def from_environment(cls, home: str | Path | None = None) -> Settings:
        """Read MINGJIAN_HOME, DATABASE_URL, MINGJIAN_TIMEZONE, MINGJIAN_PUBLIC_URL,
        MINGJIAN_TRUSTED_HOSTS (comma separated), MINGJIAN_PROXY_HOPS and MINGJIAN_DEMO.

        Without MINGJIAN_PUBLIC_URL the address counts under which the installation was last served
        (file `public-url`), so that links which other commands print are right too. Where an address
        is known and no trusted hosts are, its host and this machine are trusted.
        """
        env = os.environ
        root = Path(home or env.get("MINGJIAN_HOME", "instance")).absolute()
        url = portable_url(env.get("DATABASE_URL") or f"sqlite:///{root / 'mingjian.db'}")
        public = env.get("MINGJIAN_PUBLIC_URL", "").rstrip("/") or _served(root)
        hosts = tuple(h.strip() for h in env.get("MINGJIAN_TRUSTED_HOSTS", "").split(",") if h)
        return cls(
            home=root,
            database_url=url,
            timezone=env.get("MINGJIAN_TIMEZONE", "Asia/Shanghai"),
            public_url=public or ADDRESS,
            trusted_hosts=hosts or (trusted(public) if public else ()),
            proxy_hops=int(env.get("MINGJIAN_PROXY_HOPS", "0")),
            demo=env.get("MINGJIAN_DEMO", "") == "1" or (root / "DEMO").exists(),
        )


def portable_url(url: str) -> str:
    """A database's address with the driver that the product brings along."""
    if url.startswith(("postgres://", "postgresql://")):
        return "postgresql+psycopg://" + url.split("://", 1)[1]
    return url


def trusted(public_url: str) -> tuple[str, ...]:
    """The names under which a server with this address is asked: its host, and the machine itself."""
    return tuple(dict.fromkeys((urlsplit(public_url).hostname or "", *LOCAL)))


def keep_served(home: Path, public_url: str) -> None:
    """Keep the address for the commands that print links."""
    (home / "public-url").write_text(public_url + "\n", "utf-8")


def _served(home: Path) -> str:
    try:
        return (home / "public-url").read_text("utf-8").strip().rstrip("/")
    except (OSError, ValueError):
        return ""
