// From an entry to points, for every scale type, in exact decimals: what app/domain/scoring/scales.py and measures.py compute.
// Shapes of entries are told in scales.py. An absent mark is an error here, never a zero.

import {
  Unknown, ZERO, ZeroDenominator, compare, decimal, decimalOf, evaluateNumber, evaluateTruth, halfUp, isWhole, least, minus, most, onGrid, over,
  plain, sum, times,
} from "./expressions.js";
import { strip } from "./entries.js";

const ONE = decimal("1");
const MOST_CASES = 100000;

/** An entry that cannot stand. `code` is the server's; `about` fills the words (words.js) for it. No Error: every tap makes one for
    each item that is not filled in yet, and their stacks would cost more than all else. */
export class EntryError {
  constructor(code, item, about = {}) {
    Object.assign(this, { code, item: item.id, about });
  }
}

const maximumOf = (item) => (item.max === null ? null : decimal(item.max));
const isMap = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const said = (entry, key) => (typeof entry[key] === "string" ? strip(entry[key]) : "");
const points = (value, reason = false, outcome = "points", about = {}) => ({ points: value, outcome, reason, about });

function within(item, value, low, high) {
  if (compare(value, low) < 0 || (high && compare(value, high) > 0)) {
    throw new EntryError("out_of_range", item, { p: plain(value), lo: plain(low), hi: item.max });
  }
}

function parts(item, value, ...keys) {
  if (!isMap(value) || Object.keys(value).length !== keys.length || !keys.every((key) => Object.hasOwn(value, key))) throw new EntryError("wrong_shape", item);
  return value;
}

function chosen(item, rows, wanted) {
  const row = rows.find(({ id }) => id === wanted);
  if (!row) throw new EntryError("unknown_choice", item, { w: wanted });
  return row;
}

function gridMark(item, value) {
  const mark = decimalOf(value);
  if (!mark) throw new EntryError("wrong_shape", item);
  const [low, step] = [decimal(item.min), decimal(item.scale.step)];
  within(item, mark, low, maximumOf(item));
  if (!onGrid(mark, low, step)) throw new EntryError("off_grid", item, { p: plain(mark), s: plain(step) });
  return mark;
}

function ticked(item, ticks) {
  if (!Array.isArray(ticks) || new Set(ticks.map(String)).size !== ticks.length) throw new EntryError("wrong_shape", item);
  return sum(ticks.map((tick) => decimal(chosen(item, item.scale.items, tick).points)));
}

/** Deductions end at the floor: zero, or minus the maximum. */
function lessDeductions(item, start, cases) {
  if (!Number.isInteger(cases) || cases < 0 || cases > MOST_CASES) throw new EntryError("wrong_shape", item);
  const left = minus(start, times(decimal(item.scale.per_case), decimal(cases)));
  return points(most([left, decimal(item.min)]), cases > 0);
}

function verdict(item, value) {
  const pass = parts(item, value, "pass").pass;
  if (typeof pass !== "boolean") throw new EntryError("wrong_shape", item);
  return pass;
}

// ---- numbers behind an item: figures, measures, bands, targets

function checkedFigures(item, given) {
  if (!isMap(given)) throw new EntryError("wrong_shape", item);
  const declared = item.scale.figures;
  if (Object.keys(given).some((name) => !declared.some((figure) => figure.name === name))) throw new EntryError("wrong_shape", item);
  const figures = {};
  for (const figure of declared) {
    const value = given[figure.name];
    if (value === null || value === undefined) throw new EntryError("missing_figure", item, { t: figure.title });
    const number = decimalOf(value);
    if (!number) throw new EntryError("wrong_shape", item, { t: figure.title });
    const { minimum, maximum } = figure;
    const low = minimum !== null && compare(number, decimal(minimum)) < 0;
    const high = maximum !== null && compare(number, decimal(maximum)) > 0;
    if (low || high || (figure.integer && !isWhole(number))) throw new EntryError("out_of_range", item, { t: figure.title, v: plain(number), lo: minimum, hi: maximum });
    figures[figure.name] = number;
  }
  return figures;
}

