"""Proof that nobody with the rights of the office, or with the database in hand, gets a second result.

A bot (`bot`, `raw_sql`) tries at every state of a real draw. After each attempt the tables are read by
an oracle of its own (`oracle`): one result for a purpose, the same seats byte for byte, and an entry
in the ledger for each request that the draw room refused. What the database took is found by the
ledger's check or by doctor. The proof can fail: with the guards taken away the same bot gets its
second result and the oracle says so.
"""

from __future__ import annotations

import logging
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from app.draw import freezing, operations, operations_order, pool, purposes, refusals_watch
from tests.attacks.acts import Shot
from tests.attacks.test_parallel import fire
from tests.domain.draw.pools import number
from tests.proof import bot, new_door, oracle
from tests.proof.databases import REFUSALS
from tests.proof.installation import REFUSED, REQUEST, TYPED, built
from tests.proof.raw_sql import WAYS

AT_ONCE = 50
MANY = 200  # attempts, from which on both cores are used


def second_result(count: int, server: str | None = None) -> str:
    """`count` attempts: three in ten at once, three in ten with SQL, the others through the pages; on
    SQLite, or on a PostgreSQL `server`. Each attempt starts from a kept database, so that many are
    shared out to two processes with an installation each."""
    parts = 2 if count >= MANY else 1
    shares = [Share(count, part, parts, server) for part in range(parts)]
    if parts == 1:
        found = [_work(shares[0])]
    else:
        with ProcessPoolExecutor(parts) as processes:
            found = list(processes.map(_work, shares))
    tried = sum((one.tried for one in found), Counter[str]())
    assert tried.total() == count, tried
    ways = ", ".join(f"{n} {name}" for name, n in sorted(tried.items()))
    return (
        f"{count} attempts, no second result, the seats byte-equal ({ways}); "
        f"{sum(one.refused for one in found)} refused requests, each in the ledger; "
        f"{sum(one.stopped for one in found)} statements refused by the database, "
        f"{sum(one.detected for one in found)} found by ledger verify or doctor; another purpose is "
        f"drawn; {found[0].caught} guards taken away, each caught"
    )


@dataclass(frozen=True)
class Share:
    """The attempts of one process: those whose number leaves `part` when divided by `parts`."""

    count: int
    part: int
    parts: int
    server: str | None

    def turns(self, size: int) -> range:
        return range(self.part, size, self.parts)


@dataclass(frozen=True)
class Found:
    """What one process tried and counted."""

    tried: Counter[str]
    refused: int
    stopped: int
    detected: int
    caught: int


