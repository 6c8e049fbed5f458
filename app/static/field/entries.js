// Between the fields of a screen and the entries of a sheet: what app/scoring/entries.py does, to the letter, since tablet and
// server hash the same entries. Field names are ITEM.part; whatever was typed is kept, right or wrong.

import { compare, decimal } from "./expressions.js";

const DRAFT_LIMIT = 2000; // characters of one field
const BLANK = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]"; // what Python calls white
const ENDS = new RegExp(`^${BLANK}+|${BLANK}+$`, "g");
const WHITE = new RegExp(BLANK);
const LONE = /[\ud800-\udfff]/gu; // with the u flag only half characters match

/** Without blanks around it, by Python's idea of a blank. */
export const strip = (text) => text.replace(ENDS, "");

const text = (value) => [...strip(String(value || "").replace(LONE, "?"))].slice(0, DRAFT_LIMIT).join("");
const list = (value) => (typeof value === "string" ? [value] : value || []).map(text).filter(Boolean);
const count = (written) => (/^[0-9]{1,5}$/.test(written) ? Number(written) : written);

// ---- a typed mark as Python's Decimal() reads it, for the choice of the level only

const DIGIT = /\p{Nd}/u;

function digit(character) {
  let point = character.codePointAt(0);
  let value = 0;
  while (DIGIT.test(String.fromCodePoint(point - 1)) && value < 60) {
    point -= 1;
    value += 1;
  }
  return String(value % 10);
}

const MOST = 999999999999999999n; // largest exponent of Python's decimal
const FAR = 60n; // no level lies beyond 10^60, so nothing larger need be written out

