// A sheet as it stands: what the server last sent, with this tablet's own operations on top, one at a time (section 3).

import { merged } from "../entries.js";

/** Is the operation inside the entries that came with the package? What was held for the statement is, once the sheet has begun. */
const inside = ({ op, receipt }, { sheet, included }) =>
  op.seq <= included && (receipt?.status !== "held" || (receipt.why === "statement" && sheet !== null));

const nothing = ({ sheet }) => ({ entries: sheet?.entries ?? {}, unlocked: false });

function after(result, entry, items, packed) {
  const { op } = entry;
  if (op.kind === "set" && !inside(entry, packed)) return { ...result, entries: merged(items, result.entries, { [op.path]: op.new }) };
  return op.kind === "unlock" ? { ...result, unlocked: true } : result;
}

const stands = ({ receipt }) => receipt?.status !== "refused" && receipt?.status !== "branch";

/** {entries, unlocked}. `packed`: {sheet: the package's or null, included: operations of this log inside it}. What was folded
    before stays with the log (`log.folded`), so that a tap costs the same however long the log is. */
export function fold(log, items, packed) {
  const { folded } = log;
  const goesOn = folded && folded.sheet === packed.sheet && folded.included === packed.included;
  let result = goesOn ? folded.result : nothing(packed);
  for (const entry of log.entries.slice(goesOn ? folded.count : 0)) if (stands(entry)) result = after(result, entry, items, packed);
  log.folded = { ...packed, count: log.entries.length, result };
  return result;
}

/** The entries of what has been receipted: what the server must hold. */
export function receiptedEntries(log, items, packed) {
  return log.entries.filter((entry) => !entry.waiting && stands(entry)).reduce((result, entry) => after(result, entry, items, packed), nothing(packed)).entries;
}

/** {ITEM: [photo]}: what the server said is attached (`seen.media`), with what it does not know yet on top. */
export function photos(log, seen) {
  const known = new Map();
  const attached = {};
  for (const { op } of log.entries) {
    if (op.kind !== "attach") continue;
    const { sha256, size, mime, name, taken_at, place } = op;
    known.set(sha256, { sha256, size, mime, name, taken_at, place });
  }
  for (const [item, sha256] of seen?.media ?? []) (attached[item] ??= []).push(known.get(sha256) ?? { sha256 });
  for (const entry of log.entries) {
    const { op, waiting, receipt } = entry;
    const told = seen?.media && !waiting && receipt?.status !== "held";
    if (told || !stands(entry) || (op.kind !== "attach" && op.kind !== "detach")) continue;
    attached[op.item] = (attached[op.item] ?? []).filter((one) => one.sha256 !== op.sha256);
    if (op.kind === "attach") attached[op.item].push(known.get(op.sha256));
  }
  return attached;
}
