"""A public lottery: later than the cosignature, typed after it was drawn, and said in words."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app import clock
from app.domain.types import Conflict, DomainError
from app.draw import ceremony, hall, operations, operations_ceremony, steps
from app.draw.models import Draw
from app.draw.papers import slip
from app.draw.sources import DICE as SIX_SIDED
from app.draw.sources import PRESETS
from app.exercise import device
from tests.draw.builders import DICE, Staff, make_pool, make_round, request

DRAWN = datetime(2012, 11, 18, 13, 15, tzinfo=UTC)  # 21:15 in Beijing
BEFORE, AFTER = DRAWN - timedelta(seconds=1), DRAWN + timedelta(minutes=30)
LOTTERY = [{**row, "when": "2012136 2012-11-18T21:15+08:00"} for row in PRESETS["ssq"]]
VALUES = {"ssq-red": [3, 9, 12, 20, 27, 31], "ssq-blue": [7], "dice": DICE}


def committed(session: Session, staff: Staff, **more: Any) -> Draw:
    make_pool(session)
    round_ = make_round(session, kind=more.pop("kind", "real"))
    draw = request(session, staff, round_, sources=[SIX_SIDED, *LOTTERY], **more)
    with clock.fixed(DRAWN - timedelta(days=1)):
        operations.commit_draw(session, staff.office, draw)
    return draw


def test_no_cosignature_once_the_lottery_is_drawn(session: Session, staff: Staff) -> None:
    draw = committed(session, staff)
    for late in (DRAWN, AFTER):
        with clock.fixed(late), pytest.raises(DomainError) as refused:
            device.cosign(session, staff.supervisor, draw)
        assert "福彩双色球·红球" in refused.value.text.zh and "中止" in refused.value.text.zh
        assert "red" in refused.value.text.en and "too late to cosign" in refused.value.text.en
    assert draw.state == "committed" and draw.cosigned_at is None
    with clock.fixed(BEFORE):
        device.cosign(session, staff.supervisor, draw)
    assert draw.state == "cosigned" and draw.cosigned_at == BEFORE


def test_no_value_is_typed_before_the_lottery_is_drawn(session: Session, staff: Staff) -> None:
    draw = committed(session, staff)
    with clock.fixed(BEFORE):
        device.cosign(session, staff.supervisor, draw)
        for send in (operations_ceremony.save_typing, operations_ceremony.enter_dice):
            with pytest.raises(DomainError, match="cannot be typed before"):
                send(session, staff.office, draw, "ssq-blue", [7])
        operations_ceremony.save_typing(session, staff.office, draw, "dice", DICE)
        assert [row["waits"] for row in hall.sources(session, draw)] == [False, True, True]
    assert hall.own_values(session, staff.office, draw, "ssq-blue") == []
    with clock.fixed(DRAWN):
        assert not any(row["waits"] for row in hall.sources(session, draw))
        state = operations_ceremony.save_typing(session, staff.office, draw, "ssq-blue", [7])
        assert state.entered == {"office"}
    with pytest.raises(DomainError) as refused:
        operations_ceremony.enter_dice(session, staff.office, draw, "ssq-red", [3] * 6)
    assert "“福彩双色球·红球”" in refused.value.text.zh and "ssq-red" not in refused.value.text.en


def test_a_drill_is_not_held_to_the_hour(session: Session, staff: Staff) -> None:
    draw = committed(session, staff, kind="drill")
    with clock.fixed(AFTER):
        device.cosign(session, staff.supervisor, draw)
    with clock.fixed(BEFORE):
        operations_ceremony.save_typing(session, staff.office, draw, "ssq-blue", [7])


def test_pages_hall_and_slip_say_sources_and_modes_in_words(
    session: Session, staff: Staff, tmp_path: Path
) -> None:
    draw = committed(session, staff)
    with clock.fixed(BEFORE):
        device.cosign(session, staff.supervisor, draw)
    title = hall.sources(session, draw)[1]["title"]
    assert title == {"zh": "福彩双色球·红球", "en": "Double Colour Ball (双色球), red"}
    step = steps.next_step(staff.office, draw)
    assert "六面骰子" in step.text.zh and step.what == "dice"
    with clock.fixed(AFTER):
        for name, values in VALUES.items():
            for viewer in (staff.office, staff.supervisor):
                operations.enter_dice(session, viewer, draw, name, values)
        with pytest.raises(Conflict):
            operations.enter_dice(session, staff.office, draw, "dice", DICE)
        said = [state.text for state in ceremony.dice_states(draw).values()]
        for name in draw.request["parties"]:
            operations.reveal_code(session, staff.viewer(name), draw, name, staff.code(name))
    assert "来源“福彩双色球·蓝球”两人录入一致" in said[2].zh and "ssq" not in said[2].en
    wanted = {
        "zh": ("六面骰子", "福彩双色球·红球", "不计顺序", "有序", "P1：5席（按签号依次入选）"),
        "en": ("Six-sideddice", "DoubleColourBall", "asaset", "inorder", "P1:5seats(Byticket)"),
    }
    for language, words in wanted.items():
        if shutil.which("pdftotext") is None:
            pytest.skip("pdftotext (poppler-utils) is missing")
        path = tmp_path / f"{language}.pdf"
        path.write_bytes(slip(session, staff.office, draw, language, session.info["settings"]))
        done = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, check=True)
        text = re.sub(r"\s", "", done.stdout.decode())
        assert [word for word in words if word not in text] == []
        assert not re.search(r"ssq|sequence|\(tickets\)|\blottery\b", text)
