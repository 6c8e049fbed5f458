// When and how the outbox is emptied (docs/sync-protocol.md, section 4). One window sends at a time. Whatever the server answers,
// an operation leaves the outbox only for a receipt over its own hash.

import { asOnlySender } from "./locks.js";
import { faultOf, ping } from "./net.js";
import { FieldError, words } from "./words.js";

const MOST = 200; // operations in a batch
const MOST_BYTES = 480 * 1024; // the server takes 512 KiB
const SOON = 1_000; // after a change, so that quick taps travel together
const EVERY = 15_000; // while something waits
const SELDOM = 300_000; // longest pause after faults
const IDLE = 60_000; // sign of life while nothing waits
const GAPS = 3; // times that one sheet may be asked to send again in one run

/** The first operations that fit into one request; at least one. */
export function batchOf(ops, most = MOST) {
  const batch = [];
  let size = 0;
  for (const op of ops) {
    size += JSON.stringify(op).length * 3; // at most three bytes of UTF-8 a character
    if (batch.length && (batch.length >= most || size > MOST_BYTES)) break;
    batch.push(op);
  }
  return batch;
}

export class Sender {
  /** `tasks`: {catchUp(): read what other windows wrote, refresh(): fetch the package, stale(sheets): do these answers differ from what we
      hold, report(news), recount(): receipts came for a user who has locked meanwhile}. */
  constructor({ session, oplog, media, tasks }) {
    Object.assign(this, { session, oplog, media, tasks });
    this.most = MOST;
    this.faults = 0; // in a row
    this.blocked = new Map(); // sheet -> code: cannot go on before somebody looks
    this.timer = 0;
    this.busy = null;
    this.ended = false;
    this.onOnline = () => this.now();
    this.onVisible = () => document.visibilityState === "visible" && this.run();
    window.addEventListener("online", this.onOnline);
    document.addEventListener("visibilitychange", this.onVisible);
  }

  end() {
    this.ended = true;
    clearTimeout(this.timer);
    window.removeEventListener("online", this.onOnline);
    document.removeEventListener("visibilitychange", this.onVisible);
  }

  get anythingWaits() {
    return this.oplog.waiting(this.blocked).length > 0 || this.media.waiting.length > 0;
  }

  /** Something was appended. After a fault the regular attempts go on as they were. */
  nudge() {
    if (!this.faults) this.#in(SOON);
  }

  /** The button, or the network coming back: at once, and what was blocked is tried again. */
  now() {
    this.faults = 0;
    this.blocked.clear();
    return this.run({ refresh: true });
  }

  #in(pause) {
    clearTimeout(this.timer);
    if (!this.ended) this.timer = setTimeout(() => this.run(), pause);
  }

  #next() {
    if (!this.anythingWaits) return this.#in(IDLE);
    const pause = Math.min(EVERY * 2 ** Math.max(0, this.faults - 1), SELDOM);
    return this.#in(this.faults > 1 ? Math.min(pause * (0.75 + Math.random() / 2), SELDOM) : pause);
  }

  async run(options = {}) {
    while (this.busy) {
      await this.busy;
      if (!options.refresh) return;
    }
    if (this.ended) return;
    clearTimeout(this.timer);
    this.busy = this.#whole(options);
    await this.busy;
    this.busy = null;
    this.#next();
  }

  async #whole({ refresh = false }) {
    const online = await ping();
    this.#report({ online });
    if (!online) {
      this.faults += 1;
      return;
    }
    this.#report({ syncing: true });
    let error = null;
    try {
      await asOnlySender(async () => {
        await this.tasks.catchUp();
        const answers = await this.#push();
        const arrived = await this.#sendMedia();
        const stranger = !this.session.csrf; // the browser's session, if any, is another user's: pages must open as this one
        if (!this.ended && (refresh || arrived || stranger || (await this.tasks.stale(answers)))) await this.tasks.refresh();
      });
      this.faults = 0;
      const code = [...this.blocked.values()].at(-1);
      if (code) error = words(code);
    } catch (fault) {
      this.faults += 1;
      const { code, zh, en } = fault instanceof FieldError ? fault : words("unexpected");
      error = { code, zh, en };
      if (!(fault instanceof FieldError)) console.error(fault);
    }
    this.#report({ syncing: false, error, online: error?.code !== "offline" });
  }

  #report(news) {
    if (!this.ended) this.tasks.report(news);
    else if (news.receipts) this.tasks.recount();
  }

  /** Sends until nothing is left that can be sent. Returns what the server said of each sheet. */
  async #push() {
    const told = {};
    const gaps = new Map();
    while (!this.ended) {
      const batch = batchOf(this.oplog.waiting(this.blocked), this.most);
      if (!batch.length) break;
      const answer = await this.session.call("POST", "/field/api/push", { json: { v: 1, tablet: this.oplog.tablet, ops: batch } });
      if (answer.status === 0) {
        this.most = Math.max(1, this.most >> 1); // a line that breaks under a large batch may carry a small one
        throw faultOf(answer);
      }
      if ([413, 422].includes(answer.status) && answer.body?.error?.code !== "version") {
        if (batch.length > 1) this.most = batch.length >> 1;
        else this.#block(batch[0].sheet, "stopped");
        continue;
      }
      const { body } = answer;
      if (answer.status !== 200 || !Array.isArray(body?.receipts)) throw faultOf(answer);
      if (body.v !== 1) throw new FieldError("older");
      this.most = Math.min(MOST, this.most * 2);
      Object.assign(told, body.sheets);
      const taken = await this.oplog.receive(body.receipts, body.sheets ?? {});
      this.#report({ receipts: taken });
      if (body.stopped) await this.#stopped(body, batch, gaps);
      else if (taken.length < batch.length) {
        const done = new Set(taken.map(({ id }) => id));
        const left = batch.filter(({ id }) => !done.has(id));
        for (const { sheet } of left) this.#block(sheet, "chain"); // receipts over something else than what was sent
      }
    }
    return told;
  }

  async #stopped({ stopped, receipts }, batch, gaps) {
    const done = new Set(receipts.map(({ id }) => id));
    const op = batch.find(({ id }) => id === stopped.id) ?? batch.find(({ id }) => !done.has(id));
    if (!op) return;
    const code = stopped.code ?? stopped.status;
    if (code !== "gap") {
      this.#block(op.sheet, "stopped");
      return;
    }
    const { expect, have } = stopped;
    const before = this.oplog.log(op.sheet).entries[expect - 2]?.op.hash ?? "0".repeat(64);
    const times = (gaps.get(op.sheet) ?? 0) + 1;
    gaps.set(op.sheet, times);
    if (!Number.isInteger(expect) || expect < 1 || before !== have || times > GAPS) this.#block(op.sheet, "chain");
    else await this.oplog.resend(op.sheet, expect);
  }

  #block(sheet, code) {
    this.blocked.set(sheet, code);
  }

  /** True when at least one file is now complete on the server. */
  async #sendMedia() {
    const unsent = new Set(this.oplog.waiting().filter(({ kind }) => kind === "attach").map(({ sha256 }) => sha256));
    let arrived = false;
    let refused = null;
    for (const hash of this.media.waiting) {
      if (this.ended || unsent.has(hash)) continue; // the server takes a file once it knows whose it is
      try {
        arrived = (await this.media.send(this.session, hash)) || arrived;
        this.#report({});
      } catch (fault) {
        if (!(fault instanceof FieldError) || ["offline", "session", "revoked", "server"].includes(fault.code)) throw fault;
        refused = fault; // this one cannot go; the others can
      }
    }
    if (refused && !arrived) throw refused;
    return arrived;
  }
}
