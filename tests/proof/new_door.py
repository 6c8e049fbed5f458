"""Ways to misuse the release of a second draw, through the pages and with the database in hand.

The door is `draw.second`: after a round was cancelled the office asks, a supervisor releases, one draw
more is made. The bot tries it early, alone, twice, for others, and by SQL (`WAYS`); `asked`, `released`
and `used` are what an oracle reads from the ledger with SQL of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.conftest import PASSWORD
from tests.proof import bot
from tests.proof.bot import BASE, Pick, one_of
from tests.proof.databases import Hand
from tests.proof.installation import SLUG, Installation

AGAIN = "again"  # the round that a second draw is for
REASONS = ("文件有误，重新组织", "结果不理想", "再抽一次")
GROUNDS = ("cancelled", "asked", "released", "second")


def prepare(place: Installation) -> None:
    """From a completed draw to each ground of the door, by honest people."""
    place.back("completed")
    first = bot.the_draw(place)
    assert bot.copy_round(place, AGAIN, lambda _what, _n: 0, "2012-11-21")
    assert place.post("office", f"/r/{SLUG}/cancel", {"reason": "文件有误"}).status_code == 302
    place.keep("cancelled")
    place.done("office", f"{BASE}/{first}/second", {"reason": REASONS[0]})
    place.keep("asked")
    place.done("supervisor", f"{BASE}/{first}/second/decide", decision())
    place.keep("released")
    assert place.ask(AGAIN).status_code == 302
    place.advance(next(key for key, _, slug in place.draws() if slug == AGAIN), AGAIN)
    place.keep("second")


def decision(how: str = "release", password: str = PASSWORD) -> dict[str, Any]:
    return {"decision": how, "answer": "已核对", "password": password}


# -- through the pages


def early(place: Installation, _ground: str, pick: Pick) -> None:
    """Asked for, and released, before the round was cancelled."""
    page = f"{BASE}/{bot.the_draw(place)}/second"
    place.post("office", page, {"reason": one_of(pick, "reason", REASONS)})
    place.post("supervisor", f"{page}/decide", decision())
    place.ask(SLUG, stage=one_of(pick, "stage", ("desk", "Desk")))


def alone(place: Installation, _ground: str, pick: Pick) -> None:
    """The office asks and decides itself; others than a supervisor decide; a supervisor asks."""
    page = f"{BASE}/{bot.the_draw(place)}/second"
    for turn in range(2):
        who = one_of(pick, f"who{turn}", ("office", "keeper", "admin", "expert"))
        place.post(who, f"{page}/decide", decision())
    place.post(
        one_of(pick, "asker", ("supervisor", "keeper", "admin", "expert")),
        page, {"reason": REASONS[1]},
    )  # fmt: skip
    place.post("supervisor", f"{page}/decide", decision(password="falsch"))
    place.ask(AGAIN)


def without(place: Installation, _ground: str, pick: Pick) -> None:
    """No release: the second draw is asked for under any size or mode; so is a refused one."""
    if pick("ask", 2):
        page = f"{BASE}/{bot.the_draw(place)}/second"
        place.post("office", page, {"reason": one_of(pick, "reason", REASONS)})
        if pick("refuse", 2):
            place.post("supervisor", f"{page}/decide", decision("refuse"))
    place.ask(
        AGAIN, seats=one_of(pick, "seats", ("5", "7")),
        mode=one_of(pick, "mode", ("tickets", "lottery")),
    )  # fmt: skip


def twice(place: Installation, ground: str, pick: Pick) -> None:
    """One release for two draws: in two rounds, for two halves, or asked for once more."""
    day = f"2012-{1 + pick('month', 12):02d}-15"
    slug = f"more-{pick('slug', 10**6)}"
    assert bot.copy_round(place, slug, pick, day)
    first, then = (AGAIN, slug) if pick("order", 2) else (slug, AGAIN)
    half = one_of(pick, "half", ((), ("610822",)))
    if ground != "second":
        place.ask(first, half)
    place.ask(then, one_of(pick, "codes", ((), ("610822",), ("610823",))))
    page = f"{BASE}/{bot.the_draw(place)}/second"
    if pick("cancel", 2):
        place.post("office", f"/r/{AGAIN}/cancel", {"reason": "又取消"})
    place.post("office", page, {"reason": one_of(pick, "reason", REASONS)})
    place.ask(slug)


def elsewhere(place: Installation, _ground: str, pick: Pick) -> None:
    """The release of one draw at the address of another, of another round, or of none."""
    first = bot.the_draw(place)
    other = next((key for key, _, slug in place.draws() if slug == AGAIN), "0" * 16)
    page = one_of(
        pick, "page",
        (f"/r/{AGAIN}/draws/{first}", f"{BASE}/{other}", f"/r/{AGAIN}/draws/{other}"),
    )  # fmt: skip
    place.post("office", f"{page}/second", {"reason": REASONS[0]})
    place.post("supervisor", f"{page}/second/decide", decision())
    place.ask(AGAIN, stage="desk")


# -- with the database in hand


def _first(raw: Hand, query: str, *values: Any) -> Any:
    return raw.execute(query, values).fetchone()[0]


def written(raw: Hand, pick: Pick) -> None:
    """A release that nobody gave, or one given back to be used again."""
    draw = _first(raw, "SELECT id FROM draw WHERE state = 'completed' ORDER BY created_at LIMIT 1")
    office, supervisor = (
        _first(
            raw,
            "SELECT a.id FROM account a JOIN role_grant g ON g.person_id = a.person_id "
            "WHERE g.role = ? LIMIT 1", role,
        )
        for role in ("office", "supervisor")
    )  # fmt: skip
    rows = raw.execute("SELECT count(*) FROM draw_release").fetchone()[0]
    given = (
        f"state = 'released', decided_by = '{supervisor}', decided_at = asked_at, "
        f"statement = '{'a' * 64}', used_purpose = NULL"
    )
    if not rows:
        raw.execute(
            "INSERT INTO draw_release (id, salt, draw_id, number, state, reason, asked_by, asked_at,"
            " answer, decided_by, decided_at, statement) VALUES (?, ?, ?, 1, 'released', 'x', ?,"
            " '2012-11-01 00:00:00.000000', 'x', ?, '2012-11-01 00:00:00.000000', ?)",
            (f"{pick('id', 2**60):016x}", "0" * 32, draw, office, supervisor, "a" * 64),
        )
        return
    raw.execute(
        "UPDATE draw_release SET "
        + one_of(
            pick, "set",
            (given, "state = 'released', used_purpose = NULL", f"used_purpose = '{'b' * 64}'",
             "state = 'refused', used_purpose = NULL", f"statement = '{'c' * 64}'",
             "number = number + 1, reason = 'y'"),
        )
    )  # fmt: skip


# Family -> (how, the grounds it is tried on)
DOORS: Mapping[str, tuple[Callable[[Installation, str, Pick], None], tuple[str, ...]]] = {
    "early": (early, ("completed",)),
    "alone": (alone, ("cancelled", "asked")),
    "without": (without, ("cancelled", "asked")),
    "twice": (twice, ("released", "second")),
    "elsewhere": (elsewhere, ("cancelled", "asked", "second")),
}
BY_HAND = ("cancelled", "asked", "second")


# -- what the ledger says, for the oracle


def led(place: Installation) -> dict[str, int]:
    """First draw -> how many draws more its releases in the ledger allow: asked by one account with the
    office's role, released by another with the supervisor's, used once."""
    roles = dict(
        place.rows(
            "SELECT a.id, g.role FROM account a JOIN role_grant g ON g.person_id = a.person_id"
        )
    )
    asked: dict[str, str] = {}
    given: dict[str, str] = {}
    out: dict[str, int] = {}
    used: set[str] = set()
    for (payload,) in place.rows("SELECT payload FROM ledger_event ORDER BY seq"):
        body = json.loads(payload)
        data = body.get("data", {})
        match body["kind"]:
            case "draw.second_asked":
                assert roles[body["actor"]] == "office"
                asked[data["release"]] = body["actor"]
            case "draw.second_released":
                assert roles[body["actor"]] == "supervisor"
                assert asked[data["release"]] != body["actor"]
                given[data["release"]] = data["draw"]
            case "draw.second_used":
                assert data["release"] not in used, "one release, one purpose"
                used.add(data["release"])
                out[given[data["release"]]] = out.get(given[data["release"]], 0) + 1
    return out
