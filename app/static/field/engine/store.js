// The one object that the screens use: docs/field-engine.md lists all of it. Here: the package, the sheets, the sending.

import { canonical, sha256, whole } from "./canonical.js";
import { Keeper } from "./keeper.js";
import { inTurn, noSheetOpen } from "./locks.js";
import * as packs from "./pack.js";
import { scaled } from "./pictures.js";
import { FieldError, tooShort } from "./words.js";

class Store extends Keeper {
  _sheets = null; // sheets.js: what a sheet is; fetched after the first screen, whoever signs in waits for it

  async _prepare() {
    this._sheets ??= await import("./sheets.js");
  }

  /** A part of the application that came with the package, or comes now. */
  async _later(load) {
    try {
      return await load();
    } catch (cause) {
      throw new FieldError("offline", { cause });
    }
  }

  // ---- the package

  /** Whoever has just signed in has signal: the duties come at once, without their materials. */
  async bind(code, label, pin) {
    await super.bind(code, label, pin);
    await inTurn(() => this._refresh()).catch(() => {}); // then "take offline" brings them
  }

  /** Only under the sender's lock (pack.js says why). */
  async _refresh() {
    const inside = this._inside();
    const pack = await packs.refresh({ db: this._db, ...inside });
    inside.pack = pack;
    this._changed();
  }

  /** Does what we hold, without what still waits, differ from what the server says it holds? */
  async _stale(sheets) {
    for (const [key, told] of Object.entries(sheets)) {
      const duty = this._duty(key);
      const instrument = duty && this._open?.pack.instruments[duty.instrument];
      if (!instrument || !told.entries_hash) continue;
      const { itemsOf, packedOf, receiptedEntries } = this._sheets;
      const entries = receiptedEntries(this._open.oplog.log(key), itemsOf(instrument), packedOf(this._open.pack, key));
      if ((await sha256(canonical(entries))) !== told.entries_hash) return true;
    }
    return false;
  }

  _report({ receipts, ...facts }) {
    if (receipts?.length) {
      this._changed();
      facts.lastReceipt = receipts.at(-1);
    }
    this._set(facts);
  }

  pack() {
    return this._open?.pack ?? null;
  }

  phrases() {
    return this._open?.pack?.phrases ?? [];
  }

  /** The office's reminders that the person has not seen. */
  reminders() {
    return this._open?.pack?.reminders ?? [];
  }

  /** Proposals to move a closing time that wait for the person's vote. */
  votes() {
    return this._open?.pack?.votes ?? [];
  }

  _duty(key) {
    return this._open?.pack?.duties.find((duty) => duty.key === key) ?? null;
  }

  duties() {
    return (this._open?.pack?.duties ?? []).map((duty) => {
      const sheet = this.sheet(duty.key);
      if (!sheet) return { ...duty, status: null, waiting: this.log(duty.key).filter(({ waiting }) => waiting).length, filled: null };
      return { ...duty, status: sheet.status, waiting: sheet.waiting, filled: Object.keys(sheet.entries).length };
    });
  }

  async material(id) {
    const { media, pack } = this._inside();
    const found = pack?.duties.flatMap((duty) => duty.materials ?? []).find((one) => one.id === id);
    return found ? media.blob(found.sha256) : null;
  }

  // ---- a sheet

  sheet(key) {
    const duty = this._duty(key);
    if (!duty || duty.kind === "statement") return null;
    if (!this._views.has(key)) this._views.set(key, this._view(duty, this._open.oplog.log(key), this._unsaved.get(key)));
    return this._views.get(key);
  }

  _view(duty, log, unsaved) {
    const { pack, media } = this._open;
    return this._sheets.sheetView({ duty, packed: this._sheets.packedOf(pack, duty.key), instrument: pack.instruments[duty.instrument], log, media, unsaved });
  }

  /** A log as it stands: [{op, waiting, receipt, acknowledged}]. */
  log(key) {
    return this._open?.oplog.log(key).entries ?? [];
  }

  /** What every change needs: the sheet, writable, and the fields that every operation on it has. */
  _writable(key) {
    this._inside();
    const sheet = this.sheet(key);
    if (!sheet) throw new FieldError("unknown_sheet");
    if (sheet.mayWrite) return sheet;
    const { code, zh, en } = sheet.why;
    const ready = code === "not_open" && sheet.duty.ready;
    throw new FieldError(code, ready || { zh, en });
  }

  /** Appends to a sheet's log. `build(log)` gives kind and fields; null appends nothing. */
  async _append(key, build, stores, also) {
    const { oplog, sender } = this._inside();
    const duty = this._duty(key);
    const op = await oplog.append(key, (log) => {
      const body = build(log);
      return body && { form: duty?.instrument ?? "", base: this._sheets.lastSeen(duty, log)?.rev ?? 0, ...body };
    }, stores, also);
    if (!op) return { id: null, savedAt: this.state().savedAt };
    const savedAt = new Date().toISOString();
    this._facts.savedAt = savedAt;
    this._changed(key);
    sender.nudge();
    this._whole().catch(() => {}); // whoever has begun must be able to finish without signal
    return { id: op.id, savedAt };
  }

