"""The blank declarations on paper bear the words that are signed on screen."""

from __future__ import annotations

import io
import re

import pypdf
import pytest
from sqlalchemy import select

from app import clock
from app.panel import papers
from app.panel.declarations import CONFLICTS, WORDS
from app.panel.models import Panel
from app.programme.models import Round


def squeezed(words: str) -> str:
    return re.sub(r"[\s\u3000]", "", words)


def printed(data: dict) -> str:
    reader = pypdf.PdfReader(io.BytesIO(papers.declaration_pdf(data, clock.now())))
    assert all(abs(float(page.mediabox.width) - 595) < 1 for page in reader.pages)  # A4
    return squeezed("".join(page.extract_text() for page in reader.pages))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_word_of_the_pledge_is_on_the_paper(session, world, language):
    panel = session.scalars(select(Panel)).first()
    conflict = papers.declaration_data(panel, "conflict", language)
    secrecy = papers.declaration_data(panel, "secrecy", language)
    text, other = printed(conflict), printed(secrecy)
    for said in (*CONFLICTS.values(), WORDS["conflict"]):
        assert squeezed(said.get(language)) in text
    assert squeezed(WORDS["secrecy"].get(language)) in other
    assert text.count("□") == len(CONFLICTS) + 1 and "□" not in other
    for sitting in panel.sittings:
        assert squeezed(sitting.subject.name.get(language)) in text
    assert text.index("□") < text.index(squeezed(WORDS["conflict"].get(language))[:12])


def test_on_screen(app, client_as, world):
    with app.extensions["mingjian.db"].read() as reading:
        panel_id = reading.scalars(
            select(Panel.id).join(Round).where(Round.slug == world.slug)
        ).first()
    place = f"/r/{world.slug}/panels/{panel_id}"
    office = client_as(world.people["office"])
    assert f"{place}/declarations/conflict.pdf" in office.get(place).text
    made = office.get(f"{place}/declarations/secrecy.pdf")
    assert made.status_code == 200 and made.data.startswith(b"%PDF")
    assert office.get(f"{place}/declarations/other.pdf").status_code == 404
