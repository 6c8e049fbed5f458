"""The bot: ways to a second result for somebody with the rights of the office.

Each family takes the installation at one of its grounds and `pick(what, n)`, a number below n from a
hash of the attempt's own number; it sends its requests and judges nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.draw.messages import ABORT
from tests.conftest import PASSWORD
from tests.draw import builders
from tests.proof.installation import REQUEST, SLUG, TYPED, Installation

Pick = Callable[[str, int], int]
Family = Callable[[Installation, str, Pick], None]
OTHER = " ".join(str(7 - value) for value in builders.DICE)
BASE = f"/r/{SLUG}/draws"


def one_of(pick: Pick, what: str, choices: Any) -> Any:
    listed = list(choices)
    return listed[pick(what, len(listed))]


def the_draw(place: Installation) -> str:
    """The id of the first draw of the round."""
    return next(key for key, _, slug in place.draws() if slug == SLUG)


def repeat(place: Installation, ground: str, pick: Pick) -> None:
    """Each step of the ceremony once more, with the same values or others."""
    draw_id = the_draw(place)
    page = f"{BASE}/{draw_id}"
    party = one_of(pick, "party", ("office", "supervisor", "observer"))
    code = one_of(
        pick, "code", (place.code(draw_id, party), place.code(draw_id, party, 2), "0" * 64)
    )
    chain = place.code(f"other{pick('chain', 10**9)}", party, 0)
    values = one_of(pick, "values", (TYPED, OTHER, "1 2 3"))
    listed = [int(value) for value in values.split()]
    cause = one_of(pick, "cause", ABORT)
    if ground not in ("locked", "coded", "last", "completed"):
        party, code = "office", "0" * 64  # the office's own code would be the ceremony's next step
    elif code == place.code(draw_id, "office") and ground != "completed":
        code = place.code(draw_id, "office", 3)
    steps: list[tuple[str, dict[str, Any] | None, Any]] = [
        ("complete", {}, None),
        ("code", {"party": party, "code": code}, None),
        ("commit", {}, None),
        ("cosign", {"password": PASSWORD, "signature": "ab" * 64}, None),
        ("dice", {"source": "dice", "values": values}, None),
        ("dice/save", None, {"source": "dice", "values": listed}),
        ("party", {"party": party, "commitment": chain}, None),
        ("relax", {"way": pick("way", 3)}, None),
        ("act/code", {"party": party, "code": code}, None),
        ("act/complete", {}, None),
        ("act/cosign", {"size": "9", "signature": "ab" * 64}, None),
        ("supplement", {}, None),
        ("edit", {**REQUEST, "seats": one_of(pick, "seats", ("5", "7", "9"))}, None),
        ("what-if", {}, None),
        ("disclosure", {"sealed": "y"}, None),
    ]
    if ground != "draft":
        steps.append(("abort", {"cause": cause, "reason": "再抽一次"}, None))
    for turn in range(1 + pick("turns", 2)):
        tail, data, sent = one_of(pick, f"step{turn}", steps)
        place.post("office", f"{page}/{tail}", data, sent)
        if place.draws()[-1][1] == "aborted":
            break


def back_button(place: Installation, ground: str, pick: Pick) -> None:
    """A form that was sent earlier is sent again as it was, by whoever the bot can be."""
    built = [sent for sent in place.history[: place.made] if "/observe" not in sent.path]
    old = one_of(pick, "old", built)
    place.post("office", old.path, old.data, old.json)


def renamed(place: Installation, _ground: str, pick: Pick) -> None:
    """The same counties asked for under other words, sizes, modes, sources, order."""
    more: dict[str, Any] = {
        "seats": one_of(pick, "seats", ("5", "7", "9")),
        "mode": one_of(pick, "mode", ("tickets", "lottery")),
        "dice": one_of(pick, "dice", ("50", "60", "100")),
        "purpose": f"另一事项{pick('purpose', 1000)}",
        "purpose_key": f"{pick('key', 10**9):064x}",
        "attempt": str(pick("attempt", 5)),
        "kind": "drill",
        "title": f"第{pick('title', 100)}组",
        "panels-0-name": f"P{pick('panel', 100)}",
        "stage": one_of(pick, "stage", ("desk", "desk ", "Desk", "DESK", "desk\x00", "desk-2")),
        "replacement": one_of(pick, "policy", ("act", "reserves")),
    }
    kept = {key for key in more if pick(f"keep{key}", 2)} | {"seats"}
    place.ask(**{key: value for key, value in more.items() if key in kept})


def split(place: Installation, ground: str, pick: Pick) -> None:
    """A part of what is drawn, or overlapping panels, asked for apart."""
    code = one_of(pick, "county", place.subjects)
    own, other = place.subjects[code], next(v for k, v in place.subjects.items() if k != code)
    subjects = one_of(pick, "subjects", ([own], [own, own], [other, own], [own, "0" * 16, other]))
    form: dict[str, Any] = {**REQUEST, "subjects": subjects}
    if pick("each", 2):
        form |= {"split": "each"}
    if pick("rows", 2):
        form |= {
            "split": "groups", "panels-0-name": f"A{pick('a', 9)}", f"of_{own}": "0",
            "panels-1-name": f"B{pick('b', 9)}", f"of_{other}": str(pick("of", 2)),
        }  # fmt: skip
    if pick("order", 4) == 0:
        stage = one_of(pick, "stage", ("order-statements", "order-cases", "tie", "desk"))
        place.post(
            "office", f"{BASE}/orders/new?stage={stage}&of={the_draw(place)}", {"dice": "50"}
        )


def copy_round(place: Installation, slug: str, pick: Pick, day: str, kind: str = "real") -> bool:
    """A round made like the first by the pages, with one or both of its counties."""
    form = {
        "scheme_id": "mlr-model-county-2015", "title_zh": f"复制届{pick('t', 99)}",
        "title_en": "Copied", "slug": slug, "kind": kind, "review_on": day,
    }  # fmt: skip
    if place.post("office", "/rounds/new", form).status_code != 302:
        return False
    for code in sorted(place.subjects):
        data = {"region_code": code, "class_basis": "测试", "region_class": "I"}
        place.post("office", f"/r/{slug}/counties", data)
    return True


def copied_round(place: Installation, ground: str, pick: Pick) -> None:
    """Another round of the scheme with the same counties; the first one ended or not."""
    how = one_of(pick, "how", ("beside", "beside", "cancelled", "closed", "next year"))
    if how in ("cancelled", "closed"):
        end = "cancel" if how == "cancelled" else "close"
        place.post("office", f"/r/{SLUG}/{end}", {"reason": "另起一届"})
    day = f"2012-{1 + pick('month', 12):02d}-{1 + pick('day', 28):02d}"
    if how == "next year":
        day = "2013-01-01"  # the first round goes on: it has to end first
    slug = f"copy-{pick('slug', 10**6)}"
    assert copy_round(place, slug, pick, day)
    codes = one_of(pick, "codes", ((), ("610822",), ("610823",)))
    place.ask(slug, codes, seats=one_of(pick, "seats", ("5", "7")))
    if ground == "draft" and how in ("cancelled", "closed"):
        # The copy was drawn for, since the first round ended with a draft: that draft comes back.
        later = [(key, where) for key, _, where in place.draws() if where == slug]
        for key, where in later:
            place.advance(key, where)
        place.post("office", f"{BASE}/{the_draw(place)}/commit")


def edited_pool(place: Installation, ground: str, pick: Pick) -> None:
    """The pool, the rules and the counties changed after the commitment."""
    expert = one_of(
        pick, "expert", (k for (k,) in place.rows("SELECT id FROM expert ORDER BY number"))
    )
    rule = one_of(pick, "rule", ("C-10", "D-03", "D-04", "A-01", "C-01"))
    subject = one_of(pick, "county", place.subjects.values())
    ways: Mapping[str, Callable[[], Any]] = {
        "suspend": lambda: place.post(
            "keeper", f"/pool/{expert}/status/suspend", {"reason": "调整"}
        ),
        "as office": lambda: place.post(
            "office", f"/pool/{expert}/status/retire", {"reason": "调整"}
        ),
        "sanction": lambda: place.post(
            "keeper", f"/pool/{expert}/sanction",
            {"kind": "warning", "reason": "x", "decided_by": "x", "since": "2012-01-01"},
        ),
        "rule": lambda: place.post(
            "office", f"/r/{SLUG}/rules/{rule}", {"effect": "off", "reason": "放宽"}
        ),
        "quota": lambda: place.post(
            "office", f"{BASE}/{the_draw(place)}/edit",
            {**REQUEST, "min_discipline_law": "2", "max_discipline_law": "3"},
        ),
        "county": lambda: place.post(
            "office", f"/r/{SLUG}/counties/{subject}/withdraw", {"reason": "退出"}
        ),
    }  # fmt: skip
    for turn in range(1 + pick("turns", 2)):
        one_of(pick, f"way{turn}", ways.values())()
    if pick("again", 2):
        place.post("office", f"{BASE}/{the_draw(place)}/commit")
    else:
        place.ask()


def void(place: Installation, ground: str, pick: Pick) -> None:
    """Ending the attempt, then asking again; before the values are locked that is on record and
    allowed, since nobody can know the result, afterwards it is refused."""
    who = one_of(pick, "who", ("office", "office", "supervisor"))
    form = {"cause": one_of(pick, "cause", ABORT), "reason": "结果不理想"}
    place.post(who, f"{BASE}/{the_draw(place)}/abort", form)
    if pick("cancel", 4) == 0:
        place.post("office", f"/r/{SLUG}/cancel", {"reason": "作废"})
    place.ask(seats=one_of(pick, "seats", ("5", "7")))


def drill(place: Installation, ground: str, pick: Pick) -> None:
    """A drill's result used as a real one, or a drill drawn on until it pleases."""
    mine = next(key for key, _, slug in place.draws() if slug == "drill")
    page = one_of(pick, "round", (f"/r/drill/draws/{mine}", f"{BASE}/{mine}"))
    ways: tuple[tuple[str, dict[str, Any]], ...] = (
        ("commit", {"kind": "real"}), ("complete", {"kind": "real"}),
        ("dice", {"source": "dice", "values": OTHER}), ("edit", {**REQUEST, "kind": "real"}),
        ("abort", {"cause": "other", "reason": "转为正式"}), ("cosign", {}), ("supplement", {}),
    )  # fmt: skip
    tail, data = one_of(pick, "way", ways)
    place.post("office", f"{page}/{tail}", data)
    again = {**REQUEST, "kind": "real", "observer": ""}
    if pick("again", 2):
        place.ask("drill", **again)
    else:
        place.post("office", f"{BASE}/{mine}/panels", {})


# Family -> (the grounds it is tried on, its weight)
FAMILIES: Mapping[str, tuple[Family, tuple[str, ...], int]] = {
    "repeat": (
        repeat,
        ("committed", "cosigned", "dice", "locked", "coded", "last", "completed"),
        6,
    ),
    "back button": (back_button, ("cosigned", "locked", "coded", "last", "completed"), 4),
    "renamed": (renamed, ("draft", "committed", "cosigned", "locked", "last", "completed"), 4),
    "split batch": (split, ("draft", "committed", "dice", "last", "completed"), 4),
    "copied round": (copied_round, ("draft", "committed", "coded", "completed", "completed"), 3),
    "edited pool": (edited_pool, ("committed", "cosigned", "locked", "coded", "completed"), 3),
    "void": (void, ("committed", "dice", "locked", "coded", "last", "completed"), 3),
    "drill": (drill, ("drilled",), 2),
}
