// The package (docs/sync-protocol.md, section 2): fetched in one answer, stored in one transaction, never in the browser's HTTP cache.

import { write } from "./db.js";
import { refusal } from "./net.js";

const place = (tablet) => `packs\n${tablet}`;

/** The package, with `included`: how many operations of each log had their receipts before it was asked for, and so are inside. */
export async function stored(db, vault, tablet) {
  const row = await db.get("packs", tablet);
  return row ? vault.openJson(place(tablet), row.box) : null;
}

/** What the package says of a sheet, in the form of a push's answer. */
const seenOf = ({ entries: _entries, media: _media, ...seen }) => seen;

/** Fetch and keep the package; the sheets' states go into the heads in the same transaction. Only for whoever holds the sender's lock:
    nothing may be pushed meanwhile. Throws a FieldError. */
export async function refresh({ db, vault, session, oplog }) {
  const { tablet } = oplog;
  const included = oplog.receipted();
  const answer = await session.call("GET", `/field/api/pack?tablet=${encodeURIComponent(tablet)}`);
  if (answer.status !== 200 || answer.body?.v !== 1 || !Array.isArray(answer.body.duties)) throw refusal(answer);
  const pack = { ...answer.body, included, offset: session.offset };
  session.csrf = pack.csrf ?? session.csrf;
  const box = await vault.sealJson(place(tablet), pack);
  const told = pack.duties.filter(({ sheet }) => sheet);
  const changed = new Map();
  await write(db, ["packs", "sheets"], async (work) => {
    const heads = work.objectStore("sheets");
    await work.objectStore("packs").put({ tablet, box, at: pack.server_time });
    await Promise.all(told.map(async ({ key, sheet }) => {
      const head = await heads.get([tablet, key]);
      if (!head) return;
      const seen = { ...head.seen, ...seenOf(sheet) };
      changed.set(key, seen);
      await heads.put({ ...head, seen });
    }));
  });
  for (const [key, seen] of changed) {
    const log = oplog.logs.get(key);
    if (log) oplog.logs.set(key, { ...log, seen });
  }
  return pack;
}
