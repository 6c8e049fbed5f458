// Exact decimals on BigInt and the expression trees of an instrument: what app/domain/scoring/expressions.py computes, digit
// for digit (34 significant digits, half up). A number is {n, e}: n × 10^-e. No floating point anywhere.

const PRECISION = 34;
const ten = (count) => 10n ** BigInt(count);
const size = (n) => (n < 0n ? -n : n).toString().length;

/** Half up, away from zero: n with its last `count` digits dropped. */
function dropped(n, count) {
  const cut = ten(count);
  const whole = n / cut;
  const rest = n < 0n ? -(n % cut) : n % cut;
  return rest * 2n >= cut ? whole + (n < 0n ? -1n : 1n) : whole;
}

function kept({ n, e }) {
  const over = size(n) - PRECISION;
  return over > 0 ? { n: dropped(n, over), e: e - over } : { n, e };
}

/** From a plain decimal string or a whole number. */
export function decimal(text) {
  const [whole, part = ""] = String(text).split(".");
  return { n: BigInt(whole + part), e: part.length };
}

export const ZERO = decimal("0");

function aligned(a, b) {
  const e = Math.max(a.e, b.e);
  return [a.n * ten(e - a.e), b.n * ten(e - b.e), e];
}

export function add(a, b) {
  const [left, right, e] = aligned(a, b);
  return kept({ n: left + right, e });
}

export const negative = (a) => kept({ n: -a.n, e: a.e });
export const minus = (a, b) => add(a, { n: -b.n, e: b.e });
export const times = (a, b) => kept({ n: a.n * b.n, e: a.e + b.e });

export function over(a, b) {
  const shift = Math.max(0, PRECISION + 2 + size(b.n) - size(a.n)); // one digit more than is kept decides the rounding
  return kept({ n: (a.n * ten(shift)) / b.n, e: a.e - b.e + shift });
}

/** Below zero, zero or above, as a is less than, equal to or more than b. */
export function compare(a, b) {
  const [left, right] = aligned(a, b);
  return left < right ? -1 : left > right ? 1 : 0;
}

export const least = (list) => list.reduce((best, x) => (compare(x, best) < 0 ? x : best));
export const most = (list) => list.reduce((best, x) => (compare(x, best) > 0 ? x : best));
export const sum = (list) => list.reduce(add, ZERO);

export function onGrid(value, low, step) {
  const [above, grid] = aligned(minus(value, low), step);
  return above % grid === 0n;
}

export function isWhole(a) {
  return a.e <= 0 || a.n % ten(a.e) === 0n;
}

/** Rounded half away from zero to `places` decimals. */
export function halfUp(a, places) {
  if (a.e <= places) return { n: a.n * ten(places - a.e), e: places };
  return { n: dropped(a.n, a.e - places), e: places };
}

/** As people write it: no exponent, no trailing zeros, no negative zero. */
export function plain({ n, e }) {
  const digits = (n < 0n ? -n : n).toString() + "0".repeat(Math.max(0, -e));
  const text = e > 0 ? digits.padStart(e + 1, "0").replace(new RegExp(`(\\d{${e}})$`), ".$1").replace(/\.?0+$/, "") : digits;
  return n < 0n && text !== "0" ? `-${text}` : text;
}

const PLAIN = /^-?[0-9]{1,15}(\.[0-9]{1,9})?$/;

/** A decimal from a plain decimal string or a whole number; null for anything else. */
export function decimalOf(value) {
  if (typeof value === "number") return Number.isSafeInteger(value) ? decimal(value) : null;
  return typeof value === "string" && PLAIN.test(value) ? decimal(value) : null;
}

// ---- expression trees: {num}, {name} or {op, args}. Every operand is evaluated; an absent value never stands for zero.

export class Unknown extends Error {} // message: the name without a value
export class ZeroDenominator extends Error {}

function lookup(name, values) {
  const value = Object.hasOwn(values, name) ? values[name] : null;
  if (value === null || value === undefined) throw new Unknown(name);
  return value;
}

const ARITHMETIC = { "+": add, "-": minus, "*": times };
const COMPARISON = { "<": (c) => c < 0, "<=": (c) => c <= 0, ">": (c) => c > 0, ">=": (c) => c >= 0, "==": (c) => c === 0, "!=": (c) => c !== 0 };

/** The number of a "num" tree; `values`: name -> decimal. */
export function evaluateNumber(tree, values) {
  if ("num" in tree) return decimal(tree.num);
  if ("name" in tree) {
    const value = lookup(tree.name, values);
    if (typeof value === "boolean") throw new TypeError(tree.name);
    return value;
  }
  const given = tree.args.map((argument) => evaluateNumber(argument, values));
  if (tree.op === "neg") return negative(given[0]);
  if (tree.op === "min") return least(given);
  if (tree.op === "max") return most(given);
  if (tree.op !== "/") return ARITHMETIC[tree.op](...given);
  if (given[1].n === 0n) throw new ZeroDenominator();
  return over(...given);
}

/** The truth of a "bool" tree; `values`: name -> decimal or boolean. */
export function evaluateTruth(tree, values) {
  if ("name" in tree) {
    const value = lookup(tree.name, values);
    if (typeof value !== "boolean") throw new TypeError(tree.name);
    return value;
  }
  if (tree.op in COMPARISON) return COMPARISON[tree.op](compare(...tree.args.map((argument) => evaluateNumber(argument, values))));
  const given = tree.args.map((argument) => evaluateTruth(argument, values));
  if (tree.op === "not") return !given[0];
  return tree.op === "and" ? given.every(Boolean) : given.some(Boolean);
}
