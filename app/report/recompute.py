#!/usr/bin/env python3
"""Recompute every official figure of a rating report from the files beside this one.

    python3 recompute.py [FOLDER]

Needs Python 3.9 or newer and nothing else. It reads marks.csv and counties.csv (every mark), rule.json
(the score rule fixed before scoring) and draws the totals and ranks anew with exact fractions; compares
each figure with results.json digit for digit; and checks that the files are those whose digests stand
in the signed ledger (ledger.json: RFC 6962 paths to the signed heads). Exit code 0 only if all agrees.

本程序只用 Python 标准库：由 marks.csv、counties.csv 和 rule.json 重算每个得分和名次，与 results.json 逐位核对，
并核验账本证明。全部一致时退出码为 0。
"""

import base64
import csv
import hashlib
import json
import sys
from collections import Counter, defaultdict
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from fractions import Fraction as F
from pathlib import Path

CONTEXT = Context(prec=40)


# ---------- numbers: exact fractions, rounded half-up (away from zero) at the rule's named stages


def half_up(value, places):
    top, bottom = abs(value.numerator), value.denominator
    whole = (2 * top * 10**places + bottom) // (2 * bottom)
    return F(-whole if value < 0 else whole, 10**places)


def at(value, places):
    return value if places is None else half_up(value, places)


def text(value):
    """A figure without loss: "8.35", or "25/3" where it has no end."""
    rest, twos, fives = value.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    return printed(value, max(twos, fives)) if rest == 1 else str(value)


