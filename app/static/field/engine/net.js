// Talking to the server. A captive portal, a sign-in page or a broken proxy may answer anything: only JSON of this protocol counts,
// everything else is a fault that costs nothing but time.

import { base64 } from "./canonical.js";
import { sign } from "./vault.js";
import { FieldError } from "./words.js";

const PING = 4_000;
const PATIENCE = 120_000; // a full batch over a poor line
const REDIRECT = -1;

/** {status, body}: status 0 without an answer, -1 for a redirect; body null unless JSON. */
export async function request(method, path, { json, raw, headers = {}, patience = PATIENCE } = {}) {
  const sent = { Accept: "application/json", ...headers };
  if (json !== undefined) sent["Content-Type"] = "application/json";
  try {
    const response = await fetch(path, {
      method,
      headers: sent,
      body: json === undefined ? raw : JSON.stringify(json),
      credentials: "same-origin",
      redirect: "manual",
      cache: "no-store",
      signal: AbortSignal.timeout(patience),
    });
    if (response.type === "opaqueredirect") return { status: REDIRECT, body: null };
    const isJson = response.headers.get("Content-Type")?.includes("json");
    return { status: response.status, body: isJson ? await response.json() : null, date: response.headers.get("Date") };
  } catch {
    return { status: 0, body: null };
  }
}

/** Is the server there? By its own 204: a portal's page is no answer. */
export const ping = async () => (await request("HEAD", "/field/api/ping", { patience: PING })).status === 204;

/** The error to show for an answer that is not what was asked for. */
export function faultOf({ status, body }) {
  if (status === 0) return new FieldError("offline");
  if (body?.error?.code === "tablet") return new FieldError("revoked");
  if (body?.error?.code === "version") return new FieldError("older");
  if ([REDIRECT, 400, 401, 403].includes(status)) return new FieldError("session");
  return new FieldError("server", { status });
}

/** The server's own words for a refused request, if it had any. */
export function refusal(answer, code = "server") {
  const said = answer.body?.error;
  if (!said || answer.status >= 500) return faultOf(answer);
  const more = said.zh || said.text_zh ? { zh: said.zh ?? said.text_zh, en: said.en ?? said.text_en } : {};
  return new FieldError(said.code ?? code, more);
}

/** The server forgets the session; false when it cannot be told now. */
export const left = async (csrf) => !csrf || (await request("POST", "/field/api/sign-out", { json: {}, headers: { "X-CSRFToken": csrf } })).status !== 0;

/** No session here any more; the server is to be told of the one with `csrf`. */
export const leaving = (work, csrf) => [work.objectStore("meta").delete("session"), csrf && work.objectStore("meta").put({ key: "leaving", csrf })];

/** A new session takes an older one's place, also one that was to be ended. */
export const opened = (work, tablet, csrf) => [work.objectStore("meta").put({ key: "session", tablet, csrf }), work.objectStore("meta").delete("leaving")];

/** One tablet's session: renewed with its key whenever the server no longer knows it. */
export class Session {
  #row;

  constructor(row, csrf, onRenewed) {
    this.#row = row;
    this.csrf = csrf;
    this.onRenewed = onRenewed;
    this.offset = 0;
  }

  /** Proves who this tablet is. Throws a FieldError when the server cannot or will not. */
  async renew() {
    const tablet = this.#row.id;
    const asked = await request("POST", "/field/api/challenge", { json: { tablet } });
    if (asked.status !== 200 || !asked.body?.nonce) throw faultOf(asked);
    const { nonce } = asked.body;
    const signature = base64(await sign(this.#row.signKey, `FIELD/1 session\n${tablet}\n${nonce}`));
    const opened = await request("POST", "/field/api/session", { json: { tablet, nonce, signature } });
    if (opened.status !== 200 || !opened.body?.csrf) throw faultOf(opened);
    this.csrf = opened.body.csrf;
    this.clock(opened.body.server_time);
    await this.onRenewed(opened.body);
  }

  clock(serverTime, from = Date.now()) {
    const told = Date.parse(serverTime ?? "");
    if (!Number.isNaN(told)) this.offset = Math.round(told - (from + Date.now()) / 2);
  }

  /** As `request`, with the session; renewed once if the server does not know it. Throws when renewing fails. */
  async call(method, path, options = {}) {
    for (let attempt = 0; ; attempt += 1) {
      if (!this.csrf) await this.renew();
      const from = Date.now();
      const headers = { ...options.headers, "X-CSRFToken": this.csrf };
      const answer = await request(method, path, { ...options, headers });
      this.clock(answer.body?.server_time, from);
      const page = answer.status === 200 && answer.body === null;
      if (attempt === 0 && (page || [REDIRECT, 400, 401, 403].includes(answer.status))) {
        this.csrf = null;
        continue;
      }
      return answer;
    }
  }

  /** A file's bytes, with the session; null when it cannot be had. */
  async bytes(url) {
    for (let attempt = 0; attempt < 2; attempt += 1) {
      if (!this.csrf) await this.renew();
      try {
        const response = await fetch(url, { credentials: "same-origin", redirect: "manual", cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
        if (response.ok) return await response.arrayBuffer();
        if (![0, 401, 403].includes(response.status)) return null;
      } catch {
        return null;
      }
      this.csrf = null;
    }
    return null;
  }
}
