// SHA-256 (FIPS 180-4) and the chains of one-time codes (docs/draw-protocol.md section 4). Written out, because the browser's
// own is missing on a page without https, and a code must not depend on that.

const rotate = (x, n) => (x >>> n) | (x << (32 - n));

/** First 32 bits of the fractional part of a root of the first primes: the constants of the standard, computed. */
function constants() {
  const primes = [];
  for (let n = 2; primes.length < 64; n += 1) if (primes.every((p) => n % p)) primes.push(n);
  const fraction = (x) => ((x - Math.floor(x)) * 4294967296) | 0;
  return { start: primes.slice(0, 8).map((p) => fraction(Math.sqrt(p))), round: primes.map((p) => fraction(Math.cbrt(p))) };
}

const { start: START, round: ROUND } = constants();

/** Uint8Array -> Uint8Array of 32 bytes. */
export function sha256(data) {
  const padded = new Uint8Array((((data.length + 8) >> 6) + 1) << 6);
  padded.set(data);
  padded[data.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(data.length / 0x20000000));
  view.setUint32(padded.length - 4, data.length << 3);
  const state = [...START];
  const w = new Int32Array(64);
  for (let offset = 0; offset < padded.length; offset += 64) {
    for (let i = 0; i < 16; i += 1) w[i] = view.getInt32(offset + 4 * i);
    for (let i = 16; i < 64; i += 1) {
      const s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ (w[i - 15] >>> 3);
      const s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ (w[i - 2] >>> 10);
      w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i += 1) {
      const one = (h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + ROUND[i] + w[i]) | 0;
      const two = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((value, i) => { state[i] = (state[i] + value) | 0; });
  }
  const out = new DataView(new ArrayBuffer(32));
  state.forEach((value, i) => out.setInt32(4 * i, value));
  return new Uint8Array(out.buffer);
}

export const toHex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
export const fromHex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));

/** Hex of the value hashed `times` times; each hash is over the 32 raw bytes. */
export function chain(hex, times) {
  let value = fromHex(hex);
  for (let i = 0; i < times; i += 1) value = sha256(value);
  return toHex(value);
}

/** How many hashes lead from a value to the commitment, or -1: so a typed value proves itself before it is sent. */
export function distance(hex, commitment, most) {
  let value = fromHex(hex);
  for (let steps = 0; steps <= most; steps += 1) {
    if (toHex(value) === commitment) return steps;
    value = sha256(value);
  }
  return -1;
}

/** Digits in groups of four, for paper. */
export const grouped = (hex) => hex.match(/.{1,4}/g).join(" ");

/** What somebody typed or scanned from an envelope: 64 hex digits, or "". Full-width digits and the prefix of the QR are taken off. */
export function digitsOf(text) {
  const plain = text.normalize("NFKC").toLowerCase();
  const tail = plain.includes("|") ? plain.split("|").pop() : plain;
  const digits = tail.replace(/[^0-9a-f]/g, "");
  return digits.length === 64 ? digits : "";
}
