"""What a push costs does not grow with what was pushed before, nor with the operations in it."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

from sqlalchemy import event, select, text

from app.domain.field.operations import Malformed
from app.domain.scoring.sheets import sheet_items
from app.field.models import FieldBatch
from app.field.push import read_all
from app.ledger.append import append, next_seq
from tests.field.counting import queries_of
from tests.field.test_field_push import opened


def test_as_many_queries_after_a_thousand_operations_and_for_two_hundred(database, world):
    tablet, key, form = opened(database, world)
    viewer = world.expert(1)
    path = f"{sheet_items(form)[0]['id']}.reason"

    def cost(count):
        for n in range(count):
            tablet.put(key, path, f"第{n}次")
        told = {}

        def push():
            told.update(tablet.push(database, viewer))
            return SimpleNamespace(status_code=200)

        spent = queries_of(SimpleNamespace(extensions={"mingjian.db": database}), push)
        assert {r["status"] for r in told["receipts"]} == {"accepted"}
        return spent

    cost(1)
    first = cost(1)
    assert first <= 20
    for _ in range(5):
        assert cost(200) == first
    assert cost(1) == first


def test_a_first_push_asks_the_database_nothing_twice(database, world):
    tablet, key, form = opened(database, world)
    for item in sheet_items(form)[:2]:
        tablet.put(key, f"{item['id']}.reason", "一")
    asked = Counter()

    def note(_conn, _cursor, statement, parameters, *_rest):
        if statement.startswith("SELECT") and "pg_advisory" not in statement:
            asked[statement, str(parameters)] += 1

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        told = tablet.push(database, world.expert(1))
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    assert [r["status"] for r in told["receipts"]] == ["accepted", "accepted"]
    twice = {statement for (statement, _), times in asked.items() if times > 1}
    # Only the ledger's head: for the number that is foretold, and with the lock for the entry.
    assert {"FROM ledger_head" in statement for statement in twice} <= {True}
    assert 10 <= asked.total() <= 18


def test_an_entry_bears_the_number_that_was_foretold(database, world):
    tablet, key, form = opened(database, world)
    with database.write() as session:
        foretold = next_seq(session)
        assert append(session, None, "test.one").seq == foretold
        assert next_seq(session) == foretold + 1
    tablet.put(key, f"{sheet_items(form)[0]['id']}.reason", "一")
    (receipt,) = tablet.push(database, world.expert(1))["receipts"]
    with database.read() as session:
        leaf = session.scalar(text("SELECT max(leaf) FROM field_batch"))
        assert leaf == receipt["leaf"] == session.scalars(select(FieldBatch)).one().leaf


def test_reading_stops_at_the_first_that_is_malformed(database, world):
    tablet, key, form = opened(database, world)
    for n in range(3):
        tablet.put(key, f"{sheet_items(form)[0]['id']}.reason", f"{n}")
    good = tablet.batch()
    found = read_all([good[0], {**good[1], "hash": "0" * 64}, good[2]])
    assert [isinstance(op, Malformed) for op in found] == [False, True]
    answer = tablet.push(database, world.expert(1), [good[0], {**good[1], "hash": "0" * 64}])
    assert len(answer["receipts"]) == 1 and answer["stopped"]["reason"] == str(found[1])