  /** What was typed stays on the page if it cannot be stored, and is stored with the next thing that can. */
  async set(key, path, value) {
    const sheet = this._writable(key);
    if (!(path in sheet.fields)) throw new FieldError("unknown_item");
    const typed = Array.isArray(value) ? value.map((one) => whole(String(one))) : whole(String(value ?? ""));
    try {
      const saved = await this._append(key, (log) => {
        const old = this._view(sheet.duty, log).fields[path];
        return canonical(old) === canonical(typed) ? null : { kind: "set", path, old, new: typed };
      });
      this._forget(key, path, typed);
      return saved;
    } catch (error) {
      if (error.code === "full") {
        this._unsaved.set(key, { ...this._unsaved.get(key), [path]: typed });
        this._flag("full", true);
        this._touch();
      }
      throw error;
    }
  }

  _forget(key, path, typed) {
    const values = this._unsaved.get(key);
    if (!values || canonical(values[path] ?? null) !== canonical(typed)) return;
    delete values[path];
    if (!Object.keys(values).length) this._unsaved.delete(key);
    if (!this._unsaved.size) this._flag("full", false);
    this._touch();
  }

  /** Once more what could not be stored. */
  async retryUnsaved() {
    for (const [key, values] of [...this._unsaved]) for (const [path, value] of Object.entries({ ...values })) await this.set(key, path, value);
  }

  async attach(key, item, blob, place = null, name = "") {
    const { media } = this._inside();
    if (this._duty(key)?.kind !== "statement") this._writable(key); // a statement's log takes papers at any time
    const photo = await scaled(blob);
    const bytes = await photo.arrayBuffer();
    const { row, put, noted } = await media.prepare(bytes, photo.type, false);
    const { sha256: hash, size, mime } = row;
    const taken = new Date(blob.lastModified || Date.now()).toISOString();
    const body = { kind: "attach", item, sha256: hash, size, mime, name: whole(name || blob.name || ""), taken_at: taken, place };
    try {
      await this._append(key, () => body, ["media"], put);
    } catch (error) {
      throw error.code === "full" ? new FieldError("full_photo") : error;
    }
    noted();
    this._touch();
    this._measure().then(() => this._touch());
    return { sha256: hash, size };
  }

  detach(key, item, hash) {
    this._writable(key);
    return this._append(key, () => ({ kind: "detach", item, sha256: hash }));
  }

  /** Has the file reached the server? Null for one that this tablet does not hold. */
  arrived(hash) {
    const known = this._open?.media.known.get(hash);
    return known ? !known.waiting : null;
  }

  async declareConflict(key, reason) {
    this._inside();
    if (this.sheet(key)?.status === "stopped") this._writable(key);
    return this._append(key, () => ({ kind: "conflict", reason: said("conflict", reason) }));
  }

  /** Any other operation of the protocol, e.g. the recorder's log; `fields` as section 6 says. */
  record(key, kind, fields = {}) {
    return this._append(key, () => ({ kind, ...fields }));
  }

  // ---- the rest

  async syncNow() {
    const { sender } = this._inside();
    await this.retryUnsaved().catch(() => {}); // still no space: what is stored can go up all the same
    await this._measure();
    await sender.now();
    this._touch();
  }

  /** True when the new version takes over (the page is then loaded again); false while something waits or a sheet is open. */
  async applyUpdate() {
    this.closeSheet();
    if (this._unsaved.size || !(await noSheetOpen()) || !(await this._worker?.takeOver())) return false;
    location.reload();
    return true;
  }

  place() {
    return new Promise((found, failed) => {
      const missing = () => failed(new FieldError("place"));
      if (!navigator.geolocation) return missing();
      const options = { enableHighAccuracy: true, timeout: 20_000, maximumAge: 60_000 };
      return navigator.geolocation.getCurrentPosition(({ coords }) => {
        const { latitude, longitude, accuracy } = coords;
        found({ lat: latitude.toFixed(6), lon: longitude.toFixed(6), accuracy: Math.min(accuracy, 9999).toFixed(0) });
      }, missing, options);
    });
  }
}

/** A reason that the server takes. */
export function said(kind, reason) {
  const text = whole(String(reason ?? "").trim());
  const short = tooShort(kind, text);
  if (short) throw new FieldError("reason", short);
  return text;
}

// The steps that nobody takes before the rest of the application is there, or without signal: steps.js says what each does.
const STEPS = [
  "takeOffline", "photo", "acknowledge", "reminderSeen", "castVote", "unlockStatement", "locate", "seal", "withdraw", "choose",
  "branches", "takeOver", "exportPackage",
];
for (const name of STEPS) Store.prototype[name] = async function step(...about) {
  return (await this._later(() => import("./steps.js")))[name](this, ...about);
};

export const store = new Store();
