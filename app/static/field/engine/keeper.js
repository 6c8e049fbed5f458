// Who uses this tablet: users, PIN, locking, other windows, and the facts that every screen shows. store.js says what each means.

import { base64 } from "./canonical.js";
import { open, under, write } from "./db.js";
import { channel, holdSheet } from "./locks.js";
import { Media, countWaitingMedia } from "./media.js";
import { Session, leaving, left, opened, ping, refusal, request } from "./net.js";
import { Oplog, countWaiting } from "./oplog.js";
import { stored } from "./pack.js";
import { Sender } from "./sync.js";
import * as vaults from "./vault.js";
import { register } from "./worker.js";
import { FieldError, words } from "./words.js";

const LOCK_AFTER = 10 * 60_000;
const TOUCH_EVERY = 5_000; // a touch is passed on this often
const LOOK_EVERY = 60_000;
const FULL_SOON = 0.9;
const CLOCK_OFF = 120_000;
const TABLES = ["packs", "sheets", "ops", "media"];
const identity = ({ id, account, name, role, label }) => ({ tablet: id, account, name, role, label });

/** The tablet and who uses it; store.js adds the package, the sheets and the sending. */
export class Keeper {
  _db = null;
  _row = null; // the chosen user's row in `tablets`
  _open = null; // while unlocked: {vault, oplog, media, session, sender, pack}
  _rows = [];
  _counts = new Map(); // tablet -> {waiting, media}, of locked users too
  _listeners = new Set();
  _views = new Map();
  _unsaved = new Map(); // sheet -> {path: value}
  _kept = new Map(); // tablet -> the same of a locked user
  _state = null;
  _told = false;
  _facts = { phase: "starting", online: false, syncing: false, savedAt: null, lastReceipt: null, error: null };
  _flags = new Map(); // standing notices
  _storage = { usage: 0, quota: 0, persisted: false };
  _shell = { serving: "", newest: "" };
  _worker = null;
  _complete = ""; // up to which part the application is on this tablet
  _tell = () => {};
  _news = Promise.resolve();
  _hold = null;
  lockAt = 0;

  // ---- what is so

  subscribe(listener) {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  }

  /** Something changed: views are made anew, listeners hear of it once. */
  _touch(sheet = null) {
    this._state = null;
    if (sheet === null) this._views.clear();
    else this._views.delete(sheet);
    if (this._told) return;
    this._told = true;
    queueMicrotask(() => {
      this._told = false;
      for (const listener of [...this._listeners]) listener();
    });
  }

  _set(facts) {
    Object.assign(this._facts, facts);
    this._touch();
  }

  _flag(code, on) {
    if (on) this._flags.set(code, words(code));
    else this._flags.delete(code);
  }

  state() {
    if (this._state) return this._state;
    const inside = this._open;
    const counted = this._counts.get(this._row?.id) ?? { waiting: 0, media: 0 };
    const refused = [...(inside?.oplog.logs.values() ?? [])].flatMap(({ entries }) => entries.filter(({ receipt, acknowledged }) => receipt?.status === "refused" && !acknowledged));
    const offset = inside?.session.offset ?? 0;
    this._flag("clock", Math.abs(offset) > CLOCK_OFF);
    this._flag("nearly_full", this._storage.quota > 0 && this._storage.usage / this._storage.quota >= FULL_SOON);
    const update = this._shell.newest !== this._shell.serving;
    this._flag("update", update);
    this._state = {
      ...this._facts,
      secure: globalThis.isSecureContext,
      user: this._row ? identity(this._row) : null,
      name: inside?.pack?.name ?? this._row?.name ?? "",
      waiting: inside ? inside.oplog.waiting().length : counted.waiting,
      waitingMedia: inside ? inside.media.waiting.length : counted.media,
      unsaved: [...this._unsaved.values()].reduce((sum, values) => sum + Object.keys(values).length, 0),
      refused: refused.length,
      notices: [...this._flags.values()],
      storage: this._storage,
      clockOffset: offset,
      packAt: inside?.pack?.server_time ?? null,
      takenAt: inside ? (this._row.takenAt ?? null) : null,
      swVersion: this._shell.serving,
      update,
    };
    return this._state;
  }