/** {value} of a scale's expression, or {result}: what the form states when it has none. */
function measure(scale, figures) {
  if (scale.valid_if !== null && !evaluateTruth(scale.valid_if.tree, figures)) return { result: scale.otherwise };
  try {
    return { value: evaluateNumber(scale.expression.tree, figures) };
  } catch (error) {
    if (error instanceof ZeroDenominator) return { result: scale.zero_denominator };
    throw error;
  }
}

function banded(bands, value) {
  const holds = (limit, test) => limit === null || test(compare(value, decimal(limit)));
  const band = bands.find(({ ge, gt, lt, le }) =>
    holds(ge, (c) => c >= 0) && holds(gt, (c) => c > 0) && holds(lt, (c) => c < 0) && holds(le, (c) => c <= 0));
  return band ? decimal(band.points || "0") : null;
}

function targetPoints(maximum, value, target, direction) {
  const share = direction === "up" ? over(value, target) : compare(value, target) <= 0 ? ONE : over(target, value);
  return times(maximum, most([ZERO, least([ONE, share])]));
}

function valuePoints(item, value) {
  const { scale } = item;
  const maximum = decimal(item.max);
  let raw;
  if (scale.type === "survey") raw = value;
  else if (scale.type === "bands" || scale.normalise === "bands") raw = banded(scale.bands, value);
  else if (scale.normalise === "target_ratio") raw = targetPoints(maximum, value, decimal(scale.target), scale.direction);
  else throw new EntryError("needs_class", item);
  if (raw === null) throw new EntryError("out_of_range", item, { v: plain(halfUp(value, 6)) });
  const rounded = halfUp(raw, item.places);
  within(item, rounded, ZERO, maximum);
  return rounded;
}

/** Points of a bands, formula or survey item from figures (name -> decimal string). */
export function figuredPoints(item, given) {
  const { scale } = item;
  const figures = checkedFigures(item, given);
  if (scale.type === "survey" && compare(figures[scale.sample_figure], decimal(scale.min_sample)) < 0) throw new EntryError("sample_too_small", item, { n: scale.min_sample });
  let measured;
  try {
    measured = measure(scale, figures);
  } catch (error) {
    if (error instanceof Unknown) throw new EntryError("missing_figure", item, { t: error.message });
    throw error;
  }
  if (measured.value) return points(valuePoints(item, measured.value), false, "points", { value: plain(halfUp(measured.value, 6)) });
  const stated = { full: decimal(item.max), zero: ZERO }[measured.result] ?? null;
  return points(stated, false, stated ? "points" : "not_applicable");
}

// ---- one function for each scale type: {points, outcome, reason (is one needed?), about}

const figured = (item, value) => figuredPoints(item, parts(item, value, "figures").figures);

