// The steps of store.js that nobody takes before the rest of the application is there, or without signal: fetched with the rest, or when
// the first of them is taken. `store` is store.js's object; each throws a FieldError. What is asked of the server (the package, reminders,
// votes, branches, taking over) needs signal.

import { canonical, sha256, whole } from "./canonical.js";
import { inTurn } from "./locks.js";
import { fetchMaterials } from "./materials.js";
import { refusal } from "./net.js";
import { said } from "./store.js";
import { FieldError } from "./words_later.js";

export async function takeOffline(store, onProgress = () => {}) {
  const inside = store._inside();
  navigator.storage?.persist?.().catch(() => false);
  await inTurn(() => store._refresh());
  const { bytes, failed } = await fetchMaterials(inside, inside.pack, onProgress);
  await store._whole();
  await store._saveRow(store._row.id, { takenAt: inside.pack.server_time });
  await store._measure();
  store._set({ online: true });
  return { duties: inside.pack.duties.length, bytes, failed };
}

/** From the tablet, or from the server if another tablet took it; null when it cannot be had now. */
export async function photo(store, hash) {
  const { media, session } = store._inside();
  const here = await media.blob(hash);
  if (here || !store._facts.online) return here;
  const bytes = await session.bytes(`/field/api/media/${hash}`);
  return bytes && new Blob([bytes]);
}

export async function acknowledge(store, key, id) {
  await store._inside().oplog.acknowledge(key, id);
  store._changed(key);
}

/** A reminder was read: the server is told, and it is gone with the next package. */
export async function reminderSeen(store, id) {
  const { session, pack } = store._inside();
  const answer = await session.call("POST", `/field/api/reminders/${id}/seen`);
  if (answer.status !== 200) throw refusal(answer);
  pack.reminders = answer.body.reminders;
  store._changed();
  await inTurn(() => store._refresh());
}

/** Vote on a proposal: "yes" or "no". */
export async function castVote(store, id, answer) {
  const { session, pack } = store._inside();
  const told = await session.call("POST", `/field/api/votes/${id}`, { json: { answer } });
  const decided = told.status === 409; // by others, or on another device
  if (told.status !== 200 && !decided) throw refusal(told);
  pack.votes = decided ? pack.votes.filter((vote) => vote.id !== id) : told.body.votes;
  await inTurn(() => store._refresh()).catch(() => store._changed());
  if (decided) throw refusal(told);
}

export async function unlockStatement(store, key, code) {
  store._inside();
  const duty = store._duty(key);
  if (!duty) throw new FieldError("unknown_sheet");
  const secret = code.normalize("NFKC").toUpperCase().replace(/[^A-Z0-9]/g, "").replace(/0/g, "O").replace(/1/g, "I");
  if (!duty.unlock_hash || (await sha256(secret)) !== duty.unlock_hash) throw new FieldError("unlock_code");
  return store._append(key, (log) => (log.entries.some(({ op }) => op.kind === "unlock") ? null : { kind: "unlock", secret }));
}

/** The place of a photo that is kept already: its entry once more, with the place. One that was taken away meanwhile stays away. */
export function locate(store, key, hash, place) {
  const { duty } = store._writable(key);
  return store._append(key, (log) => {
    const { item, size, mime, name, taken_at } = log.entries.findLast(({ op }) => op.kind === "attach" && op.sha256 === hash).op;
    const here = store._view(duty, log).attachments[item]?.some(({ sha256: one }) => one === hash);
    return here ? { kind: "attach", item, sha256: hash, size, mime, name, taken_at, place } : null;
  });
}

/** The last step. What is hashed is what the expert has before him: typed and saved. */
export async function seal(store, key, { signedName, strokes = null }) {
  const sheet = store._writable(key);
  if (store._unsaved.has(key)) throw new FieldError("full");
  const name = whole(String(signedName ?? "").trim());
  if (name !== store.state().name) throw new FieldError("signature");
  const signature = strokes?.length ? strokes.map((stroke) => stroke.map((point) => point.map(Math.round))) : null;
  const entries = await sha256(canonical(sheet.entries));
  const photos = [...new Set(Object.values(sheet.attachments).flat().map(({ sha256: hash }) => hash))].sort();
  return store._append(key, (log) => {
    if (canonical(store._view(sheet.duty, log).entries) !== canonical(sheet.entries)) throw new FieldError("changed");
    return { kind: "seal", signed_name: name, signature, entries, media: photos };
  });
}

export function withdraw(store, key, reason) {
  store._inside();
  if (!["sealed", "sealing"].includes(store.sheet(key)?.status)) throw new FieldError("not_sealed");
  return store._append(key, () => ({ kind: "withdraw", reason: said("withdraw", reason) }));
}

/** What the owner chooses between: [{id, label, opened_at, items: [{item, mine, branch, mine_media, branch_media}]}]. */
export async function branches(store, key) {
  const { session, oplog } = store._inside();
  const answer = await session.call("GET", `/field/api/branches?tablet=${oplog.tablet}&sheet=${encodeURIComponent(key)}`);
  if (answer.status !== 200 || !Array.isArray(answer.body?.branches)) throw refusal(answer);
  return answer.body.branches;
}

export function choose(store, key, branch, picks, reason) {
  return store._append(key, () => ({ kind: "choose", branch, picks, reason: said("choose", reason) }));
}

/** Make this tablet the one on which the sheet is filled in. */
export async function takeOver(store, key) {
  const { session, oplog, sender } = store._inside();
  const answer = await session.call("POST", "/field/api/take-over", { json: { tablet: oplog.tablet, sheet: key } });
  if (answer.status < 200 || answer.status > 299) throw refusal(answer);
  const told = Object.entries(answer.body?.sheets ?? {}).map(([sheet, { entries: _, ...seen }]) => [sheet, seen]);
  await oplog.receive([], Object.fromEntries(told));
  await inTurn(() => store._refresh());
  sender.run();
}

export async function exportPackage(store) {
  const { oplog, media } = store._inside();
  const { exported } = await store._later(() => import("./export.js"));
  const file = await exported({ row: store._row, oplog, media });
  await store._saveRow(store._row.id, { exportedAt: Date.now() });
  return file;
}
