// Runs every case of vectors.json through the tablet's evaluators and lists where they disagree with Python.
// `load(name)` gives the module of that name: the real ones, or one with a rule changed, which must be found out.

function same(a, b) {
  if (typeof a !== "object" || a === null || typeof b !== "object" || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
}

export async function run(vectors, load) {
  const { evaluateEntry, EntryError, checkSheet, sheetPoints, repeatedMean } = await load("evaluate.js");
  const { fieldsOf, entryOf, merged } = await load("entries.js");
  const { Unknown, ZeroDenominator, decimal, evaluateNumber, evaluateTruth, halfUp, plain } = await load("expressions.js");
  const { toPlainNumber } = await load("../js/numbers.js");

  const text = (value) => (value ? plain(value) : null);
  const said = ({ points, minimum, maximum, outcome }) => ({ points: text(points), min: text(minimum), max: text(maximum), outcome });

  function judged(item, entry) {
    try {
      return said(evaluateEntry(item, entry));
    } catch (error) {
      if (!(error instanceof EntryError)) throw error;
      return { code: error.code };
    }
  }

  function expression({ says, want, values }) {
    const known = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, typeof value === "boolean" ? value : decimal(value)]));
    const { tree } = says;
    try {
      if (want === "bool") return { tree, value: evaluateTruth(tree, known) };
      const number = evaluateNumber(tree, known);
      return { tree, value: plain(number), half_up: says.half_up === null ? null : plain(halfUp(number, 2)) };
    } catch (error) {
      if (error instanceof Unknown) return { tree, missing: error.message };
      if (error instanceof ZeroDenominator) return { tree, zero: true };
      throw error;
    }
  }

  function sheet(instrument, entries, given) {
    const others = Object.fromEntries(Object.entries(given).map(([name, points]) =>
      [name, { points: points === null ? null : decimal(points), outcome: points === null ? "not_applicable" : "points" }]));
    const sum = sheetPoints(instrument, entries, others);
    const own = Object.entries(sum.items).filter(([name]) => !(name in given));
    return {
      problems: checkSheet(instrument, entries).map(({ item, code }) => [item, code]),
      items: Object.fromEntries(own.map(([name, points]) => [name, said(points)])),
      sections: sum.sections.map((s) => [s.id, plain(s.raw), plain(s.applicable), plain(s.maximum), text(s.points), s.movedIn, s.meetsFloor]),
      total: text(sum.total), maximum: plain(sum.maximum), marked: plain(sum.marked), marked_maximum: plain(sum.markedMaximum),
      awaiting: sum.awaiting, verdict: sum.verdict,
    };
  }

  const answers = {
    fields(given, item) {
      const entry = entryOf(item, given.fields);
      return { entry, fields: fieldsOf(item, entry), ...judged(item, entry) };
    },
    entry: (given, item) => judged(item, given.entry),
    sheet: (given, _, instrument) => sheet(instrument, given.entries, given.given),
    mean: (given, _, instrument) => repeatedMean(instrument, given.sheets),
    merged: (given, _, instrument) => merged(instrument.items, given.entries, given.changes),
    expression,
    typed: (given) => toPlainNumber(given.typed),
  };

  const wrong = [];
  for (const [number, given] of vectors.cases.entries()) {
    const instrument = vectors.instruments[given.i];
    const item = instrument?.items.find(({ id }) => id === given.item);
    let got;
    try {
      got = answers[given.kind](given, item, instrument);
    } catch (error) {
      got = `${error}`;
    }
    if (!same(got, given.says)) wrong.push({ number, given, got });
  }
  return { count: vectors.cases.length, wrong };
}