const EVALUATORS = {
  points: (item, value) => points(gridMark(item, value)),

  grade(item, value) {
    const given = parts(item, value, "level", "mark");
    const mark = gridMark(item, given.mark);
    const level = chosen(item, item.scale.levels, given.level);
    const [low, high] = [decimal(level.low), decimal(level.high)];
    if (compare(mark, low) < 0 || compare(mark, high) > 0 || (compare(mark, high) === 0 && !level.high_inclusive)) {
      throw new EntryError("out_of_range", item, { p: plain(mark), lo: plain(low), hi: plain(high), l: level.title });
    }
    return points(mark, Boolean(level.reason));
  },

  checklist: (item, value) => points(ticked(item, parts(item, value, "ticks").ticks)),

  deduct: (item, value) => lessDeductions(item, decimal(item.max), parts(item, value, "cases").cases),

  checklist_deduct(item, value) {
    const given = parts(item, value, "ticks", "cases");
    return lessDeductions(item, ticked(item, given.ticks), given.cases);
  },

  passfail(item, value) {
    const pass = verdict(item, value);
    return points(null, !pass, pass ? "pass" : "fail");
  },

  passfail_points(item, value) {
    const pass = verdict(item, value);
    return points(pass ? decimal(item.max) : ZERO, !pass);
  },

  veto(item, value) {
    const { vetoed, vetoes } = parts(item, value, "vetoed", "vetoes");
    if (typeof vetoed !== "boolean" || !Array.isArray(vetoes) || vetoed !== vetoes.length > 0) throw new EntryError("wrong_shape", item);
    for (const wanted of vetoes) chosen(item, item.scale.vetoes, wanted);
    return points(null, vetoed, vetoed ? "veto" : "no_veto");
  },

  grade_table(item, value) {
    const given = parts(item, value, "grade", "prior_year");
    const row = chosen(item, item.scale.table, given.grade);
    if (typeof given.prior_year !== "boolean") throw new EntryError("wrong_shape", item);
    if (!given.prior_year) return points(decimal(row.points));
    return points(halfUp(times(decimal(row.points), decimal(item.scale.factor_for_prior_year)), item.places));
  },

  bonus(item, value) {
    const { awards } = parts(item, value, "awards");
    if (!Array.isArray(awards)) throw new EntryError("wrong_shape", item);
    const documents = new Map();
    for (const award of awards) {
      const { level, document } = parts(item, award, "level", "document");
      if (typeof document !== "string" || !strip(document)) throw new EntryError("needs_reason", item, { document: true });
      const row = chosen(item, item.scale.ladder, level);
      documents.set(strip(document), [...(documents.get(strip(document)) ?? []), decimal(row.points)]);
    }
    const each = item.scale.stacking === "highest_per_document" ? most : sum;
    const total = sum([...documents.values()].map(each));
    return points(item.scale.cap === null ? total : least([total, decimal(item.scale.cap)]));
  },

  bands: figured,
  formula: figured,
  survey: figured,
};

/** {points: decimal or null, minimum, maximum, outcome} of one entry; EntryError when it cannot stand. */
export function evaluateEntry(item, entry) {
  const kind = entry?.type ?? "missing";
  const [minimum, maximum] = [decimal(item.min), maximumOf(item)];
  const excused = { points: null, minimum, maximum, outcome: "not_applicable", about: {} };
  if (!item.applies) {
    if (kind === "missing") return excused;
    throw new EntryError("does_not_apply", item);
  }
  if (kind === "missing") throw new EntryError("missing", item);
  if (kind === "not_applicable") {
    if (item.not_applicable === "refused") throw new EntryError("not_applicable_refused", item);
    if (!said(entry, "reason")) throw new EntryError("needs_reason", item);
    return excused;
  }
  if (kind !== "mark" || !Object.hasOwn(entry, "value")) throw new EntryError("wrong_shape", item);
  const found = EVALUATORS[item.scale.type](item, entry.value);
  if (found.reason && !said(entry, "reason")) throw new EntryError("needs_reason", item);
  if (found.outcome === "veto" && !said(entry, "evidence")) throw new EntryError("needs_evidence", item);
  if (found.points) within(item, found.points, minimum, maximum);
  return { points: found.points, minimum, maximum, outcome: found.outcome, about: found.about };
}

/** The next value on an item's grid above (1) or below (-1); an empty value starts at the minimum. */
export function nextOnGrid(text, direction, min, max, grid) {
  const value = decimalOf(text);
  if (!value) return min;
  const [low, step] = [decimal(min), decimal(grid)];
  const e = Math.max(value.e, low.e, step.e);
  const [v, l, s] = [value, low, step].map((d) => d.n * 10n ** BigInt(e - d.e));
  const rest = (((v - l) % s) + s) % s;
  const next = { n: direction > 0 ? v - rest + s : rest ? v - rest : v - s, e };
  return plain(most([low, max === null ? next : least([next, decimal(max)])]));
}

/** A share of the way from 0 to an item's maximum, brought down onto its grid: for the chips. */
export function shareOf(percent, item) {
  const [low, high, step] = [decimal(item.min), decimal(item.max), decimal(item.scale.step)];
  const raw = times(high, { n: BigInt(percent), e: 2 });
  if (onGrid(raw, low, step) && compare(raw, low) >= 0) return plain(raw);
  return nextOnGrid(plain(raw), -1, item.min, item.max, item.scale.step);
}
