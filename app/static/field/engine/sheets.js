// A sheet as the screens see it (store.js says what they get): the server's last word, this tablet's own operations, and whether one may write.

import { fieldsOf, sheetItems } from "../entries.js";
import { fold, photos } from "./fold.js";
import { words } from "./words.js";

export { receiptedEntries } from "./fold.js";

const TURNS = new Set(["seal", "withdraw", "conflict"]);
const SERVER = { sealed: "sealed", recused: "stopped", absent: "stopped" };
const OPENED = new Set(["planned", "statement", "absent"]); // reasons that the statement's code does away with
const WHY = { not_open: "not_open", stopped: "stopped_sheet", read_only: "read_only", branch: "branch", sealing: "sealed", sealed: "sealed" };

/** The items that this duty's sheet holds. */
export const itemsOf = (instrument) => sheetItems(instrument);

/** What the server last said of the sheet: to a push, or with the package. */
export const lastSeen = (duty, log) => log.seen ?? duty?.sheet ?? null;

/** How the package holds a sheet. */
export const packedOf = (pack, key) => ({ sheet: pack.duties.find((duty) => duty.key === key)?.sheet ?? null, included: pack.included[key] ?? 0 });

function statusOf({ duty, log, seen, unlocked }) {
  const turn = log.entries.findLast(({ op, receipt }) => TURNS.has(op.kind) && receipt?.status !== "refused");
  if (turn?.op.kind === "conflict") return "stopped";
  const server = SERVER[seen?.state];
  if (turn && (turn.waiting || turn.receipt.status === "held") && !(turn.op.kind === "seal" && server === "sealed")) {
    if (turn.op.kind === "seal") return "sealing";
  } else if (server) return server;
  if (seen?.active_tablet && seen.active_tablet !== log.tablet) return "read_only"; // who chooses must be the active one
  if (seen?.branch) return "branch";
  return duty.ready && !(unlocked && OPENED.has(duty.ready.code)) ? "not_open" : "draft";
}

function pendingOf(log, seen, status) {
  if (log.entries.some(({ receipt, acknowledged }) => receipt?.status === "refused" && !acknowledged)) return "refused";
  const held = log.entries.findLast(({ receipt }) => receipt?.status === "held");
  const { why } = held?.receipt ?? {};
  if (why === "statement") return (seen?.pending ?? 1) > 0 && !["draft", "sealed"].includes(seen?.state) ? why : null;
  if (why === "late") return seen?.late === "accepted" ? null : why;
  return why === "media" && status === "sealing" ? why : null;
}

/** A seal's data: from this tablet's own log, or from the server when it happened elsewhere. */
function sealOf(log, seen, status) {
  if (status !== "sealing" && status !== "sealed") return null;
  const own = log.entries.findLast(({ op, receipt }) => op.kind === "seal" && receipt?.status !== "refused");
  const receipt = own?.receipt ?? null;
  const code = receipt?.code ?? seen?.receipt ?? null;
  return { at: seen?.sealed_at ?? own?.op.at ?? null, signed_name: own?.op.signed_name ?? null, receipt, code };
}

/** `unsaved`: {path: value} that could not be stored; shown, since it is what the person typed. */
export function sheetView({ duty, packed, instrument, log, media, unsaved = {} }) {
  const items = itemsOf(instrument);
  const { entries, unlocked } = fold(log, items, packed);
  const seen = lastSeen(duty, log);
  const status = statusOf({ duty, log, seen, unlocked });
  const fields = {};
  for (const item of items) for (const [part, value] of Object.entries(fieldsOf(item, entries[item.id]))) fields[`${item.id}.${part}`] = value;
  const late = new Set(seen?.media_pending ?? []);
  const arrived = ({ sha256 }) => (media.known.get(sha256) ? !media.known.get(sha256).waiting : !late.has(sha256));
  const attachments = {};
  for (const [item, list] of Object.entries(photos(log, seen))) attachments[item] = list.map((one) => ({ ...one, arrived: arrived(one) }));
  const receipts = log.entries.filter(({ receipt }) => receipt).map(({ op, receipt }) => ({ ...receipt, kind: op.kind, path: op.path ?? null, typedAt: op.at }));
  const refused = log.entries.filter(({ receipt, acknowledged }) => receipt?.status === "refused" && !acknowledged);
  return {
    key: duty.key,
    duty,
    instrument,
    entries,
    fields: { ...fields, ...unsaved },
    attachments,
    status,
    mayWrite: status === "draft",
    why: status === "draft" ? null : words(WHY[status]),
    pending: pendingOf(log, seen, status),
    unlocked,
    sealed: sealOf(log, seen, status),
    receipts,
    refused: refused.map(({ op, receipt }) => ({ op, receipt })),
    waiting: log.entries.filter(({ waiting }) => waiting).length,
    rev: seen?.rev ?? 0,
    revision: seen?.revision ?? 1,
    activeTablet: seen?.active_tablet ?? null,
    branch: seen?.branch || false,
    deadline: duty.deadline ?? null,
  };
}
