// Where a recording lies until the server has it whole: IndexedDB, one row a second, written before anything is said to be kept.
// The hash of each piece is its name on the server.
//
// Sound lies there encrypted, each recording under a key of its own (AES-GCM, 256 bits). That key is kept wrapped (AES-KW) by one that
// the server hands out to the person who is signed in, and that stays in memory: a copy of this device's files opens no sound.
// In the clear are the county, the times, the marks of the timeline, and length and hash of each piece.

import { openDB } from "../vendor/idb.js";

const NAME = "mingjian-statement";
const VERSION = 1;

export const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
export const sha256 = async (bytes) => hex(await crypto.subtle.digest("SHA-256", bytes));

const IV = 12;
const keys = new Map(); // recording -> its key
let wrapping = null; // from the server, in memory alone

/** The server's key for the person who is signed in: 64 hexadecimal digits. */
export async function unlock(digits) {
  const bytes = Uint8Array.from(digits.match(/../g), (pair) => parseInt(pair, 16));
  wrapping = await crypto.subtle.importKey("raw", bytes, "AES-KW", false, ["wrapKey", "unwrapKey"]);
}

export const unlocked = () => wrapping !== null;

const unwrapped = (wrapped) => crypto.subtle.unwrapKey("raw", wrapped, wrapping, "AES-KW", "AES-GCM", false, ["encrypt", "decrypt"]);

/** A key for a new recording, as it may be kept: wrapped. */
export async function newKey(recording) {
  const made = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt", "decrypt"]);
  const wrapped = await crypto.subtle.wrapKey("raw", made, wrapping, "AES-KW");
  keys.set(recording, await unwrapped(wrapped));
  return wrapped;
}

async function keyOf(recording) {
  if (!keys.has(recording)) keys.set(recording, await unwrapped((await (await opened).get("recordings", recording)).key));
  return keys.get(recording);
}

/** A piece's box opens in its own place only. */
const placed = (recording, n, iv) => ({ name: "AES-GCM", iv, additionalData: new TextEncoder().encode(`${recording}\n${n}`) });

const opened = openDB(NAME, VERSION, {
  upgrade(db) {
    db.createObjectStore("recordings", { keyPath: "id" });
    db.createObjectStore("pieces", { keyPath: ["recording", "n"] });
  },
});

/** One transaction; it is over, and on disk, when the promise is. */
async function write(names, work) {
  const tx = (await opened).transaction(names, "readwrite", { durability: "strict" });
  await work(tx);
  await tx.done;
}

const all = (recording) => IDBKeyRange.bound([recording], [recording, []]);

export const putRecording = (row) => write(["recordings"], (tx) => tx.objectStore("recordings").put(row));

export const getRecordings = async () => (await opened).getAll("recordings");

/** A piece with its place in time: `end` is the recording's length after it, in ms. */
export async function putPiece(recording, n, bytes, end) {
  const iv = crypto.getRandomValues(new Uint8Array(IV));
  const box = await crypto.subtle.encrypt(placed(recording, n, iv), await keyOf(recording), bytes);
  const row = { recording, n, iv, box, size: bytes.byteLength, sha256: await sha256(bytes), end, sent: 0 };
  await write(["pieces"], (tx) => tx.objectStore("pieces").put(row));
  return row;
}

/** The sound of a piece. What an earlier version kept in the clear is read as it is. */
export async function bytesOf({ recording, n, iv, box, bytes }) {
  return bytes ?? crypto.subtle.decrypt(placed(recording, n, iv), await keyOf(recording), box);
}

export const getPieces = async (recording) => (await opened).getAll("pieces", all(recording));

export const setSent = (recording, n, sent) =>
  write(["pieces"], async (tx) => {
    const row = await tx.objectStore("pieces").get([recording, n]);
    if (row) await tx.objectStore("pieces").put({ ...row, sent });
  });

export const drop = (recording) =>
  write(["recordings", "pieces"], async (tx) => {
    await tx.objectStore("pieces").delete(all(recording));
    await tx.objectStore("recordings").delete(recording);
  });
