// What the tablet keeps, in IndexedDB. Everything that a person typed or that the server sent about a sheet lies in boxes
// (vault.js); the rest is ids, numbers, hashes and keys.
//
//   tablets  id                       {id, account, name, role, label, key material, wrong PINs}     one per bound account
//   packs    tablet                   {tablet, box, at}                                              the package
//   sheets   [tablet, sheet]          {tablet, sheet, seq, hash, mono, wall, seen}                   head of a log; what the server last said
//   ops      [tablet, sheet, seq]     {tablet, sheet, seq, id, hash, box, waiting?, receipt?}        waiting: 1 until receipted
//   media    [tablet, sha256]         {tablet, sha256, size, mime, box, waiting?, arrived?}          photos and materials
//   meta     key                      {key, ...}
//
// Versions only ever add: a step creates stores and indexes, and never deletes or rewrites a row.

import { openDB } from "../../vendor/idb.js";
import { FieldError } from "./words.js";

export const NAME = "mingjian.field";

export const STEPS = [
  (db) => {
    db.createObjectStore("tablets", { keyPath: "id" });
    db.createObjectStore("packs", { keyPath: "tablet" });
    db.createObjectStore("sheets", { keyPath: ["tablet", "sheet"] });
    const ops = db.createObjectStore("ops", { keyPath: ["tablet", "sheet", "seq"] });
    ops.createIndex("waiting", ["tablet", "waiting"]);
    ops.createIndex("id", "id", { unique: true });
    db.createObjectStore("media", { keyPath: ["tablet", "sha256"] }).createIndex("waiting", ["tablet", "waiting"]);
    db.createObjectStore("meta", { keyPath: "key" });
  },
];

/** Opens, upgrading from any earlier version. `onOutdated`: another window wants a newer version, so this one let go. */
export async function open({ steps = STEPS, onOutdated = () => {} } = {}) {
  try {
    const db = await openDB(NAME, steps.length, {
      upgrade(base, from, _to, work) {
        for (const step of steps.slice(from)) step(base, work);
      },
      blocking() {
        db.close();
        onOutdated();
      },
    });
    return db;
  } catch (error) {
    throw new FieldError(error.name === "VersionError" ? "newer" : "no_storage", { cause: error });
  }
}

/** One transaction that is on the disk when this resolves: "saved" may be said only then. */
export async function write(db, stores, act) {
  const work = db.transaction(stores, "readwrite", { durability: "strict" });
  try {
    const result = await act(work);
    await work.done;
    return result;
  } catch (error) {
    work.done.catch(() => {});
    try {
      work.abort();
    } catch {
      // already aborted by the fault itself
    }
    throw /quota/i.test(`${error?.name} ${work.error?.name}`) ? new FieldError("full", { cause: error }) : error;
  }
}

/** All rows of one tablet, or of one of its sheets. */
export const under = (...parts) => IDBKeyRange.bound(parts, [...parts, []]);
export const waitingOf = (tablet) => IDBKeyRange.only([tablet, 1]);
