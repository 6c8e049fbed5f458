"""What each page is for: the texts of the folded "?" on every page, by endpoint (`help.yaml`)."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from flask import request

from app.domain.scoring.yaml_source import LOADER
from app.domain.types import Text

FILE = Path(__file__).with_name("help.yaml")


@lru_cache(maxsize=1)
def page_texts() -> dict[str, Text]:
    """endpoint -> what the page is for, what to do next, what cannot be undone."""
    found = yaml.load(FILE.read_text("utf-8"), Loader=LOADER)
    return {endpoint: Text(said["zh"], said["en"]) for endpoint, said in found.items()}


def register(app: Any) -> None:
    """Give every page its own text as `page_help`; None where there is none."""
    page_texts()

    @app.context_processor
    def _help() -> dict[str, Any]:
        return {"page_help": page_texts().get(request.endpoint or "")}