  now() {
    return new Date(Date.now() + (this._open?.session.offset ?? 0));
  }

  // ---- starting

  async start() {
    if (!globalThis.isSecureContext || !globalThis.crypto?.subtle) {
      this._flag("insecure", true);
      this._set({ phase: "unbound" });
      return;
    }
    try {
      this._db = await open({ onOutdated: () => this._outdated() });
      await this._readUsers();
      const last = (await this._db.get("meta", "last"))?.tablet;
      this._row = this._rows.find(({ id }) => id === last) ?? this._rows[0] ?? null;
    } catch (error) {
      this._flag(error instanceof FieldError ? error.code : "no_storage", true);
      this._set({ phase: "unbound" });
      return;
    }
    this._tell = channel((news) => this._heard(news));
    for (const kind of ["pointerdown", "keydown", "input"]) document.addEventListener(kind, () => this._touched(), { capture: true, passive: true });
    document.addEventListener("visibilitychange", () => this._lockIfIdle());
    const unsaved = () => [this._unsaved, ...this._kept.values()].some(({ size }) => size);
    window.addEventListener("beforeunload", (event) => unsaved() && event.preventDefault());
    setInterval(() => this._lockIfIdle(), 5_000);
    window.addEventListener("offline", () => this._set({ online: false }));
    window.addEventListener("online", () => this._whileLocked());
    setInterval(() => this._whileLocked(), LOOK_EVERY);
    await this._measure();
    this._set({ phase: this._row ? "locked" : "unbound" });
    this._startWorker();
    this._whileLocked();
  }

  /** Nothing is sent then but a sign-out that had no signal; the header still tells whether the server is there. */
  async _whileLocked() {
    if (this._open || document.visibilityState !== "visible") return;
    const online = await ping();
    const owed = online && (await this._db?.get("meta", "leaving"));
    if (owed && (await left(owed.csrf))) await this._db.delete("meta", "leaving");
    if (!this._open && online !== this._facts.online) this._set({ online });
  }

  async _startWorker() {
    const look = async () => {
      const versions = await this._worker?.versions();
      if (versions) this._shell = versions;
      this._flag("no_worker", !this._worker);
      this._touch();
    };
    this._worker = await register(look);
    if (this._worker) await navigator.serviceWorker.ready;
    await look();
  }

  /** What this person may need of the application is on this tablet. Throws a FieldError when a part did not come. */
  async _whole() {
    const part = this._open?.pack?.duties.some(({ kind }) => kind === "statement") ? "recorder" : "rest";
    if (this._complete === part || !this._worker) return; // without a worker nothing is kept: a standing notice says so
    if (!(await this._worker.complete(part))) throw new FieldError("no_worker");
    this._complete = part;
  }

  _outdated() {
    this._flag("reload", true);
    this._db = null;
    this.lock();
  }

  _base() {
    if (this._db) return this._db;
    throw new FieldError([...this._flags.keys()].find((code) => ["insecure", "no_storage", "newer", "reload"].includes(code)) ?? "no_storage");
  }

  async _readUsers() {
    this._rows = (await this._db.getAll("tablets")).sort((a, b) => b.lastUsed - a.lastUsed);
    const counts = this._rows.map(async ({ id }) => [id, { waiting: await countWaiting(this._db, id), media: await countWaitingMedia(this._db, id) }]);
    this._counts = new Map(await Promise.all(counts));
  }

  async _measure() {
    const { usage = 0, quota = 0 } = (await navigator.storage?.estimate?.().catch(() => null)) ?? {};
    const persisted = (await navigator.storage?.persisted?.().catch(() => false)) ?? false;
    this._storage = { usage, quota, persisted };
    this._flag("not_persistent", this._rows.length > 0 && !persisted);
  }

  // ---- other windows

