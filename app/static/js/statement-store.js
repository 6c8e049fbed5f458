// Where a recording lies until the server has it whole: IndexedDB, one row a second, written before anything is said to be kept.
// The hash of each piece is its name on the server.

import { openDB } from "../vendor/idb.js";

const NAME = "mingjian-statement";
const VERSION = 1;

export const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
export const sha256 = async (bytes) => hex(await crypto.subtle.digest("SHA-256", bytes));

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
  const row = { recording, n, bytes, size: bytes.byteLength, sha256: await sha256(bytes), end, sent: 0 };
  await write(["pieces"], (tx) => tx.objectStore("pieces").put(row));
  return row;
}

export const getPiece = async (recording, n) => (await opened).get("pieces", [recording, n]);

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
