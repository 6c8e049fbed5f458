// Where a sheet stands: its groups, what is done, what is wrong, what it adds up to so far. Never a total: those are the server's.

import { store } from "../engine/store.js";
import { checkSheet, decimalOf, figuredPoints, plain, repeatedMean, sheetItems, sheetPoints } from "../evaluate.js";
import { look } from "./edits.js";

/** Means of the expert's own case files (item -> {points, outcome}), once all of them are sealed here. */
function fromCases(sheet) {
  const cases = store.duties().filter(({ kind, sitting }) => kind === "case" && sitting === sheet.duty.sitting && sheet.duty.kind === "sheet");
  const sheets = cases.map(({ key }) => store.sheet(key));
  if (!sheets.length || !sheets.every((one) => one && ["sealed", "sealing"].includes(one.status))) return {};
  const mean = repeatedMean(sheets[0].instrument, sheets.map(({ entries }) => entries));
  const found = {};
  for (const item of sheet.instrument.items) {
    if (mean === null || !item.applies || !item.scale.figures?.some(({ from_form: form }) => form)) continue;
    found[item.id] = figuredPoints(item, Object.fromEntries(item.scale.figures.map(({ name }) => [name, mean])));
  }
  return found;
}

/** {…look(key), items, groups, problems (item -> [problem]), sum, missing, reasons, wrong}; null for an unknown sheet. */
export function standing(key) {
  const seen = look(key);
  if (!seen) return null;
  const { sheet, entries } = seen;
  const { instrument, duty } = sheet;
  const given = fromCases(sheet);
  for (const { item, points } of duty.computed ?? []) if (points !== null) given[item] = { points: decimalOf(points), outcome: "points" };
  const items = sheetItems(instrument).filter(({ applies }) => applies);
  const own = new Set(sheetItems(instrument).map(({ id }) => id));
  for (const id of Object.keys(given)) if (own.has(id)) delete given[id];
  const sum = sheetPoints(instrument, entries, given);
  const problems = {};
  for (const problem of checkSheet(instrument, entries)) (problems[problem.item] ??= []).push(problem);
  const others = instrument.items.filter(({ applies, id }) => applies && !own.has(id));
  const groups = instrument.sections.map((section) => {
    const mine = items.filter((item) => item.section === section.id);
    const codes = mine.map(({ id }) => problems[id]?.[0]?.code);
    const done = codes.filter((code) => !code).length;
    const flagged = codes.some((code) => code && code !== "missing");
    const begun = mine.some(({ id }) => entries[id]);
    const mark = flagged ? "flagged" : done === mine.length ? "done" : begun || done ? "partial" : "empty";
    return { section, items: mine, others: others.filter((item) => item.section === section.id), done, mark };
  }).filter((group) => group.items.length || group.others.length);
  const listed = Object.values(problems).flat();
  const reasons = listed.filter(({ code }) => ["needs_reason", "needs_evidence"].includes(code)).length;
  const missing = listed.filter(({ code }) => code === "missing").length;
  return {
    ...seen, items, groups, problems, sum, missing, reasons, wrong: listed.length - reasons - missing, given,
    marked: plain(sum.marked), maximum: plain(sum.markedMaximum),
  };
}

/** What an item gives, in text, or null. */
export const pointsText = (result) => (result?.points ? plain(result.points) : null);
