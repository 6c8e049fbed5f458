"""A printed blank sheet as a scanner sees it: its QR code says which sheet of whom it is."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app import clock
from app.panel.models import Sitting
from app.programme.instruments import instrument_for
from app.scoring import paper_forms
from tests.attacks import world as steps
from tests.attacks.world import settings, world, world_template
from tests.documents.qr_reader import modules, text_of

__all__ = ["settings", "world", "world_template"]
DPI = 150


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="pdftoppm (poppler-utils) is missing")
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_qr_code_of_a_printed_sheet_is_read_back(
    database: Any, world: Any, tmp_path: Path, language: str
) -> None:
    with database.write() as session:
        key = steps.to_scoring(session, world).id
    with database.read() as session:
        sitting = session.get_one(Sitting, key)
        seat = world.seat(session, 2)
        _, form = instrument_for(session, sitting.panel.round, sitting.subject, "site")
        wanted = paper_forms.sheet_key(key, seat, form)
        data = paper_forms.blank_data(session, sitting, [(seat, "虚构专家")], language)
    pdf = paper_forms.blank_pdf(data, clock.now())
    subprocess.run(
        ["pdftoppm", "-r", str(DPI), "-gray", "-png", "-singlefile", "-", str(tmp_path / "page")],
        input=pdf, check=True, timeout=60,
    )  # fmt: skip
    page = np.asarray(Image.open(tmp_path / "page.png").convert("L")) < 128
    code = modules(page)
    assert text_of(code) == wanted
    code = code.copy()
    code[-1, -2] ^= True  # one wrong module is another text
    with pytest.raises((ValueError, AssertionError)):
        assert text_of(code) == wanted
