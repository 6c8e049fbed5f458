// The package (docs/sync-protocol.md, section 2): fetched in one answer, stored in one transaction, never in the browser's HTTP cache.

import { sha256 } from "./canonical.js";
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

/** Each material once, whatever the number of sheets that show it. */
export function materialsOf(pack) {
  const once = new Map();
  for (const duty of pack.duties) for (const one of duty.materials ?? []) once.set(one.sha256, one);
  return [...once.values()];
}

/** Fetch what is not here yet, one by one, each checked against its hash. Returns those that could not be had. */
export async function fetchMaterials({ session, media }, pack, onProgress) {
  const all = materialsOf(pack);
  const failed = [];
  let [done, bytes] = [0, 0];
  onProgress({ done, total: all.length, bytes });
  for (const one of all) {
    if (!media.known.has(one.sha256)) {
      const body = await session.bytes(one.url);
      if (body && (await sha256(body)) === one.sha256) await media.store(body, one.mime);
      else failed.push(one);
    }
    done += 1;
    bytes += one.size;
    onProgress({ done, total: all.length, bytes });
  }
  return { bytes, failed };
}