def printed(value, places):
    whole = half_up(value, places)
    digits = str(abs(whole.numerator) * 10**places // whole.denominator).rjust(places + 1, "0")
    sign = "-" if whole < 0 else ""
    return sign + (digits[:-places] + "." + digits[-places:] if places else digits)


def shown(value, places):
    """As results.json writes a value: with the places of its stage, exactly, or ten decimals."""
    if places is not None:
        return printed(value, places)
    exact = text(value)
    return printed(value, 10) if "/" in exact else exact


# ---------- from the marks of a panel to one value


def estimate(rule, marks):
    """(value, how many count, who was dropped) of {expert: mark}."""
    kind, n = rule["estimator"], len(marks)
    table = {int(start): count for start, count in rule["trim"]["drop"].items()}
    cut = table[max(s for s in table if s <= n)] if any(s <= n for s in table) else 0
    if kind == "algorithm_a":
        return algorithm_a(list(marks.values())), n, []
    cut = {"mean": 0, "median": (n - 1) // 2}.get(kind, cut)
    order = sorted(marks.items(), key=lambda pair: (pair[1], pair[0]))
    low, kept, high = order[:cut], order[cut : n - cut], order[n - cut :]
    total = sum((mark for _, mark in kept), F(0))
    if kind == "winsorised":
        return (total + len(low) * kept[0][1] + len(high) * kept[-1][1]) / n, n, []
    return total / len(kept), len(kept), sorted(expert for expert, _ in low + high)


def algorithm_a(values):
    """Huber's estimator with 1.5 (ISO 13528 Annex C), to convergence, ten decimals."""
    with localcontext(CONTEXT):
        marks = [Decimal(v.numerator) / Decimal(v.denominator) for v in values]

        def median(numbers):
            row, middle = sorted(numbers), len(numbers) // 2
            return row[middle] if len(row) % 2 else (row[middle - 1] + row[middle]) / 2

        centre = median(marks)
        scale = Decimal("1.4826") * median([abs(m - centre) for m in marks])
        for _ in range(1000):
            if scale <= 0 or len(marks) < 2:
                break
            limit = Decimal("1.5") * scale
            pulled = [min(max(m, centre - limit), centre + limit) for m in marks]
            new = sum(pulled, Decimal(0)) / len(pulled)
            squares = sum(((m - new) ** 2 for m in pulled), Decimal(0))
            wide = Decimal("1.133392655462487") * (squares / (len(pulled) - 1)).sqrt()
            moved = max(abs(new - centre), abs(wide - scale))
            centre, scale = new, wide
            if moved < Decimal("1e-12") * scale:
                break
        return F(centre.quantize(Decimal("1e-10"), ROUND_HALF_UP))


def variance(marks):
    n = len(marks)
    if n < 2:
        return None
    mean = sum(marks, F(0)) / n
    return sum(((m - mean) ** 2 for m in marks), F(0)) / (n - 1)


def weighted_sum(rule, lines, stages):
    """Products, sums of sections with cap and weight, and their sum, each rounded at its stage."""
    product, section, final = (rule["rounding"][stage] for stage in stages)
    sums = defaultdict(F)
    for item, value in lines:
        entry = rule["items"].get(item, {"weight": "1", "section": None})
        name = entry["section"]
        sums[("section", name) if name is not None else ("item", item)] += at(
            value * F(entry["weight"]), product
        )
    parts = []
    for (kind, name), total in sums.items():
        part = rule.get("sections", {}).get(name) if kind == "section" else None
        if part:
            total = min(total, F(part["cap"])) if part["cap"] is not None else total
            total *= F(part["weight"])
        parts.append(at(total, section))
    return at(sum(parts, F(0)), final)


def stage_score(rule, stage):
    """What a panel's sheets, or a confirmed value, give: value, counts, dropped, items, spread."""
    made = {"value": None, "valid": 0, "drawn": 0, "unit": None, "items": {}, "spread": None}
    if stage["sheets"] is None:
        if stage["value"] is not None:
            made["value"] = at(stage["value"], rule["rounding"]["module"])
        return made
    valid = {e: s for e, s in sorted(stage["sheets"].items()) if s["state"] == "submitted"}
    names = sorted({i for s in valid.values() for i in s["items"]})
    made.update(drawn=len(stage["sheets"]), valid=len(valid))
    by_sheet = rule["trim"]["unit"] == "sheet"
    if by_sheet:
        totals = {e: s["total"] for e, s in valid.items() if s["total"] is not None}
        made["spread"] = variance(list(totals.values()))
        if len(totals) < rule["quorum"]:
            return made
        value, used, dropped = estimate(rule, totals)
        places = rule["rounding"]["module"]
        made["value"] = at(value, places)
        made["unit"] = (made["value"], places, len(totals), used, dropped)
        for item in names:
            found = {e: valid[e]["items"][item] for e in totals if item in valid[e]["items"]}
            kept = [mark for e, mark in found.items() if e not in dropped]
            splits = rule["estimator"] in ("trimmed_mean", "mean", "median")
            share = sum(kept, F(0)) / len(kept) if kept and splits else None
            made["items"][item] = (share, None, len(found), len(kept), dropped)
        return made
    if len(valid) < rule["quorum"] or not names:
        return made
    lines, whole, spread, places = [], True, F(0), rule["rounding"]["item"]
    for item in names:
        found = {e: s["items"][item] for e, s in valid.items() if item in s["items"]}
        if not found:
            continue  # not applicable to this county
        if len(found) < rule["quorum"]:
            made["items"][item], whole = (None, places, len(found), 0, []), False
            continue
        value, used, dropped = estimate(rule, found)
        value = at(value, places)
        made["items"][item] = (value, places, len(found), used, dropped)
        lines.append((item, value))
        each, weight = variance(list(found.values())), rule["items"].get(item, {}).get("weight", 1)
        spread = None if spread is None or each is None else spread + each * F(weight) ** 2
    if whole and lines:
        made["value"] = weighted_sum(rule, lines, ("product", "section", "module"))
        made["spread"] = spread
    elif not whole:
        made["spread"] = spread
    return made


def county_score(rule, county):
    """Stages, weighted parts, total; no total without every stage, or with a veto."""
    weights = rule["modules"] or dict.fromkeys(county["stages"], "1")
    none = {"sheets": None, "value": None}
    stages = {name: stage_score(rule, county["stages"].get(name, none)) for name in weights}
    for name, weight in weights.items():
        stage = stages[name]
        stage["weight"], stage["part"] = F(weight), stage["value"]
        if rule["modules"] and stage["value"] is not None:
            stage["part"] = at(stage["value"] * F(weight), rule["rounding"]["weighted"])
    adjust = county["adjust"] + F(rule["adjust"].get(county["code"], "0"))
    if rule["bonus_cap"] is not None:
        adjust = min(adjust, F(rule["bonus_cap"]))
    made = {"stages": stages, "adjust": adjust, "total": None, "unrounded": None, "rank": None}
    if county["vetoed"] or any(s["value"] is None for s in stages.values()):
        return {**made, "status": "vetoed" if county["vetoed"] else "no_score"}
    exact = sum((s["part"] for s in stages.values()), F(0))
    places = rule["rounding"]["total"]
    made.update(total=at(exact, places) + adjust, unrounded=exact + adjust, status="scored")
    if places is None:  # published without rounding, ten decimals where it has no end
        made["total"] = F(shown(made["total"], None))
    return made


# ---------- ranks: 1, 2, 2, 4, with the rule's tie ladder


def rung(rule, name, score, tied, orders):
    """What a rung compares, larger first; None where this county does not have it."""
    kind, _, which = name.partition(":")
    items = {}
    for stage, part in score["stages"].items():
        items.update({f"{stage}/{i}": row[0] for i, row in part["items"].items()})
    count = Counter(i.partition("/")[2] for i in items)
    items.update(
        {k.partition("/")[2]: v for k, v in list(items.items()) if count[k.partition("/")[2]] == 1}
    )
    if kind == "unrounded":
        return score["unrounded"]
    if kind == "module":
        return score["stages"].get(which, {}).get("value")
    if kind == "item":
        return items.get(which)
    if kind == "top_item":
        own = [
            {i for p in s["stages"].values() for i, r in p["items"].items() if r[0] is not None}
            for s in tied
        ]
        common = [i for i in rule["items"] if all(i in names for names in own) and i in items]
        best = min(common, key=lambda i: (-F(rule["items"][i]["weight"]), i), default=None)
        return items.get(best)
    if kind == "spread":
        parts = [s["spread"] for s in score["stages"].values() if s["unit"] or s["items"]]
        return -sum(parts, F(0)) if parts and None not in parts else None
    if kind == "draw":
        order = next((o for o in orders if {s["code"] for s in tied} <= set(o)), None)
        return None if order is None else F(-order.index(score["code"]))
    return None


def climb(rule, tied, step, orders):
    """Split a tie by the rungs from `step` on, best first."""
    if len(tied) == 1 or step >= len(rule["ties"]) or rule["ties"][step] == "shared":
        return [tied]
    values = [rung(rule, rule["ties"][step], score, tied, orders) for score in tied]
    if None in values:
        return climb(rule, tied, step + 1, orders)
    found = []
    low = rule.get("best") == "low" and rule["ties"][step] not in ("spread", "draw")
    for value in sorted(set(values), reverse=not low):
        same = [score for score, own in zip(tied, values) if own == value]
        found += climb(rule, same, step + 1, orders)
    return found


def rank(rule, counties, scores, orders):
    groups = defaultdict(lambda: defaultdict(list))
    for code, score in scores.items():
        if score["status"] == "scored":
            group = counties[code]["group"] if rule["rank_within"] == "group" else None
            key = score["unrounded"] if rule["rank_on"] == "unrounded" else score["total"]
            groups[group][key].append({**score, "code": code})
    for levels in groups.values():
        place = 1
        for value in sorted(levels, reverse=rule.get("best") != "low"):
            for cluster in climb(rule, levels[value], 0, orders):
                for score in cluster:
                    scores[score["code"]]["rank"] = place
                place += len(cluster)


# ---------- the files


def rows(path):
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


def load(folder):
    """{code: county with its stages and sheets} from the two tables."""
    counties = {}
    for row in rows(folder / "counties.csv"):
        counties[row["code"]] = {
            **row,
            "group": row["group"] or None,
            "vetoed": row["vetoed"] == "yes",
            "adjust": F(row["adjust"]),
            "stages": {},
        }
    for row in rows(folder / "marks.csv"):
        stages, points = counties[row["code"]]["stages"], row["points"]
        if row["row"] == "value":
            stages[row["stage"]] = {"sheets": None, "value": F(points) if points else None}
            continue
        stage = stages.setdefault(row["stage"], {"sheets": {}, "value": None})
        if row["row"] == "sheet":
            if row["expert"] in stage["sheets"]:
                raise ValueError(
                    f"{row['code']} {row['stage']}: expert {row['expert']} appears twice"
                )
            stage["sheets"][row["expert"]] = {
                "state": row["state"],
                "total": F(points) if points else None,
                "items": {},
                "carried": F(0),
            }
            continue
        sheet = stage["sheets"][row["expert"]]
        if row["row"] == "carried":
            sheet["carried"] += F(points)
        elif row["item"] in sheet["items"]:
            raise ValueError(f"{row['code']} {row['stage']}: item {row['item']} appears twice")
        elif points != "N/A":
            sheet["items"][row["item"]] = F(points)
    return counties


def compare(rule, counties, scores, results):
    """Every official figure that differs, in words."""
    faults = []

    def expect(where, mine, stored):
        if mine != stored:
            faults.append(f"{where}: recomputed {mine}, the report has {stored}")

    def unit(row):
        value, places, present, used, dropped = row
        return {
            "value": None if value is None else shown(value, places),
            "present": present,
            "used": used,
            "dropped": dropped,
        }

    stored = results["scores"]["subjects"]
    expect("counties", sorted(counties), sorted(stored))
    for code in sorted(set(counties) & set(stored)):
        mine, theirs, name = scores[code], stored[code], counties[code]["name_en"]
        for stage, part in mine["stages"].items():
            for expert, sheet in (
                counties[code]["stages"].get(stage, {}).get("sheets") or {}
            ).items():
                if sheet["total"] is not None:
                    added = sum(sheet["items"].values(), F(0)) + sheet["carried"]
                    expect(f"{name}, {stage}, sheet {expert}", text(added), text(sheet["total"]))
            other, where = theirs["stages"].get(stage), f"{name}, {stage}"
            if other is None:
                faults.append(f"{where}: the report has no such stage")
                continue
            places = rule["rounding"]["module"]
            expect(
                where,
                None if part["value"] is None else shown(part["value"], places),
                other["value"],
            )
            expect(
                f"{where}, weighted",
                None if part["part"] is None else text(part["part"]),
                other["contribution"],
            )
            expect(f"{where}, weight", part["weight"], F(other["weight"]))
            expect(
                f"{where}, sheets", [part["drawn"], part["valid"]], [other["drawn"], other["valid"]]
            )
            expect(f"{where}, counted", unit(part["unit"]) if part["unit"] else None, other["unit"])
            expect(
                f"{where}, spread",
                None if part["spread"] is None else text(part["spread"]),
                other["spread"],
            )
            items = {item: unit(row) for item, row in part["items"].items()}
            for item in sorted(set(items) | set(other["items"])):
                expect(f"{where}, item {item}", items.get(item), other["items"].get(item))
        places = rule["rounding"]["total"]
        expect(f"{name}, status", mine["status"], theirs["status"])
        expect(f"{name}, adjustment", mine["adjust"], F(theirs["adjust"]))
        total = mine["total"]
        expect(f"{name}, total", None if total is None else shown(total, places), theirs["total"])
        exact = mine["unrounded"]
        expect(f"{name}, unrounded", None if exact is None else text(exact), theirs["unrounded"])
        expect(f"{name}, group", counties[code]["group"], theirs["group"])
        expect(f"{name}, rank", mine["rank"], theirs["rank"])
        same = [
            c
            for c in sorted(scores)
            if c != code
            and mine["rank"] is not None
            and scores[c]["rank"] == mine["rank"]
            and (rule["rank_within"] != "group" or counties[c]["group"] == counties[code]["group"])
        ]
        expect(f"{name}, shares its rank with", same, (theirs["tie"] or {}).get("shared_with", []))
    return faults


def against_inputs(counties, inputs):
    """The tables must say what the stored inputs say, whose digest is in the ledger."""
    faults = []
    for row in inputs["subjects"]:
        mine = counties.get(row["id"])
        if mine is None:
            faults.append(f"{row['id']}: not in counties.csv")
            continue
        named = [mine[key].lstrip("'") for key in ("name_zh", "name_en")]
        if named != [row["name"][lang].lstrip("'") for lang in ("zh", "en")]:
            faults.append(f"{row['id']}: another name in the stored inputs")
        given = (row["group"], row["vetoed"], F(row["adjust"]), row["status"])
        if given != (mine["group"], mine["vetoed"], mine["adjust"], mine["status"]):
            faults.append(
                f"{row['id']}: group, veto, adjustment or status differs from the stored inputs"
            )
        for name, part in row["stages"].items():
            stage = mine["stages"].get(name)
            if part["kind"] == "value":
                value = None if part["value"] is None else F(part["value"])
                if stage is None or stage["sheets"] is not None or stage["value"] != value:
                    faults.append(f"{row['id']}, {name}: the value differs from the stored inputs")
                continue
            sheets = {} if stage is None or stage["sheets"] is None else stage["sheets"]
            if sorted(sheets) != sorted(part["sheets"]):
                faults.append(f"{row['id']}, {name}: the experts differ from the stored inputs")
            for expert in sorted(set(sheets) & set(part["sheets"])):
                mine_, theirs = sheets[expert], part["sheets"][expert]
                total = None if theirs["total"] is None else F(theirs["total"])
                items = {item: F(points) for item, points in theirs["items"].items()}
                if (mine_["state"], mine_["total"], mine_["items"]) != (
                    theirs["state"],
                    total,
                    items,
                ):
                    faults.append(
                        f"{row['id']}, {name}, expert {expert}: differs from the stored inputs"
                    )
    if len(inputs["subjects"]) != len(counties):
        faults.append("counties.csv has other counties than the stored inputs")
    return faults


# ---------- the ledger: SHA-256 trees (RFC 6962, RFC 9162 section 2.1.3.2)


def sha(data):
    return hashlib.sha256(data).digest()


def included(leaf, index, size, path, root):
    if not 0 <= index < size:
        return False
    first, last, value = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if first % 2 or first == last:
            value = sha(b"\x01" + step + value)
            while first % 2 == 0 and first:
                first, last = first // 2, last // 2
        else:
            value = sha(b"\x01" + value + step)
        first, last = first // 2, last // 2
    return last == 0 and value == root


def check_ledger(folder, ledger, inputs):
    """Signed heads well-formed, every entry under its head, the files named by the entries."""
    faults, heads, said = [], {}, {}
    for head in ledger["heads"]:
        mark, size, root = head["head"].split(":")
        lines = head["note"].split("\n")
        if mark != "mj1" or lines[1] != size or base64.b64decode(lines[2]).hex() != root:
            faults.append(f"head {head['head']}: the signed note says something else")
        heads[head["head"]] = (int(size), bytes.fromhex(root))
    for entry in ledger["entries"]:
        size, root = heads.get(entry["head"], (0, b""))
        path = [bytes.fromhex(step) for step in entry["proof"]]
        leaf = sha(b"\x00" + entry["payload"].encode())
        if not included(leaf, entry["seq"], size, path, root):
            faults.append(f"ledger entry {entry['seq']} ({entry['what']}): the proof does not hold")
        code = base64.b32encode(leaf[:8]).decode()[:12]
        receipt = "-".join(code[i : i + 4] for i in (0, 4, 8))
        if entry["what"] == "sheet.sealed":
            said.setdefault("sheets", set()).add(receipt)
        else:
            body = json.loads(entry["payload"])
            if body["kind"] != entry["what"]:
                faults.append(f"ledger entry {entry['seq']} is no {entry['what']}")
            said[body["kind"]] = body["data"]
    files = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
             for name in ("rule.json", "inputs.json", "results.json", "report-zh.pdf")}  # fmt: skip
    run = said.get("run.made", {})
    for key, name in (
        ("rule", "rule.json"),
        ("inputs", "inputs.json"),
        ("results", "results.json"),
    ):
        if run.get(key) != files[name]:
            faults.append(f"{name} is not the file whose digest stands in the ledger")
    if "report.final" in said and said["report.final"].get("pdf") != files["report-zh.pdf"]:
        faults.append("report-zh.pdf is not the report whose digest stands in the ledger")
    closed = said.get("report.closed")
    if closed is not None and closed.get("head") not in heads:
        faults.append("the head printed in the report is not among the signed heads")
    drafted = said.get("report.drafted", {})
    if drafted.get("run") != run.get("run") or drafted.get("report") != ledger["report"]:
        faults.append("the ledger's report does not rest on this run")
    wanted = {
        sheet["receipt"]
        for row in inputs["subjects"]
        for part in row["stages"].values()
        for sheet in part.get("sheets", {}).values()
        if sheet["receipt"]
    }
    for receipt in sorted(wanted - said.get("sheets", set())):
        faults.append(f"sheet with receipt {receipt}: no proof of its seal")
    return faults, len(ledger["entries"])


def check_sums(folder):
    """Every file of the bundle against SHA256SUMS, and none beside."""
    faults, named = [], set()
    for line in (folder / "SHA256SUMS").read_text("utf-8").splitlines():
        digest, _, name = line.partition("  ")
        named.add(name)
        path = folder / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            faults.append(f"{name} is missing or was changed (SHA256SUMS)")
    return faults


def main(arguments):
    folder = Path(arguments[0]) if arguments else Path(__file__).resolve().parent
    try:
        data = {n: json.loads((folder / f"{n}.json").read_text("utf-8"))
                for n in ("rule", "inputs", "results", "ledger")}  # fmt: skip
        rule, counties = data["rule"], load(folder)
        scores = {code: county_score(rule, county) for code, county in counties.items()}
        orders = [draw["order"] for draw in data["inputs"].get("tie_draws", ())]
        rank(rule, counties, scores, orders)
        faults = compare(rule, counties, scores, data["results"])
        faults += against_inputs(counties, data["inputs"])
        of_ledger, proofs = check_ledger(folder, data["ledger"], data["inputs"])
        faults += of_ledger + check_sums(folder)
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        ArithmeticError,
        IndexError,
        AttributeError,
    ) as error:
        print(f"cannot be read / 无法读取: {type(error).__name__}: {error}")
        return 2
    places = rule["rounding"]["total"]
    for code, score in sorted(
        scores.items(), key=lambda p: (counties[p[0]]["group"] or "", p[1]["rank"] or 10**9, p[0])
    ):
        total = "-" if score["total"] is None else shown(score["total"], places)
        county = counties[code]
        print(
            f"{county['group'] or '-':>8}  {score['rank'] or '-':>3}  {total:>10}  {county['name_zh']} {county['name_en']}"
        )
    for fault in faults:
        print(f"DIFFERS / 不一致: {fault}")
    if faults:
        print(f"NOT in agreement: {len(faults)} difference(s) / 有 {len(faults)} 处不一致")
        return 1
    print(f"{len(scores)} counties, {proofs} ledger proofs: all figures agree / 全部一致")
    return 0


if __name__ == "__main__":
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    sys.exit(main(sys.argv[1:]))