def _work(share: Share) -> Found:
    count = share.count
    threads = min(AT_ONCE, max(5, count // 6))
    batches = max(1, count * 3 // 10 // threads)
    by_sql = count * 3 // 10
    doors = max(len(new_door.DOORS) + 1, count // 10)
    caught = 0
    quick = patch.multiple(pool, DRILLS=50), patch.multiple(freezing, REHEARSALS=20)
    with tempfile.TemporaryDirectory() as folder, quick[0], quick[1]:
        bench = Bench(Path(folder), share.server)
        try:
            for turn in share.turns(batches):
                bench.parallel(turn, threads)
            for turn in share.turns(by_sql):
                bench.sql(turn)
            for turn in share.turns(doors):
                bench.door(turn)
            for turn in share.turns(count - batches * threads - by_sql - doors):
                bench.page(turn)
            if share.part == 0:
                bench.another_purpose()
                caught = bench.controls()
        finally:
            bench.place.gone()
    return Found(bench.tried, bench.refused, bench.stopped, bench.detected, caught)


def _weighted(table: Mapping[str, tuple[Any, tuple[str, ...], int]]) -> list[str]:
    return [name for name, (_, _, weight) in table.items() for _ in range(weight)]


class Bench:
    """The installation, what is known of it at every ground, and what was counted."""

    def __init__(self, folder: Path, server: str | None) -> None:
        self.place = built(folder, server)
        self.tried: Counter[str] = Counter()
        self.refused = self.stopped = self.detected = 0
        self._more_grounds()
        self.known = dict(self.place.address)
        self.heads: dict[str, Any] = {}
        self.before: dict[str, tuple[dict[str, str], bytes, Counter[Any]]] = {}
        self.place.back("completed")
        self.draw_id = bot.the_draw(self.place)
        self.reference = oracle.members(self.place, self.draw_id)
        assert len(self.reference) == 5
        (self.commitment,) = self.place.rows(
            "SELECT commitment_hash FROM draw WHERE id = ?", self.draw_id
        )

    def _more_grounds(self) -> None:
        """Beside a completed draw: a finished drill of the same counties; some refused attempts."""
        place = self.place
        place.ask()
        place.keep("tried")
        place.back("completed")
        assert bot.copy_round(place, "drill", lambda _what, _n: 0, "2012-11-20", "drill")
        assert place.ask("drill", observer="").status_code == 302
        drill = next(key for key, _, slug in place.draws() if slug == "drill")
        place.advance(drill, "drill")
        place.keep("drilled")
        new_door.prepare(place)

    def at(self, ground: str) -> None:
        """Back at a ground; the first time, it is looked at and found to be whole."""
        self.place.back(ground)
        self.place.address = dict(self.known)
        if ground in self.before:
            return
        self.heads[ground] = self.place.head()
        assert oracle.found(self.place, self.heads[ground]) == ""
        self.before[ground] = (
            oracle.everything(self.place), oracle.drawn(self.place), oracle.results(self.place)
        )  # fmt: skip
        results = self.before[ground][2]
        more = sum(new_door.led(self.place).values())
        assert more == (ground == "second"), (ground, more)
        assert set(results.values()) <= {1 + more}, (ground, results)
        done = ground in ("completed", "drilled", "tried", *new_door.GROUNDS)
        assert bool(results) == done, (ground, results)

    # -- attempts

    def page(self, turn: int) -> None:
        """One attempt through the pages, and the judgement of the tables."""

        def pick(what: str, n: int) -> int:
            return number("second", turn, what) % n

        families = _weighted(bot.FAMILIES)
        name = families[turn % len(families)]
        family, grounds, _ = bot.FAMILIES[name]
        ground = grounds[turn // len(families) % len(grounds)]
        self.at(ground)
        said = self.place.answers["refused"]
        family(self.place, ground, pick)
        self.refused += self.place.answers["refused"] - said
        self.judge(ground, (name, ground, turn))
        self.tried[name] += 1

    def judge(self, ground: str, what: object) -> None:
        """One result for a purpose, now and when the honest people have gone on; equal seats."""
        tables, drawn, results = self.before[ground]
        place = self.place
        if results:
            assert oracle.drawn(place) == drawn, what
        if oracle.everything(place) != tables:
            self.finish()
        elif not results:
            return
        after = oracle.results(place)
        assert set(after.values()) <= {1}, (what, after)
        if self.commitment in place.rows("SELECT commitment_hash FROM draw WHERE key IS NOT NULL"):
            assert oracle.members(place, self.draw_id) == self.reference, what
        fault = oracle.found(place, self.heads[ground])
        assert fault == "", (what, fault)

    def finish(self) -> None:
        """Every open draw is carried on by the honest people as far as the program lets them."""
        place = self.place
        phases = dict(place.rows("SELECT slug, phase FROM round"))
        for key, state, slug in place.draws():
            if state in ("draft", "committed", "cosigned") and not self._stuck(key, phases[slug]):
                place.advance(key, slug)

    def _stuck(self, key: str, phase: str) -> bool:
        """A draft that may not be committed: its refusal was part of the attempt."""
        state = {a: b for a, b, _ in self.place.draws()}[key]
        return state == "draft" and phase not in ("preparing", "open")

    def door(self, turn: int) -> None:
        """One attempt at the release of a second draw: never more results than releases of two people
        allow by the ledger, and what was written by hand opens nothing and is found."""

        def pick(what: str, n: int) -> int:
            return number("door", turn, what) % n

        place, names = self.place, [*new_door.DOORS, "by hand"]
        name = names[turn % len(names)]
        grounds = new_door.BY_HAND if name == "by hand" else new_door.DOORS[name][1]
        ground = grounds[turn // len(names) % len(grounds)]
        self.at(ground)
        said = place.answers["refused"]
        held = max(self.before[ground][2].values())
        if name == "by hand":
            with place.raw() as raw:
                try:
                    new_door.written(raw, pick)
                    raw.commit()
                except REFUSALS:
                    self.stopped += 1
            fault = oracle.found(place, self.heads[ground])
            slug = f"hand-{turn}"
            if fault:
                self.detected += 1
                assert bot.copy_round(place, slug, pick, "2012-11-22")
                for where in (new_door.AGAIN, slug):
                    answer = place.ask(where)
                    assert answer.status_code in (409, 422), (ground, where, answer.status_code)
            assert max(oracle.results(place).values()) == held, (name, ground, turn)
        else:
            new_door.DOORS[name][0](place, ground, pick)
            self.finish()
            allowed = 1 + sum(new_door.led(place).values())
            assert max(oracle.results(place).values()) <= allowed, (name, ground, turn)
            assert allowed == held or ground == "released", (name, ground, turn, allowed)
            assert oracle.members(place, self.draw_id) == self.reference, (name, ground, turn)
            fault = oracle.found(place, self.heads[ground])
            assert fault == "", (name, ground, turn, fault)
        self.refused += place.answers["refused"] - said
        self.tried["new door"] += 1

    def sql(self, turn: int) -> None:
        """One attempt with the database in hand: refused by it, or found."""

        def pick(what: str, n: int) -> int:
            return number("raw", turn, what) % n

        ways = _weighted(WAYS)
        name = ways[turn % len(ways)]
        way, grounds, _ = WAYS[name]
        ground = grounds[turn // len(ways) % len(grounds)]
        self.at(ground)
        self.tried["raw SQL"] += 1
        if name == "recorded":
            way(self.place, pick)
        else:
            with self.place.raw() as raw:
                try:
                    way(raw, pick)
                except REFUSALS:
                    self.stopped += 1
                    return
                assert raw.changed > 0, (name, ground, turn)
                raw.commit()
        fault = oracle.found(self.place, self.heads[ground])
        assert fault, (name, ground, turn)
        self.detected += 1
        if turn % 2 == 0:
            self._carried_on(ground, (name, ground, turn))

    def _carried_on(self, ground: str, what: object) -> None:
        """The ceremony goes on upon the changed rows, which records some of them anew: a result that
        differs, or a second one, is found all the same."""
        place = self.place
        logging.disable(logging.CRITICAL)
        with suppress(Exception):  # where the program stops on the damage, what it did is judged
            self.finish()
            place.ask()
            self.finish()
        logging.disable(logging.NOTSET)
        after = oracle.results(place)
        other = oracle.members(place, self.draw_id) not in ([], self.reference)
        if other or max(after.values(), default=0) > 1:
            assert oracle.found(place, self.heads[ground]), (what, after)

    def parallel(self, turn: int, threads: int) -> None:
        """The same request from many threads at one moment."""
        page = f"{bot.BASE}/{self.draw_id}"
        everything = {**REQUEST, "subjects": list(self.place.subjects.values())}
        code = {"party": "office", "code": self.place.code(self.draw_id, "office")}
        plans: tuple[tuple[str, str, dict[str, Any]], ...] = (
            ("last", f"{page}/code", code),
            ("free", f"{bot.BASE}/new", everything),
            ("completed", f"{bot.BASE}/new", everything),
            ("draft", f"{page}/commit", {}),
            ("cosigned", f"{page}/dice", {"source": "dice", "values": TYPED}),
            ("completed", f"{page}/complete", {}),
        )
        ground, path, form = plans[turn % len(plans)]
        self.at(ground)
        before = self.place.size()
        answers = fire(self.place.app, Shot(self.place.viewers["office"], path, form), threads)
        statuses = Counter(answer.status_code for answer in answers)
        assert max(statuses) < 500, statuses
        kinds = Counter(self.place.kinds(before))
        refused = sum(n for status, n in statuses.items() if status >= 400)
        assert kinds[REFUSED] == refused, (statuses, kinds)
        if ground != "completed":
            assert statuses[302] == 1, (path, statuses)
        self.refused += refused
        self.judge(ground, (path, statuses))
        self.tried["parallel"] += threads

    # -- what must be possible, and what the oracle must see

    def another_purpose(self) -> None:
        """The other stage of the same counties is drawn, beside the first result."""
        self.at("completed")
        assert self.place.ask(stage="site").status_code == 302
        self.finish()
        results = oracle.results(self.place)
        assert len(results) == 4 and set(results.values()) == {1}, results
        assert oracle.found(self.place, self.heads["completed"]) == ""

    def controls(self) -> int:
        """Each guard taken away in turn: the oracle, or the account of the attempts, says so."""
        place = self.place

        def nothing(*_: Any, **__: Any) -> None:
            return None

        self.at("completed")
        with ExitStack() as without:
            without.enter_context(patch.object(operations, "refuse_second", nothing))
            with place.raw() as raw:
                raw.execute("DROP INDEX ix_draw_one_completed")
                raw.commit()
            assert place.ask().status_code == 302
            self.finish()
        assert set(oracle.results(place).values()) == {2}, "the oracle sees a second result"
        assert "has 2" in oracle.found(place, self.heads["completed"]), "and so does doctor"
        self.at("completed")
        with ExitStack() as without:
            for module in (operations, operations_order, purposes):
                without.enter_context(patch.object(module, "refuse_elsewhere", nothing))
            assert bot.copy_round(place, "copied", lambda _what, _n: 0, "2012-11-20")
            assert place.ask("copied").status_code == 302
            self.finish()
        assert set(oracle.results(place).values()) == {2}, "a copied round gives a second result"
        assert "has 2" in oracle.found(place, self.heads["completed"])
        self.at("cancelled")
        with ExitStack() as without:
            for module in (operations, operations_order, purposes):
                without.enter_context(patch.object(module, "refuse_elsewhere", nothing))
            assert place.ask(new_door.AGAIN).status_code == 302
            self.finish()
        assert set(oracle.results(place).values()) == {2} and not new_door.led(place)
        assert "has 2" in oracle.found(place, self.heads["cancelled"]), "no release leads to it"
        self.at("completed")
        with patch.object(refusals_watch, "_record", nothing), _fails():
            place.post("office", f"{bot.BASE}/{self.draw_id}/complete")
        self.at("completed")
        with place.raw() as raw:
            raw.execute("UPDATE seat SET ticket = ? WHERE number = 1", ("0" * 64,))
            raw.commit()
        with _fails():
            self.judge("completed", "a changed seat")
        return 5


@contextmanager
def _fails() -> Iterator[None]:
    """The block raises AssertionError."""
    try:
        yield
    except AssertionError:
        return
    raise RuntimeError("what was to be caught was not")
