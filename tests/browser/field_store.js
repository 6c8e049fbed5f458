// The store as the screens know it (docs/field-engine.md), in memory and without a server: what a screen test needs and no more.
// The evaluators are the real ones. `globalThis.fake` lets a test change what the store says.

import { fieldsOf, merged } from "../entries.js";
import { sheetItems } from "../evaluate.js";

const given = await (await fetch("/fixture.json")).json();
const listeners = new Set();
const sheets = new Map();
const secret = "ABCDEFGH23456777";
const hex = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
const image = await (await fetch("/static/field/icon-180.png")).blob().catch(() => new Blob());

function fault(code, zh, en, more = {}) {
  return Object.assign(new Error(code), { code, zh, en, ...more });
}

const state = {
  phase: "unbound", secure: true, user: null, name: "", online: true, syncing: false, savedAt: null, waiting: 0, waitingMedia: 0, unsaved: 0,
  refused: 0, lastReceipt: null, error: null, notices: [], storage: { usage: 734003, quota: 1e9, persisted: true }, clockOffset: 0, packAt: null, takenAt: null,
  swVersion: "", update: false, lockAt: null,
};
let shown = { ...state };
let views = new Map();

function touch() {
  shown = { ...state };
  views = new Map();
  queueMicrotask(() => listeners.forEach((call) => call()));
}

for (const duty of given.pack.duties) {
  sheets.set(duty.key, { entries: duty.sheet?.entries ?? {}, attachments: {}, status: duty.fake ?? (duty.ready ? "not_open" : "draft"), receipts: [], refused: [], waiting: 0, revision: 1, sealed: null, ops: [] });
}