  _heard({ what, tablet, sheet }) {
    if (what === "touched") this._touched(false);
    if (what === "users") this._readUsers().then(() => this._chooseAgain());
    if (!this._open || tablet !== this._row.id) return;
    if (what === "locked") this._leave();
    if (what === "changed") {
      const { oplog, media, vault } = this._open;
      this._news = this._news.then(async () => {
        await (sheet ? oplog.load(sheet) : Promise.all([oplog.load(), media.load(), stored(this._db, vault, tablet).then((pack) => this._open && (this._open.pack = pack))]));
        this._touch();
      }).catch(() => {}); // locked meanwhile
    }
  }

  _changed(sheet = null) {
    this._touch(sheet);
    this._tell({ what: "changed", tablet: this._row?.id, sheet });
  }

  /** Another window bound or wiped somebody. */
  _chooseAgain() {
    if (!this._open && !this._rows.some(({ id }) => id === this._row?.id)) this._row = this._rows[0] ?? null;
    this._set({ phase: this._open ? "open" : this._row ? "locked" : "unbound" });
  }

  // ---- who

  users() {
    return this._rows.map((row) => ({ ...identity(row), waiting: this._counts.get(row.id)?.waiting ?? 0, lastUsed: row.lastUsed, waitUntil: row.waitUntil }));
  }

  async _saveRow(id, changes) {
    let row;
    await write(this._db, ["tablets"], async (work) => {
      row = { ...(await work.objectStore("tablets").get(id)), ...changes };
      await work.objectStore("tablets").put(row);
    });
    if (this._row?.id === id) this._row = row;
    this._rows = this._rows.map((one) => (one.id === id ? row : one));
    return row;
  }

  async bind(code, label, pin) {
    const db = this._base();
    vaults.plainPin(pin);
    const { signKey, publicKey } = await vaults.signingKey();
    const { row: keys, vault } = await vaults.create(pin);
    const answer = await request("POST", "/field/api/bind", { json: { code: code.trim(), public_key: base64(publicKey), label: label.trim() } });
    if (answer.status !== 200 || !answer.body?.tablet) throw refusal(answer, "code");
    const { tablet, account, name, role, csrf, server_time } = answer.body;
    const row = { id: tablet, account, name, role, label: label.trim(), signKey, ...keys, lastUsed: Date.now() };
    await write(db, ["tablets", "meta"], (work) => Promise.all([
      work.objectStore("tablets").put(row),
      work.objectStore("meta").put({ key: "last", tablet }),
      ...opened(work, tablet, csrf),
    ]));
    navigator.storage?.persist?.().catch(() => false);
    this._close();
    await this._readUsers();
    await this._enter(this._rows.find(({ id }) => id === tablet), vault, server_time);
    this._tell({ what: "users" });
  }

  async unlock(pin, tablet = this._row?.id) {
    const db = this._base();
    const row = await db.get("tablets", tablet);
    if (!row) throw new FieldError("unexpected");
    const vault = await vaults.unlock(row, pin, (changes) => this._saveRow(tablet, changes));
    await this._saveRow(tablet, { lastUsed: Date.now() });
    await write(db, ["meta"], (work) => work.objectStore("meta").put({ key: "last", tablet }));
    await this._enter(await db.get("tablets", tablet), vault);
  }

  async _enter(row, vault, serverTime = null) {
    const db = this._db;
    const oplog = new Oplog(db, vault, row.id);
    const media = new Media(db, vault, row.id);
    const held = await db.get("meta", "session");
    const session = new Session(row, held?.tablet === row.id ? held.csrf : null, async ({ csrf }) => {
      await write(db, ["meta"], (work) => Promise.all(opened(work, row.id, csrf)));
    });
    if (serverTime) session.clock(serverTime);
    const [pack] = await Promise.all([stored(db, vault, row.id), oplog.load(), media.load(), this._prepare()]);
    const sender = new Sender({ session, oplog, media, tasks: {
      catchUp: () => this._news,
      refresh: () => this._refresh(),
      stale: (sheets) => this._stale(sheets),
      report: (news) => this._report(news),
      recount: () => this._readUsers().then(() => this._touch()),
    } });
    this._close();
    this._row = row;
    this._unsaved = this._kept.get(row.id) ?? new Map();
    session.offset ||= pack?.offset ?? 0;
    this._open = { vault, oplog, media, session, sender, pack };
    const wall = Math.max(0, ...[...oplog.logs.values()].map((log) => log.wall));
    const receipts = [...oplog.logs.values()].flatMap(({ sheet, entries }) => entries.filter(({ receipt }) => receipt).map(({ op, receipt }) => ({ ...receipt, sheet, kind: op.kind })));
    const last = receipts.reduce((best, one) => (!best || one.leaf > best.leaf ? one : best), null);
    this._touched(false);
    this._set({ phase: "open", savedAt: wall ? new Date(wall).toISOString() : null, lastReceipt: last, error: null });
    sender.run();
  }

