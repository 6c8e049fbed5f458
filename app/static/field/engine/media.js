// Photos and materials: in boxes like everything else, named by the hash of their bytes, sent in chunks that survive a broken
// line (docs/sync-protocol.md, section 8).

import { sha256 } from "./canonical.js";
import { waitingOf, write } from "./db.js";
import { refusal } from "./net.js";

const CHUNK = 256 * 1024;
const place = (tablet, hash) => `media\n${tablet}\n${hash}`;

export class Media {
  #db;
  #vault;

  constructor(db, vault, tablet) {
    this.#db = db;
    this.#vault = vault;
    this.tablet = tablet;
    this.known = new Map(); // sha256 -> {size, mime, waiting, material}
  }

  async load() {
    const range = IDBKeyRange.bound([this.tablet], [this.tablet, []]);
    let cursor = await this.#db.transaction("media").store.openCursor(range);
    this.known.clear();
    for (; cursor; cursor = await cursor.continue()) this.#note(cursor.value);
  }

  #note({ sha256: hash, size, mime, waiting, material }) {
    this.known.set(hash, { size, mime, waiting: waiting === 1, material: material === 1 });
  }

  get waiting() {
    return [...this.known].filter(([, one]) => one.waiting).map(([hash]) => hash);
  }

  /** A row ready to be put (`put(work)`), so that a photo and its operation share one transaction. */
  async prepare(bytes, mime, material) {
    const hash = await sha256(bytes);
    const box = await this.#vault.seal(place(this.tablet, hash), bytes);
    const row = { tablet: this.tablet, sha256: hash, size: bytes.byteLength, mime, box, ...(material ? { material: 1 } : { waiting: 1 }) };
    const put = async (work) => {
      const before = await work.objectStore("media").get([this.tablet, hash]);
      if (!before || (before.material && !material)) await work.objectStore("media").put(row);
    };
    return { row, put, noted: () => this.known.has(hash) || this.#note(row) };
  }

  async store(bytes, mime) {
    const { put, noted } = await this.prepare(bytes, mime, true);
    await write(this.#db, ["media"], put);
    noted();
  }

  /** The file from the tablet, or null. */
  async blob(hash) {
    const row = await this.#db.get("media", [this.tablet, hash]);
    return row ? new Blob([await this.#vault.open(place(this.tablet, hash), row.box)], { type: row.mime }) : null;
  }

  /** Send what the server has not; true when it has all. A FieldError when it would not take a chunk. */
  async send(session, hash) {
    const { size } = this.known.get(hash);
    const base = `/field/api/media/${hash}`;
    const asked = await session.call("GET", `${base}/have?size=${size}`);
    if (asked.status !== 200 || !Array.isArray(asked.body?.chunks)) throw refusal(asked, "media_refused");
    let complete = asked.body.complete === true;
    if (!complete) {
      const blob = await this.blob(hash);
      const { chunks } = asked.body;
      const again = chunks.every(Boolean) ? chunks.length - 1 : -1; // all there and not complete: a fault between the two
      for (const [n, there] of chunks.entries()) {
        if (there && n !== again) continue;
        const chunk = await blob.slice(n * CHUNK, (n + 1) * CHUNK).arrayBuffer();
        const headers = { "X-Chunk-SHA256": await sha256(chunk), "Content-Type": "application/octet-stream" };
        const put = await session.call("PUT", `${base}/${n}?size=${size}`, { raw: chunk, headers });
        if (put.status !== 200) throw refusal(put, "media_refused");
        complete = put.body?.complete === true;
      }
    }
    if (complete) await this.#arrived(hash);
    return complete;
  }

  async #arrived(hash) {
    await write(this.#db, ["media"], async (work) => {
      const { waiting: _, ...row } = await work.objectStore("media").get([this.tablet, hash]);
      await work.objectStore("media").put(row);
    });
    this.known.get(hash).waiting = false;
  }
}

export const countWaitingMedia = (db, tablet) => db.countFromIndex("media", "waiting", waitingOf(tablet));
