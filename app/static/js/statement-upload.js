// From the device to the server: pieces beside the recording, then the list of them; and whole files in parts. What the server has
// is never sent twice, and nothing leaves the device's store before the server has the whole on record.

import { csrf, say } from "./page.js";
import { bytesOf, drop, getPieces, setSent, sha256, unlock, unlocked } from "./statement-store.js";

const PART = 256 * 1024;
const AGAIN = 3000;
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

/** The server said no, in words; trying again as it is would not help. */
export class Refused extends Error {}

async function call(method, url, options = {}) {
  let answer;
  try {
    answer = await fetch(url, { method, ...options, headers: { "X-CSRFToken": csrf(), Accept: "application/json", ...options.headers } });
  } catch {
    return { status: 0, body: null };
  }
  const body = await answer.json().catch(() => null);
  return { status: answer.status, body };
}

const transient = (status) => status === 0 || status === 502 || status === 503 || status === 504 || status === 507;

function refusal(answer) {
  if (answer.status === 401 || answer.status === 400) return new Refused(say("登录已失效。录音仍在本机，请重新登录后打开本页继续。", "You are signed out. The recording is kept on this device: sign in and open this page again."));
  return new Refused(answer.body?.error?.text ?? say(`服务器没有收下（${answer.status}）。录音仍在本机。`, `The server did not take it (${answer.status}). The recording is kept on this device.`));
}

async function putPart(base, sha, size, number, bytes) {
  const headers = { "X-Chunk-SHA256": await sha256(bytes), "Content-Type": "application/octet-stream" };
  return call("PUT", `${base}/pieces/${sha}/${number}?size=${size}`, { body: bytes, headers });
}

/** The key under which recordings wait on this device: the server's, for as long as somebody is signed in. */
export async function fetchKey(base) {
  if (unlocked()) return;
  const answer = await call("GET", `${base}/recording-key`);
  if (answer.status !== 200) throw transient(answer.status) ? new Refused(say("没有连上服务器，取不到本机录音的加密钥匙。请联网后再试。", "No connection: the key that encrypts recordings on this device could not be fetched. Try again when connected.")) : refusal(answer);
  await unlock(answer.body.key);
}

/** Send one piece, part by part; true when the server has it, false when it cannot be reached now. */
export async function sendPiece(base, piece) {
  const bytes = await bytesOf(piece);
  for (let n = 0; n * PART < piece.size; n += 1) {
    const answer = await putPart(base, piece.sha256, piece.size, n, bytes.slice(n * PART, (n + 1) * PART));
    if (transient(answer.status) || answer.body?.error?.code === "chunk") return false; // damaged on the way: again
    if (answer.status !== 200) throw refusal(answer);
  }
  await setSent(piece.recording, piece.n, 1);
  return true;
}

/** Everything that is left, then the list; resolves when the server has the whole on record. `tell(sent, of)` as it goes. */
export async function finish(base, recording, tell) {
  for (;;) {
    const pieces = await getPieces(recording.id);
    let sent = pieces.filter((piece) => piece.sent).length;
    tell(sent, pieces.length, true);
    let reached = true;
    for (const piece of pieces.filter((one) => !one.sent)) {
      reached = await sendPiece(base, piece);
      if (!reached) break;
      sent += 1;
      tell(sent, pieces.length, true);
    }
    if (reached) {
      const whole = await new Blob(await Promise.all(pieces.map(bytesOf))).arrayBuffer();
      const answer = await call("POST", `${base}/recordings`, {
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({
          origin: "recorded", pieces: pieces.map((piece) => [piece.sha256, piece.size]), sha256: await sha256(whole),
          duration_ms: pieces.at(-1).end, began_at: recording.began_at, marks: recording.marks,
        }),
      });
      if (answer.status === 201) {
        await drop(recording.id);
        return;
      }
      const missing = answer.body?.error?.missing;
      if (missing) for (const n of missing) await setSent(recording.id, pieces[n].n, 0);
      else if (!transient(answer.status)) throw refusal(answer);
      else reached = false;
    }
    if (!reached) {
      tell(sent, pieces.length, false);
      await wait(AGAIN);
    }
  }
}

/** A file that was recorded elsewhere; it goes on where an earlier try stopped. */
export async function sendFile(base, file, tell) {
  const bytes = await file.arrayBuffer();
  const sha = await sha256(bytes);
  const parts = Math.ceil(file.size / PART);
  for (;;) {
    const asked = await call("GET", `${base}/pieces/${sha}?size=${file.size}`);
    let reached = !transient(asked.status);
    if (reached && asked.status !== 200) throw refusal(asked);
    for (let n = 0; reached && n < parts; n += 1) {
      if (!asked.body.have[n]) {
        const answer = await putPart(base, sha, file.size, n, bytes.slice(n * PART, (n + 1) * PART));
        reached = !transient(answer.status);
        if (reached && answer.status !== 200) throw refusal(answer);
      }
      tell(n + 1, parts, reached);
    }
    if (reached) {
      const answer = await call("POST", `${base}/recordings`, {
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ origin: "uploaded", pieces: [[sha, file.size]], sha256: sha, name: file.name }),
      });
      if (answer.status === 201) return;
      if (!transient(answer.status) && answer.body?.error?.code !== "missing") throw refusal(answer);
    }
    tell(0, parts, false);
    await wait(AGAIN);
  }
}