  _close() {
    if (!this._open) return;
    const { sender, oplog, media } = this._open;
    this._counts.set(this._row.id, { waiting: oplog.waiting().length, media: media.waiting.length });
    sender.end();
    this._kept.set(this._row.id, this._unsaved); // what could not be stored is shown again to whoever typed it
    this._unsaved = new Map();
    this._open = null; // the data key, the package and everything typed go out of memory with it
    this.closeSheet();
    this._set({ phase: this._row ? "locked" : "unbound", syncing: false });
  }

  /** Locked unasked: the screens hand over what is half typed, as when the page goes, and that is kept first. */
  async _leave() {
    window.dispatchEvent(new Event("pagehide"));
    const { oplog } = this._open;
    await Promise.race([oplog.quiet(), new Promise((late) => setTimeout(late, 1_000))]);
    if (this._open?.oplog === oplog) this._close();
  }

  /** On purpose, so the server's session ends too: the next person must not be taken for this one on the pages. */
  lock() {
    const csrf = this._open?.session.csrf;
    if (this._open) this._tell({ what: "locked", tablet: this._row.id });
    this._close();
    if (csrf) write(this._db, ["meta"], (work) => Promise.all(leaving(work, csrf))).then(() => this._whileLocked()).catch(() => {});
  }

  switchUser(tablet) {
    const row = this._rows.find(({ id }) => id === tablet);
    if (!row) return;
    this.lock();
    this._row = row;
    this._set({ phase: "locked" });
  }

  forgetSelection() {
    this.lock();
    this._row = null;
    this._set({ phase: "unbound" });
  }

  _touched(here = true) {
    const next = Date.now() + LOCK_AFTER;
    if (here && next - this.lockAt > TOUCH_EVERY) this._tell({ what: "touched" });
    this.lockAt = next;
  }

  _lockIfIdle() {
    if (this._open && Date.now() >= this.lockAt) this._leave();
  }

  /** With `wipe` everything of this account leaves the tablet. Refused while something is unsent and not exported since, or was not
      even stored: no export has that. */
  async signOut({ wipe = false } = {}) {
    const { oplog, media, session } = this._inside();
    const { id, exportedAt = 0 } = this._row;
    const lastWrite = Math.max(0, ...[...oplog.logs.values()].map((log) => log.wall));
    if (this._unsaved.size) throw new FieldError("full");
    if ((oplog.waiting().length || media.waiting.length) && !(exportedAt > lastWrite)) throw new FieldError("waiting");
    const told = await left(session.csrf);
    await write(this._db, [...TABLES, "tablets", "meta"], async (work) => {
      await Promise.all(leaving(work, told ? null : session.csrf));
      if (!wipe) return;
      await work.objectStore("tablets").delete(id);
      await work.objectStore("packs").delete(id);
      await Promise.all(["sheets", "ops", "media"].map((name) => work.objectStore(name).delete(under(id))));
    });
    session.csrf = null;
    this.lock();
    await this._readUsers();
    if (wipe) this._row = this._rows[0] ?? null;
    this._set({ phase: this._row ? "locked" : "unbound", lastReceipt: null, savedAt: null });
    this._tell({ what: "users" });
  }

  _inside() {
    this._base();
    if (!this._open) throw new FieldError("locked");
    return this._open;
  }

  // ---- one sheet at a time holds back a new version

  openSheet() {
    this._hold ??= holdSheet();
    return this._hold.held;
  }

  closeSheet() {
    this._hold?.release();
    this._hold = null;
  }
}