export const store = {
  start: async () => {},
  subscribe: (call) => (listeners.add(call), () => listeners.delete(call)),
  state: () => shown,
  now: () => new Date(),
  users: () => fake.users,
  async bind(code, label, pin) {
    if (!code.startsWith("GOOD")) throw fault("code", "口令无效、已使用或已过期。", "The code is wrong, used or expired.");
    fake.bound = { code, label, pin };
    Object.assign(state, { phase: "open", user: { tablet: "t1", account: "a1", name: given.pack.name, role: "expert", label }, name: given.pack.name });
    fake.users = [{ ...state.user, waiting: 0 }];
    touch();
  },
  async unlock(pin) {
    fake.pins.push(pin);
    if (pin !== "246810") throw fault("pin", "密码不对。", "Wrong PIN.", { left: 4 });
    state.phase = "open";
    touch();
  },
  lock() {
    state.phase = "locked";
    touch();
  },
  switchUser() {},
  forgetSelection() {
    state.phase = "unbound";
    touch();
  },
  async signOut(how) {
    if (state.waiting) throw fault("waiting", "还有内容没有上传，不能退出。", "Something is not uploaded yet.");
    fake.out = how;
    state.phase = "unbound";
    touch();
  },
  async takeOffline(tell) {
    tell({ done: 1, total: 2, bytes: 150000 });
    state.packAt = state.takenAt = new Date().toISOString();
    touch();
    return { duties: given.pack.duties.length, bytes: 300000, failed: [] };
  },
  duties: () => (state.packAt ? given.pack.duties : []).map((duty) => ({ ...duty, status: sheets.get(duty.key).status, waiting: sheets.get(duty.key).waiting, filled: Object.keys(sheets.get(duty.key).entries).length })),
  pack: () => given.pack,
  phrases: () => given.pack.phrases,
  reminders: () => given.pack.reminders ?? [],
  votes: () => given.pack.votes ?? [],
  material: async (id) => (id === "gone" ? null : new Blob(["%PDF-1.4"], { type: "application/pdf" })),
  openSheet(key) {
    fake.opened = key;
  },
  closeSheet() {
    fake.opened = null;
  },
  sheet(key) {
    const duty = given.pack.duties.find((one) => one.key === key);
    if (!duty || !state.packAt) return null;
    if (!views.has(key)) {
      const held = sheets.get(key);
      const instrument = given.pack.instruments[duty.instrument];
      const fields = {};
      for (const item of sheetItems(instrument)) for (const [part, value] of Object.entries(fieldsOf(item, held.entries[item.id]))) fields[`${item.id}.${part}`] = value;
      const why = held.status === "draft" ? null : fault(held.status, `不能填写（${held.status}）`, `Not open for writing (${held.status})`);
      views.set(key, { key, duty, instrument, ...held, fields, mayWrite: held.status === "draft", why, pending: fake.pending, unlocked: false, rev: 0, activeTablet: null, branch: held.status === "branch", deadline: duty.deadline });
    }
    return views.get(key);
  },
  async set(key, path, value) {
    await new Promise((go) => setTimeout(go, fake.delay));
    if (fake.full) {
      state.unsaved += 1;
      touch();
      throw fault("full", "本机存储空间已满，刚才的内容没有存下。", "Storage on this tablet is full: the last entry was not saved.");
    }
    const held = sheets.get(key);
    const duty = given.pack.duties.find((one) => one.key === key);
    held.entries = merged(given.pack.instruments[duty.instrument].items, held.entries, { [path]: value });
    held.ops.push([path, value]);
    held.waiting += 1;
    Object.assign(state, { savedAt: new Date().toISOString(), waiting: state.waiting + 1, unsaved: 0 });
    touch();
    return { id: "x", savedAt: state.savedAt };
  },
  async unlockStatement(key, code) {
    if (code.replace(/[^A-Z0-9]/gi, "").toUpperCase() !== secret) throw fault("unlock_code", "代码不对。", "The code does not match.");
    sheets.get(key).status = "draft";
    touch();
  },
  async attach(key, item, blob, place, name) {
    const sha256 = hex(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
    (sheets.get(key).attachments[item] ??= []).push({ sha256, size: blob.size, mime: blob.type, name, taken_at: new Date().toISOString(), place, arrived: false });
    touch();
    return { sha256, size: blob.size };
  },
  async locate(key, sha256, place) {
    const photo = Object.values(sheets.get(key).attachments).flat().find((one) => one.sha256 === sha256);
    photo.place = place;
    touch();
  },
  async detach(key, item, sha256) {
    const held = sheets.get(key);
    held.attachments[item] = held.attachments[item].filter((one) => one.sha256 !== sha256);
    touch();
  },
  photo: async () => image,
  async declareConflict(key, reason) {
    fake.conflict = { key, reason };
    sheets.get(key).status = "stopped";
    touch();
  },
  async seal(key, { signedName, strokes }) {
    const held = sheets.get(key);
    fake.seal = { key, signedName, strokes };
    held.status = fake.offlineSeal ? "sealing" : "sealed";
    const code = fake.offlineSeal ? null : "K7QM-29DX-4TRA";
    held.sealed = { at: new Date().toISOString(), signed_name: signedName, receipt: null, code };
    if (code) held.receipts.push({ id: "r1", hash: "ab".repeat(32), status: "accepted", rev: 1, leaf: 1204, at: new Date().toISOString(), code, kind: "seal" });
    touch();
  },
  async withdraw(key, reason) {
    fake.withdrawn = reason;
    Object.assign(sheets.get(key), { status: "draft", sealed: null, revision: 2 });
    touch();
  },
  branches: async () => given.branches,
  async choose(key, branch, picks, reason) {
    fake.chosen = { key, branch, picks, reason };
    sheets.get(key).status = "draft";
    touch();
  },
  async takeOver(key) {
    sheets.get(key).status = "draft";
    touch();
  },
  async acknowledge(key, id) {
    sheets.get(key).refused = sheets.get(key).refused.filter(({ op }) => op.id !== id);
    touch();
  },
  async syncNow() {
    state.waiting = 0;
    touch();
  },
  exportPackage: async () => ({ blob: new Blob(["PK"]), name: "tablet.mjfield" }),
  applyUpdate: async () => true,
  place: async () => ({ lat: "31.230000", lon: "121.470000", accuracy: "12" }),
};

globalThis.fake = {
  users: [], pins: [], delay: 5, full: false, offlineSeal: false, pending: null, sheets, store,
  say(facts) {
    Object.assign(state, facts);
    touch();
  },
  change(key, facts) {
    Object.assign(sheets.get(key), facts);
    touch();
  },
};
if (new URLSearchParams(location.search).get("as") !== "stranger") {
  Object.assign(state, { phase: "open", user: { tablet: "t1", account: "a1", name: given.pack.name, role: "expert", label: "三号平板" }, name: given.pack.name, packAt: new Date().toISOString(), takenAt: new Date().toISOString() });
  fake.users = [{ ...state.user, waiting: 0 }, { tablet: "t2", account: "a2", name: "试用专家乙", role: "expert", label: "三号平板", waiting: 4 }];
  touch();
}
