"""Any interleaving of taps, uploads that fail on either way, restarts, a second tablet, take-overs, seals
and choices: the server does what sixty lines of model say, no acknowledged operation is missing or
doubled, and none leaves a tablet without its receipt.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from app.accounts.models import Tablet
from app.domain.field.operations import entries_hash
from app.domain.scoring.sheets import sheet_items
from app.field import branches, ops
from app.field.invariants import INVARIANTS
from app.field.models import FieldBatch, FieldOp
from app.field.places import Place, find_place
from app.field.push import Push
from app.ledger import prove
from app.programme.instruments import instrument_for
from app.scoring import queries
from app.scoring.entries import merged
from tests.attacks import world as steps
from tests.field.model import ServerModel
from tests.field.virtual import VirtualTablet, bound


def same(found: Any, wanted: Any, what: str) -> None:
    """As an assertion, without the line-by-line comparison that takes minutes on large values."""
    if found != wanted:
        raise AssertionError(f"{what}: {str(found)[:400]} instead of {str(wanted)[:400]}")


class _Undo(Exception):
    """Each example ends where it began."""


class Interleavings(RuleBasedStateMachine):
    """Two tablets of one expert and one sheet. `town` is set by whoever runs it."""

    town: Any = None  # (database, world, sitting id, instrument)

    def __init__(self) -> None:
        super().__init__()
        database, world, self.key, form = self.town
        self.viewer = world.expert(1)
        self.context = database.write()
        self.session = self.context.__enter__()
        items = [i for i in sheet_items(form) if i["applies"]]
        marks = steps.complete_marks(items)
        self.items, self.form = sheet_items(form), form
        marked = {p: v for p, v in marks.items() if not p.endswith(".reason") and v}
        self.paths = [f"{items[n]['id']}.reason" for n in range(3)] + [
            next(p for p in marked if p.startswith(items[3]["id"] + "."))
        ]
        self.model = ServerModel(frozenset(marked))
        self.tablets = [
            VirtualTablet(bound(self.session, self.viewer, str(n)).id, form["digest"], n * 10_000)
            for n in range(2)
        ]
        self.knows: dict[str, Any] = {}
        self.first: dict[str, Any] = {}  # receipts as they were first given
        self.rev = [0, 0]
        self.tablets[0].fill(self.key, marked)
        self.send(0, "ok", 200)
        self.rev[1] = self.rev[0]  # the second tablet loads its package now

    def send(self, number: int, how: str, most: int) -> None:
        """One upload: it arrives or not, its answer arrives or not, it may be sent twice."""
        tablet = self.tablets[number]
        ops = tablet.batch(most)
        if how == "lost request" or not ops:
            return
        for _ in range(2 if how == "twice" else 1):
            wanted = [self.model.arrive(op, self.knows.get(op["id"])) for op in ops]
            before = VirtualTablet(tablet.id, logs=tablet.logs)
            answer = before.flush(self.session, self.viewer, ops)
            for check in self.session.info.get("before_commit", ()):
                check(self.session)
            assert "stopped" not in answer
            got = [(r["status"], r.get("why")) for r in answer["receipts"]]
            same(got, wanted, f"verdicts on {[op['kind'] for op in ops]}")
            for op, told in zip(ops, answer["receipts"], strict=True):
                plain = {k: v for k, v in told.items() if k != "replayed"}
                same(plain["hash"], op["hash"], "the receipt's hash")
                same(told.get("replayed", False), op["id"] in self.first, "replayed")
                same(self.first.setdefault(op["id"], plain), plain, "the receipt")
            if how != "lost reply":
                tablet.take(answer)
                self.rev[number] = answer["sheets"][self.key]["rev"]

    @rule(
        number=strategies.integers(0, 1), path=strategies.integers(0, 3),
        word=strategies.sampled_from(["", "甲", "乙", "１７．５"]),
    )  # fmt: skip
    def edit(self, number: int, path: int, word: str) -> None:
        if path == 3:  # a mark: there, or taken out again
            word = "" if word == "" else str(self.marked_value())
        self.tablets[number].put(self.key, self.paths[path], word, base=self.rev[number])

    def marked_value(self) -> Any:
        return next(
            op["new"] for op in self.tablets[0].logs[self.key] if op["path"] == self.paths[3]
        )

    @rule(
        number=strategies.integers(0, 1), most=strategies.sampled_from([1, 3, 200]),
        how=strategies.sampled_from(["ok", "ok", "lost request", "lost reply", "twice"]),
    )  # fmt: skip
    def flush(self, number: int, how: str, most: int) -> None:
        self.send(number, how, most)

    @rule(number=strategies.integers(0, 1))
    def restart(self, number: int) -> None:
        """The tablet goes on from what it had written down; the server forgets what it had read."""
        kept = json.loads(json.dumps(self.tablets[number].__dict__))
        self.tablets[number] = VirtualTablet(**kept)
        self.session.flush()
        self.session.expire_all()

    @rule(number=strategies.integers(0, 1))
    def take_over(self, number: int) -> None:
        row = self.session.get_one(Tablet, self.tablets[number].id)
        branches.take_over(self.session, self.viewer, row, self.key)
        self.model.active = row.id

    @rule(number=strategies.integers(0, 1), honest=strategies.booleans())
    def seal(self, number: int, honest: bool) -> None:
        tablet = self.tablets[number]
        view = dict(self.model.words)
        if honest:
            view |= {op["path"]: op["new"] for op in tablet.outbox if op["kind"] == "set"}
        else:
            view[self.paths[0]] = "从没有过的话"
        entries = merged(self.items, {}, view)
        op = tablet.seal(self.key, self.viewer.name, entries_hash(entries))
        self.knows[op["id"]] = view

    @rule(number=strategies.integers(0, 1))
    def withdraw(self, number: int) -> None:
        self.tablets[number].do(self.key, "withdraw", reason="看错了一页")

    @precondition(lambda self: self.model.beside)
    @rule(number=strategies.integers(0, 1), pick=strategies.sampled_from(["mine", "branch"]))
    def choose(self, number: int, pick: str) -> None:
        place = find_place(self.session, self.viewer, self.key)
        assert place is not None
        for row, shown in zip(
            branches.open_branches(self.session, place),
            branches.compared(self.session, place),
            strict=True,
        ):
            op = self.tablets[number].do(
                self.key, "choose", branch=row.id, reason="对照后决定",
                picks={item["item"]: pick for item in shown["items"]},
            )  # fmt: skip
            self.knows[op["id"]] = row.tablet_id

    def teardown(self) -> None:
        try:
            for number in (0, 1):
                self.send(number, "ok", 200)
            self.look()
        finally:
            with suppress(_Undo):
                self.context.__exit__(_Undo, _Undo(), None)

    def look(self) -> None:
        """Everything acknowledged is there once; the sheet is what the model says."""
        self.session.flush()
        self.session.expire_all()
        stored = self.session.scalars(select(FieldOp)).all()
        sent = {op["id"]: op["hash"] for t in self.tablets for log in t.logs.values() for op in log}
        same({row.id: row.hash for row in stored}, sent, "what is stored")
        same(len(stored), len(sent), "each once")
        for tablet in self.tablets:
            mine = {op["id"]: op["hash"] for log in tablet.logs.values() for op in log}
            got = {told["id"]: told["hash"] for told in tablet.receipts.values()}
            same(got, mine, "receipts on a tablet")
            same(tablet.outbox, [], "an outbox")
        leaves = [row.leaf for row in self.session.scalars(select(FieldBatch))]
        same(sorted(leaves), sorted({row.leaf for row in stored}), "leaves")
        place = find_place(self.session, self.viewer, self.key)
        assert place is not None and place.sheet is not None
        same(place.sheet.entries, merged(self.items, {}, self.model.words), "the entries")
        same(place.sheet.state == "sealed", self.model.sealed, "sealed")
        hold = place.hold
        same(hold.branches if hold else 0, len(self.model.beside), "branches")
        same(hold.tablet_id if hold else None, self.model.active, "the active tablet")
        standing = queries.live_version(self.session, place.sheet)
        assert standing is not None and standing.id == place.sheet.id
        for name, check in INVARIANTS:
            same(check(self.session), [], name)
        same(prove.verify(self.session, None).faults, [], "the ledger")


def run(database: Any, world: Any, examples: int, steps_each: int, phases: Any = Phase) -> None:
    """Machines over one prepared sitting; each example is undone at its end."""
    with database.write() as session:
        sitting = steps.to_scoring(session, world)
        _, form = instrument_for(session, sitting.panel.round, sitting.subject, "site")
        Interleavings.town = (database, world, sitting.id, form)
    run_state_machine_as_test(
        Interleavings,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps_each,
            deadline=None,
            derandomize=True,
            database=None,
            phases=tuple(phases),
            suppress_health_check=list(HealthCheck),
        ),  # fmt: skip
    )


def test_any_interleaving_is_as_the_model_says(database, world):
    run(database, world, examples=25, steps_each=20)


def _anybody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Place, "held_by", lambda place, tablet: True)


def _forgetful(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Push, "_stored", lambda push, raw: {})


def _blind(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ops, "entries_hash", lambda entries: None)


@pytest.mark.parametrize("broken", [_anybody, _forgetful, _blind])
def test_a_broken_server_is_caught(database, world, monkeypatch, broken):
    """Anybody's tablet is active; what was stored is not looked up; a seal on other words."""
    broken(monkeypatch)
    with pytest.raises((AssertionError, ExceptionGroup)):
        run(database, world, examples=10, steps_each=15, phases=[Phase.generate])
