"""An uploaded expert file between its dry run and its confirmation: encrypted, for one day.

It holds identity numbers, so it never lies on disk in clear and does not stay (PIPL art. 47).
"""

from __future__ import annotations

import base64
import os
import re
import secrets
from datetime import timedelta
from pathlib import Path

from app import clock
from app.domain.types import DomainError, Text
from app.keys import Keys

KEPT_FOR = timedelta(hours=24)
GONE = Text(
    "上传的文件已不在服务器上（保留 24 小时），没有导入任何人；请重新上传。",
    "The uploaded file is no longer here (it is kept for 24 hours) and nobody was imported; "
    "upload it again.",
)


class Uploads:
    """Files under `home/uploads`, each named by a random token."""

    def __init__(self, home: Path, keys: Keys) -> None:
        self.folder, self.keys = home / "uploads", keys

    def keep(self, data: bytes) -> str:
        """Keep `data` and return its token; what is older than a day goes."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        oldest = (clock.now() - KEPT_FOR).timestamp()
        for path in self.folder.iterdir():
            if path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)
        token = secrets.token_hex(16)
        sealed = bytes.fromhex(self.keys.encrypt(base64.b64encode(data).decode()))
        handle = os.open(self.folder / token, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(sealed)
        return token

    def read(self, token: str) -> bytes:
        """The bytes of a token; DomainError when they are gone."""
        try:
            sealed = self._path(token).read_bytes()
        except FileNotFoundError as error:
            raise DomainError(GONE, field="file") from error
        return base64.b64decode(self.keys.decrypt(sealed.hex()))

    def forget(self, token: str) -> None:
        """Remove the file of a token, if it is there."""
        self._path(token).unlink(missing_ok=True)

    def _path(self, token: str) -> Path:
        if not re.fullmatch(r"[0-9a-f]{32}", token):
            raise DomainError(GONE, field="file")
        return self.folder / token
