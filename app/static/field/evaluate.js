// A score sheet on the tablet: what is still wrong with it and what it adds up to, as app/domain/scoring/sheets.py says.
// Checked against Python by tests/vectors/field.

import { ZERO, add, compare, decimal, halfUp, over, plain, sum, times } from "./expressions.js";
import { sheetItems } from "./entries.js";
import { EntryError, evaluateEntry } from "./scales.js";

export { sheetItems } from "./entries.js";
export { EntryError, evaluateEntry, figuredPoints, nextOnGrid, shareOf } from "./scales.js";
export { decimalOf, plain } from "./expressions.js";

/** Everything that keeps a sheet from being sealed: [{item, code, about}], in the form's order. */
export function checkSheet(instrument, entries, scorer = null) {
  const problems = [];
  const items = sheetItems(instrument, scorer);
  const known = new Set(items.map(({ id }) => id));
  const silent = new Map();
  for (const item of items) {
    try {
      const { outcome } = evaluateEntry(item, entries[item.id]);
      if (item.applies) silent.set(item.section, (silent.get(item.section) ?? true) && outcome === "not_applicable");
    } catch (error) {
      if (!(error instanceof EntryError)) throw error;
      problems.push({ item: item.id, code: error.code, about: error.about });
      silent.set(item.section, false);
    }
  }
  for (const id of Object.keys(entries)) if (!known.has(id)) problems.push({ item: id, code: "unknown_item", about: {} });
  for (const section of instrument.sections) {
    const others = instrument.items.some((item) => item.section === section.id && item.applies && !known.has(item.id));
    if (silent.get(section.id) && !others && compare(decimal(section.effective_max), ZERO) > 0) {
      problems.push({ item: section.id, code: "empty_section", about: { t: section.title } });
    }
  }
  return problems;
}

function carried(raw, applicable, maximum, instrument) {
  if (instrument.kind === "bonus" || compare(applicable, maximum) === 0) return raw;
  if (applicable.n === 0n) return null;
  return halfUp(over(times(raw, maximum), applicable), instrument.rounding.section);
}

function sectionPoints(instrument, row, results) {
  let [raw, applicable, complete] = [ZERO, ZERO, true];
  for (const item of instrument.items) {
    if (item.section !== row.id || !item.applies) continue;
    const result = results[item.id];
    if (!result) complete = false;
    else if (result.outcome !== "not_applicable") {
      raw = add(raw, result.points ?? ZERO);
      applicable = add(applicable, decimal(item.max || 0));
    }
  }
  const maximum = decimal(row.effective_max);
  const points = complete ? carried(raw, applicable, maximum, instrument) : null;
  const meetsFloor = row.min_share !== null && points ? compare(points, times(decimal(row.min_share), maximum)) >= 0 : null;
  return { id: row.id, raw, applicable, maximum, points, complete, movedIn: row.moved_in.map((moved) => moved.from), meetsFloor };
}

/**
 * Add a sheet up. `given`: item id -> {points, outcome} of items that others score. Entries that are missing or cannot stand are
 * awaited, so the total stays null; `marked` is the sheet's own sum so far, out of `markedMaximum`.
 */
export function sheetPoints(instrument, entries, given = {}, scorer = null) {
  const own = new Set(sheetItems(instrument, scorer).map(({ id }) => id));
  const results = {};
  let [marked, markedMaximum] = [ZERO, ZERO];
  for (const item of instrument.items.filter(({ applies }) => applies)) {
    if (own.has(item.id)) {
      markedMaximum = add(markedMaximum, decimal(item.max || 0));
      try {
        results[item.id] = evaluateEntry(item, entries[item.id]);
      } catch (error) {
        if (!(error instanceof EntryError)) throw error;
        continue;
      }
      marked = add(marked, results[item.id].points ?? ZERO);
    } else if (given[item.id]) results[item.id] = given[item.id];
  }
  const sections = instrument.sections.map((row) => sectionPoints(instrument, row, results));
  const awaiting = instrument.items.filter(({ applies, id }) => applies && !results[id]).map(({ id }) => id);
  awaiting.push(...sections.filter(({ points, complete }) => !points && complete).map(({ id }) => id));
  const judged = ["check", "veto"].includes(instrument.kind);
  const outcomes = Object.values(results).map(({ outcome }) => outcome);
  const verdict = ["veto", "fail"].find((bad) => outcomes.includes(bad)) ?? (awaiting.length ? null : "pass");
  return {
    items: results,
    sections,
    total: awaiting.length || judged ? null : sum(sections.map(({ points }) => points ?? ZERO)),
    maximum: sum(sections.map(({ maximum }) => maximum)),
    marked,
    markedMaximum,
    awaiting,
    verdict: judged ? verdict : null,
  };
}

/** The mean of a sub-form's complete sheets (half up), as text; null while one is missing or incomplete. */
export function repeatedMean(instrument, sheets) {
  const totals = sheets.map((entries) => sheetPoints(instrument, entries).total);
  if (!totals.length || totals.some((total) => total === null)) return null;
  return plain(halfUp(over(sum(totals), decimal(totals.length)), instrument.rounding.item));
}
