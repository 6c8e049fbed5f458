// PIN, keys, encryption at rest (docs/sync-protocol.md, section 1). The data key lives in memory only, while unlocked.
//
// wrapping key = HMAC-SHA-256(device key, PBKDF2-SHA-256(PIN, salt, 600,000)); the device key cannot be read by any page.

import { bytesOf, hex, random, textOf } from "./canonical.js";
import { FieldError } from "./words.js";

const ROUNDS = 600_000;
const FREE_TRIES = 5; // wrong PINs before the first wait
const FIRST_WAIT = 30_000;
const LONGEST_WAIT = 3_600_000;
const AES = "AES-GCM";

/** Six digits as plain ones, full-width digits understood; FieldError "pin_shape" for anything else. */
export function plainPin(pin) {
  const plain = String(pin ?? "").normalize("NFKC").replace(/\s/g, "");
  if (!/^[0-9]{6}$/.test(plain)) throw new FieldError("pin_shape");
  return plain;
}

async function wrappingKey(deviceKey, salt, pin) {
  const material = await crypto.subtle.importKey("raw", bytesOf(pin), "PBKDF2", false, ["deriveBits"]);
  const stretched = await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations: ROUNDS }, material, 256);
  const raw = await crypto.subtle.sign("HMAC", deviceKey, stretched);
  return crypto.subtle.importKey("raw", raw, AES, false, ["encrypt", "decrypt"]);
}

const dataKey = (raw) => crypto.subtle.importKey("raw", raw, AES, false, ["encrypt", "decrypt"]);

/** Boxes: bytes that open only with this key and only in the place they were made for. */
export class Vault {
  #key;

  constructor(key) {
    this.#key = key;
  }

  async seal(place, bytes) {
    const iv = random(12);
    const data = await crypto.subtle.encrypt({ name: AES, iv, additionalData: bytesOf(place) }, this.#key, bytes);
    return { iv, data };
  }

  open(place, { iv, data }) {
    return crypto.subtle.decrypt({ name: AES, iv, additionalData: bytesOf(place) }, this.#key, data);
  }

  sealJson(place, value) {
    return this.seal(place, bytesOf(JSON.stringify(value)));
  }

  async openJson(place, box) {
    return JSON.parse(textOf(await this.open(place, box)));
  }
}

/** A new user's keys: what goes into the row, and the open vault. */
export async function create(pin) {
  const salt = random(16);
  const deviceKey = await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const raw = random(32);
  const iv = random(12);
  const wrapped = await crypto.subtle.encrypt({ name: AES, iv }, await wrappingKey(deviceKey, salt, plainPin(pin)), raw);
  const vault = new Vault(await dataKey(raw));
  raw.fill(0);
  return { row: { salt, deviceKey, wrapped: { iv, data: wrapped }, wrong: 0, waitUntil: 0 }, vault };
}

/** The vault that the PIN opens. FieldError "wait" {until} or "pin" {left}. `save` stores a changed row: a try is counted before it
    is made, so closing the page in between does not undo it. */
export async function unlock(row, pin, save) {
  const plain = plainPin(pin);
  const now = Date.now();
  // A clock that was set back must not lock anybody out for a year.
  if (row.waitUntil > now && row.waitUntil - now <= LONGEST_WAIT) throw new FieldError("wait", { until: row.waitUntil });
  const wrong = row.wrong + 1;
  const wait = wrong < FREE_TRIES ? 0 : Math.min(FIRST_WAIT * 2 ** (wrong - FREE_TRIES), LONGEST_WAIT);
  const tried = await save({ wrong, waitUntil: wait ? now + wait : 0 });
  const key = await wrappingKey(row.deviceKey, row.salt, plain);
  let raw;
  try {
    raw = await crypto.subtle.decrypt({ name: AES, iv: row.wrapped.iv }, key, row.wrapped.data);
  } catch {
    if (wait) throw new FieldError("wait", { until: tried.waitUntil });
    throw new FieldError("pin", { left: FREE_TRIES - wrong });
  }
  const vault = new Vault(await dataKey(raw));
  new Uint8Array(raw).fill(0);
  await save({ wrong: 0, waitUntil: 0 });
  return vault;
}

/** The tablet's own signing key: {signKey, publicKey (SPKI)}. */
export async function signingKey() {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
  return { signKey: pair.privateKey, publicKey: await crypto.subtle.exportKey("spki", pair.publicKey) };
}

/** Raw r‖s over a text. */
export const sign = (signKey, text) => crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, signKey, bytesOf(text));

export const newId = () => hex(random(16));
