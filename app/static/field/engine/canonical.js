// RFC 8785 for what this protocol holds: strings, integers, booleans, nulls, lists, objects. And hashes over it.

const HALF = /[\ud800-\udfff]/gu; // with the u flag only half characters match

/** Half a character (a lone surrogate) has no UTF-8 and would hash differently on the server, which takes no NUL either. */
export const whole = (text) => text.replace(HALF, "?").replaceAll("\0", "");

/** The canonical text. RangeError for a fraction or a number beyond 2^53, TypeError for what JSON has not. */
export function canonical(value) {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new RangeError(`not an integer: ${value}`);
    return String(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object") throw new TypeError(typeof value);
  const members = Object.keys(value).sort(); // by UTF-16 code units, as the RFC says
  return `{${members.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
}

const utf8 = new TextEncoder();
export const bytesOf = (text) => utf8.encode(text);
export const textOf = (bytes) => new TextDecoder().decode(bytes);
export const hex = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
export const random = (size) => crypto.getRandomValues(new Uint8Array(size));

/** Lower-case hexadecimal SHA-256 of bytes or of a text's UTF-8. */
export async function sha256(data) {
  return hex(await crypto.subtle.digest("SHA-256", typeof data === "string" ? bytesOf(data) : data));
}

export function base64(bytes) {
  let binary = "";
  for (const byte of new Uint8Array(bytes)) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** The operation with its hash. */
export async function hashed(operation) {
  const { hash: _, ...bare } = operation;
  return { ...bare, hash: await sha256(canonical(bare)) };
}