/** {n, e}, Infinity, -Infinity, or null for what is no number (or not a number). */
function number(written) {
  const ascii = [...strip(written)].map((c) => (c < "\x80" ? c : DIGIT.test(c) ? digit(c) : WHITE.test(c) ? " " : "x")).join("").replaceAll("_", "");
  if (/^[+-]?inf(inity)?$/i.test(ascii)) return ascii.startsWith("-") ? -Infinity : Infinity;
  const match = /^([+-]?)(?=\d|\.\d)(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i.exec(ascii);
  if (!match) return null;
  const [, sign, whole, part = "", exponent = "0"] = match;
  const n = BigInt(`${whole}${part}` || "0");
  const power = BigInt(exponent.replace("+", "")) - BigInt(part.length);
  const top = power + BigInt(n.toString().length) - 1n;
  if (top > MOST || power < -2n * MOST + 1n) return null;
  if (n === 0n) return { n, e: 0 };
  const signed = sign === "-" ? -n : n;
  if (top > FAR) return sign === "-" ? -Infinity : Infinity;
  if (top < -FAR) return { n: sign === "-" ? -1n : 1n, e: Number(FAR) };
  return power < 0n ? { n: signed, e: Number(-power) } : { n: signed * 10n ** power, e: 0 };
}

/** The level in whose range the mark lies; the lowest when it is none (and so out of range). */
function levelOf(scale, written) {
  const mark = number(written);
  if (mark === null) return "";
  const last = scale.levels.at(-1).id;
  if (typeof mark === "number") return last;
  const holds = ({ low, high, high_inclusive: inclusive }) => {
    const under = compare(mark, decimal(high));
    return compare(decimal(low), mark) <= 0 && (under < 0 || (under === 0 && inclusive));
  };
  return scale.levels.find(holds)?.id ?? last;
}

// ---- fields of an entry

const yesNo = (value) => (value === null || value === undefined ? "" : value ? "yes" : "no");
const written = (value) => (value === undefined ? "" : value === null ? "None" : String(value));

/** The fields (part -> text or list) for an entry; every part of the item's scale is present. */
export function fieldsOf(item, entry) {
  const { scale } = item;
  const value = entry?.type === "mark" ? entry.value : null;
  const given = typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
  const filled = Object.keys(given).length > 0;
  const fields = { na: entry?.type === "not_applicable" ? "on" : "", reason: entry?.reason ?? "" };
  const ticks = [...(given.ticks ?? [])];
  switch (scale.type) {
    case "points": return { ...fields, mark: typeof value === "string" ? value : "" };
    case "grade": return { ...fields, mark: given.mark ?? "" };
    case "checklist": return { ...fields, ticks, none: filled && !ticks.length ? "on" : "" };
    case "deduct": return { ...fields, cases: written(given.cases) };
    case "checklist_deduct": return { ...fields, ticks, cases: written(given.cases) };
    case "passfail":
    case "passfail_points": return { ...fields, pass: yesNo(given.pass) };
    case "grade_table": return { ...fields, grade: given.grade ?? "", prior: given.prior_year ? "on" : "" };
    case "veto": return { ...fields, vetoed: yesNo(given.vetoed), vetoes: [...(given.vetoes ?? [])], evidence: entry?.evidence ?? "" };
    case "bonus": {
      const awards = given.awards ?? [];
      for (const { id } of scale.ladder) fields[`level.${id}`] = awards.filter((award) => award.level === id).map((award) => award.document);
      return { ...fields, none: filled && !awards.length ? "on" : "" };
    }
    default:
      for (const { name } of scale.figures ?? []) fields[`figure.${name}`] = given.figures?.[name] ?? "";
      return fields;
  }
}

function valueOf({ scale }, fields) {
  const [mark, cases, ticks] = [text(fields.mark), text(fields.cases), list(fields.ticks)];
  const decided = (part) => ({ yes: true, no: false })[text(fields[part])];
  switch (scale.type) {
    case "points": return mark || null;
    case "grade": return mark ? { level: levelOf(scale, mark), mark } : null;
    case "checklist": return ticks.length || fields.none === "on" ? { ticks } : null;
    case "deduct": return cases ? { cases: count(cases) } : null;
    case "checklist_deduct": return ticks.length || cases ? { ticks, cases: count(cases || "0") } : null;
    case "passfail":
    case "passfail_points": return decided("pass") === undefined ? null : { pass: decided("pass") };
    case "grade_table": return text(fields.grade) ? { grade: text(fields.grade), prior_year: fields.prior === "on" } : null;
    case "veto": return decided("vetoed") === undefined ? null : { vetoed: decided("vetoed"), vetoes: list(fields.vetoes) };
    case "bonus": {
      const awards = scale.ladder.flatMap(({ id }) => list(fields[`level.${id}`]).map((document) => ({ level: id, document })));
      return awards.length || fields.none === "on" ? { awards } : null;
    }
    default: {
      const figures = {};
      for (const { name } of scale.figures ?? []) {
        const figure = text(fields[`figure.${name}`]);
        if (figure) figures[name] = figure;
      }
      return Object.keys(figures).length ? { figures } : null;
    }
  }
}

/** The entry that the fields say; null when nothing was filled in. */
export function entryOf(item, fields) {
  const reason = text(fields.reason);
  if (fields.na === "on") return { type: "not_applicable", reason };
  const evidence = text(fields.evidence);
  const words = { ...(reason && { reason }), ...(evidence && { evidence }) };
  const value = valueOf(item, fields);
  if (value === null) return Object.keys(words).length ? { type: "missing", ...words } : null;
  return { type: "mark", value, ...words };
}

/** The sheet's entries after `changes` (ITEM.part -> value); RangeError for an unknown item. */
export function merged(items, entries, changes) {
  const touched = new Map();
  for (const [name, value] of Object.entries(changes)) {
    const dot = name.indexOf(".");
    const id = dot < 0 ? name : name.slice(0, dot);
    const item = items.find((one) => one.id === id);
    if (!item) throw new RangeError(id);
    if (!touched.has(id)) touched.set(id, [item, fieldsOf(item, entries[id])]);
    touched.get(id)[1][dot < 0 ? "" : name.slice(dot + 1)] = value;
  }
  const result = { ...entries };
  for (const [id, [item, fields]] of touched) {
    const entry = entryOf(item, fields);
    if (entry) result[id] = entry;
    else delete result[id];
  }
  return result;
}

// ---- whose items a sheet holds (sheets.py); here, since the engine needs no more of the evaluators than this

const EVERYONE = "everyone";

/** Whose sheet a form is when nobody says so. */
export function sheetScorer(instrument) {
  if (instrument.filled_by) return instrument.filled_by;
  return instrument.items.some((item) => item.scorer === "expert") ? "expert" : EVERYONE;
}

/** The items that `scorer` fills in, in the form's order. */
export function sheetItems(instrument, scorer = null) {
  const wanted = scorer || sheetScorer(instrument);
  return instrument.items.filter((item) => wanted === EVERYONE || wanted === item.scorer);
}
