// The logs of one tablet (docs/sync-protocol.md, section 3): append-only, hash-linked, each operation in its box. An append
// resolves when its transaction is complete on the disk. Operations stay after their receipt: they are the tablet's own evidence,
// and a server that lost its last hours asks for them again.

import { hashed } from "./canonical.js";
import { under, waitingOf, write } from "./db.js";
import { newId } from "./vault.js";

const ZEROS = "0".repeat(64);
const MOVED = Symbol("another window appended first");
const place = (tablet, sheet, seq) => `ops\n${tablet}\n${sheet}\n${seq}`;

/** One sheet's log: head and operations in order. `seen`: what the server last said about the sheet. */
const empty = (tablet, sheet) => ({ tablet, sheet, seq: 0, hash: ZEROS, mono: 0, wall: 0, seen: null, entries: [] });

export class Oplog {
  #db;
  #vault;
  #tail = Promise.resolve();
  #lastTick = null; // [performance.now(), sheet] of our own last append

  constructor(db, vault, tablet) {
    this.#db = db;
    this.#vault = vault;
    this.tablet = tablet;
    this.logs = new Map(); // sheet -> log; entries: [{op, waiting, receipt, acknowledged}]
  }

  /** One after another: a load that began before an append must not end after it. */
  #inTurn(act) {
    const mine = this.#tail.then(act);
    this.#tail = mine.catch(() => {});
    return mine;
  }

  /** Once everything that was handed over is kept. */
  quiet() {
    return this.#tail;
  }

  /** Everything of this tablet, or of one sheet after another window wrote to it. */
  load(sheet = null) {
    return this.#inTurn(() => this.#load(sheet));
  }

  async #load(sheet) {
    const range = sheet === null ? under(this.tablet) : under(this.tablet, sheet);
    const work = this.#db.transaction(["sheets", "ops"]);
    const one = IDBKeyRange.only([this.tablet, sheet ?? ""]);
    const [heads, rows] = await Promise.all([work.objectStore("sheets").getAll(sheet === null ? range : one), work.objectStore("ops").getAll(range)]);
    const opened = await Promise.all(rows.map((row) => this.#vault.openJson(place(this.tablet, row.sheet, row.seq), row.box)));
    if (sheet === null) this.logs.clear();
    else this.logs.delete(sheet);
    for (const head of heads) this.logs.set(head.sheet, { ...head, entries: [] });
    rows.forEach(({ sheet: key, waiting, receipt, acknowledged }, at) => {
      this.logs.get(key).entries.push({ op: opened[at], waiting: waiting === 1, receipt: receipt ?? null, acknowledged: Boolean(acknowledged) });
    });
  }

  log(sheet) {
    return this.logs.get(sheet) ?? empty(this.tablet, sheet);
  }

  /** Appends what `build(log)` returns: {kind, form, base, ...}; null appends nothing. One after another; when another window was
      first, `build` is asked again on the newer log. `stores` and `also(work)` add rows to the same transaction. */
  append(sheet, build, stores = [], also = () => {}) {
    return this.#inTurn(() => this.#append(sheet, build, stores, also));
  }

  async #append(sheet, build, stores, also) {
    for (;;) {
      const log = this.log(sheet);
      const body = build(log);
      if (!body) return null;
      const wall = Date.now();
      const tick = performance.now();
      const passed = this.#lastTick?.[1] === sheet ? tick - this.#lastTick[0] : log.wall ? wall - log.wall : 0;
      const mono = log.mono + Math.max(0, Math.round(passed));
      const seq = log.seq + 1;
      const named = { v: 1, id: newId(), tablet: this.tablet, sheet, seq, prev: log.hash };
      const op = await hashed({ ...named, ...body, at: new Date(wall).toISOString(), mono });
      const box = await this.#vault.sealJson(place(this.tablet, sheet, seq), op);
      try {
        await write(this.#db, ["ops", "sheets", ...stores], async (work) => {
          const head = await work.objectStore("sheets").get([this.tablet, sheet]);
          if ((head?.seq ?? 0) !== log.seq || (head?.hash ?? ZEROS) !== log.hash) throw MOVED;
          const row = { tablet: this.tablet, sheet, seq, id: op.id, hash: op.hash, box, waiting: 1 };
          const next = { tablet: this.tablet, sheet, seq, hash: op.hash, mono, wall, seen: head?.seen ?? null };
          await Promise.all([work.objectStore("ops").add(row), work.objectStore("sheets").put(next), also(work)]);
        });
      } catch (error) {
        if (error !== MOVED) throw error;
        await this.#load(sheet);
        continue;
      }
      this.#lastTick = [tick, sheet];
      const entries = [...log.entries, { op, waiting: true, receipt: null, acknowledged: false }];
      this.logs.set(sheet, { ...log, seq, hash: op.hash, mono, wall, entries });
      return op;
    }
  }

  /** Operations not receipted, in the order of their logs; sheets in `skip` are left out. */
  waiting(skip = new Set()) {
    const found = [];
    for (const [sheet, log] of this.logs) if (!skip.has(sheet)) found.push(...log.entries.filter((entry) => entry.waiting).map(({ op }) => op));
    return found;
  }

  /** Stores receipts and what the server says of the sheets, in one transaction. An operation leaves the outbox only for a
      receipt over its own hash and with a status that we know. Returns the receipts taken. */
  receive(receipts, sheets) {
    return this.#inTurn(() => this.#receive(receipts, sheets));
  }

  async #receive(receipts, sheets) {
    const known = new Set(["accepted", "branch", "held", "refused"]);
    const byId = new Map();
    for (const log of this.logs.values()) for (const entry of log.entries) byId.set(entry.op.id, entry);
    const taken = receipts.filter((receipt) => known.has(receipt.status) && byId.get(receipt.id)?.op.hash === receipt.hash);
    await write(this.#db, ["ops", "sheets"], async (work) => {
      const [ops, heads] = [work.objectStore("ops"), work.objectStore("sheets")];
      const stored = taken.map(async (receipt) => {
        const { op } = byId.get(receipt.id);
        const { waiting: _, ...row } = await ops.get([op.tablet, op.sheet, op.seq]);
        await ops.put({ ...row, receipt });
      });
      const told = Object.entries(sheets).map(async ([sheet, seen]) => {
        const { entries: _, ...start } = empty(this.tablet, sheet);
        await heads.put({ ...((await heads.get([this.tablet, sheet])) ?? start), seen });
      });
      await Promise.all([...stored, ...told]);
    });
    for (const receipt of taken) {
      const entry = byId.get(receipt.id);
      Object.assign(entry, { waiting: false, receipt });
      if (receipt.status !== "accepted") delete this.logs.get(entry.op.sheet).folded; // it may not stand
    }
    for (const [sheet, seen] of Object.entries(sheets)) {
      this.logs.set(sheet, { ...this.log(sheet), seen });
    }
    return taken.map((receipt) => ({ ...receipt, sheet: byId.get(receipt.id).op.sheet, kind: byId.get(receipt.id).op.kind }));
  }

  /** Sheet -> number of operations, from the first, that have their receipts. */
  receipted() {
    const found = {};
    for (const [sheet, { entries }] of this.logs) {
      const first = entries.findIndex(({ waiting }) => waiting);
      found[sheet] = first < 0 ? entries.length : first;
    }
    return found;
  }

  /** The server lacks operations from `seq` on (it was restored from a copy): they wait again. */
  resend(sheet, seq) {
    return this.#inTurn(() => this.#resend(sheet, seq));
  }

  async #resend(sheet, seq) {
    await write(this.#db, ["ops"], async (work) => {
      const rows = await work.objectStore("ops").getAll(IDBKeyRange.bound([this.tablet, sheet, seq], [this.tablet, sheet, []]));
      await Promise.all(rows.map((row) => work.objectStore("ops").put({ ...row, waiting: 1 })));
    });
    await this.#load(sheet);
  }

  /** The person has read a refusal. */
  async acknowledge(sheet, id) {
    const entry = this.log(sheet).entries.find(({ op }) => op.id === id);
    if (!entry) return;
    await write(this.#db, ["ops"], async (work) => {
      const row = await work.objectStore("ops").get([this.tablet, sheet, entry.op.seq]);
      await work.objectStore("ops").put({ ...row, acknowledged: 1 });
    });
    entry.acknowledged = true;
  }
}

/** Operations of a tablet in the outbox, countable while it is locked. */
export const countWaiting = (db, tablet) => db.countFromIndex("ops", "waiting", waitingOf(tablet));
