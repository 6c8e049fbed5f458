"""Where the browser of the browser tests is: what `.ci/test` found, else what is installed."""

from __future__ import annotations

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium_path() -> str | None:
    """The path of a Chromium, or None."""
    return os.environ.get("MINGJIAN_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
