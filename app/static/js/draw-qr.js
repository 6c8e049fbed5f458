// A QR code (ISO/IEC 18004) drawn in the browser, for what must never reach the server: byte mode, error correction M, versions 2
// to 6 (up to 106 bytes), mask 0 to 7 by the standard's penalties.

const SPEC = [null, null, [16, 1, 28], [26, 1, 44], [18, 2, 64], [24, 2, 86], [16, 4, 108]]; // [correction bytes a block, blocks, data bytes]

// GF(256) with the polynomial 0x11d
const EXP = [];
const LOG = [];
for (let i = 0, x = 1; i < 255; i += 1) {
  EXP[i] = x;
  LOG[x] = i;
  x = (x << 1) ^ (x & 0x80 ? 0x11d : 0);
}
const times = (a, b) => (a && b ? EXP[(LOG[a] + LOG[b]) % 255] : 0);

function correction(data, size) {
  let generator = [1];
  for (let i = 0; i < size; i += 1) {
    const next = [...generator, 0];
    generator.forEach((value, j) => { next[j + 1] ^= times(value, EXP[i]); });
    generator = next;
  }
  const rest = [...data, ...new Array(size).fill(0)];
  for (let i = 0; i < data.length; i += 1) {
    const factor = rest[i];
    generator.forEach((value, j) => { rest[i + j] ^= times(value, factor); });
  }
  return rest.slice(data.length);
}

function codewords(bytes, version) {
  const [size, blocks, room] = SPEC[version];
  const bits = [];
  const put = (value, count) => { for (let i = count - 1; i >= 0; i -= 1) bits.push((value >> i) & 1); };
  put(4, 4);
  put(bytes.length, 8);
  for (const byte of bytes) put(byte, 8);
  put(0, Math.min(4, room * 8 - bits.length));
  while (bits.length % 8) bits.push(0);
  const data = [];
  for (let i = 0; i < bits.length; i += 8) data.push(parseInt(bits.slice(i, i + 8).join(""), 2));
  for (let pad = 0xec; data.length < room; pad ^= 0xec ^ 0x11) data.push(pad);
  const each = room / blocks;
  const parts = Array.from({ length: blocks }, (_, i) => data.slice(i * each, (i + 1) * each));
  const checks = parts.map((part) => correction(part, size));
  const out = [];
  for (let i = 0; i < each; i += 1) for (const part of parts) out.push(part[i]);
  for (let i = 0; i < size; i += 1) for (const part of checks) out.push(part[i]);
  return out;
}

const MASKS = [
  (y, x) => (y + x) % 2 === 0, (y) => y % 2 === 0, (y, x) => x % 3 === 0, (y, x) => (y + x) % 3 === 0,
  (y, x) => (Math.floor(y / 2) + Math.floor(x / 3)) % 2 === 0, (y, x) => ((y * x) % 2) + ((y * x) % 3) === 0,
  (y, x) => (((y * x) % 2) + ((y * x) % 3)) % 2 === 0, (y, x) => (((y + x) % 2) + ((y * x) % 3)) % 2 === 0,
];

function frame(version) {
  const side = 17 + 4 * version;
  const grid = Array.from({ length: side }, () => new Array(side).fill(null));
  const square = (cy, cx, reach, dark) => {
    for (let y = -reach; y <= reach; y += 1) {
      for (let x = -reach; x <= reach; x += 1) {
        if (grid[cy + y]?.[cx + x] !== undefined) grid[cy + y][cx + x] = dark(Math.max(Math.abs(y), Math.abs(x)));
      }
    }
  };
  for (const [y, x] of [[3, 3], [3, side - 4], [side - 4, 3]]) square(y, x, 4, (ring) => ring !== 2 && ring !== 4);
  square(side - 7, side - 7, 2, (ring) => ring !== 1);
  for (let i = 8; i < side - 8; i += 1) grid[6][i] = grid[i][6] = i % 2 === 0;
  return grid;
}

/** Places of the fifteen format bits, the first being the least significant, twice. */
function formatPlaces(side) {
  const one = [[0, 8], [1, 8], [2, 8], [3, 8], [4, 8], [5, 8], [7, 8], [8, 8], [8, 7], [8, 5], [8, 4], [8, 3], [8, 2], [8, 1], [8, 0]];
  const two = [];
  for (let i = 0; i < 8; i += 1) two.push([8, side - 1 - i]);
  for (let i = 8; i < 15; i += 1) two.push([side - 15 + i, 8]);
  return [one, two];
}

function formatBits(mask) {
  const data = mask; // error correction M is 00
  let rest = data << 10;
  for (let i = 14; i >= 10; i -= 1) if ((rest >> i) & 1) rest ^= 0x537 << (i - 10);
  return ((data << 10) | rest) ^ 0x5412;
}

function penalty(grid) {
  const side = grid.length;
  let score = 0;
  const lines = [...grid, ...grid.map((_, x) => grid.map((row) => row[x]))];
  for (const line of lines) {
    const text = line.map((dark) => (dark ? "1" : "0")).join("");
    for (const run of text.match(/0{5,}|1{5,}/g) ?? []) score += run.length - 2;
    for (let i = 0; i + 11 <= side; i += 1) if (["10111010000", "00001011101"].includes(text.slice(i, i + 11))) score += 40;
  }
  for (let y = 0; y + 1 < side; y += 1) {
    for (let x = 0; x + 1 < side; x += 1) {
      if (grid[y][x] === grid[y][x + 1] && grid[y][x] === grid[y + 1][x] && grid[y][x] === grid[y + 1][x + 1]) score += 3;
    }
  }
  const dark = grid.flat().filter(Boolean).length;
  return score + 10 * Math.floor(Math.abs((dark * 100) / (side * side) - 50) / 5);
}

/** Rows of booleans (dark), without quiet zone. RangeError above 106 bytes. */
export function qrMatrix(text, forced = null) {
  const bytes = new TextEncoder().encode(text);
  const version = SPEC.findIndex((spec) => spec && bytes.length <= spec[2] - 2);
  if (version < 0) throw new RangeError("too long for this QR code");
  const empty = frame(version);
  const side = empty.length;
  const places = formatPlaces(side);
  for (const [y, x] of places.flat()) empty[y][x] = false;
  empty[side - 8][8] = true;
  const bits = codewords(bytes, version).flatMap((byte) => Array.from({ length: 8 }, (_, i) => (byte >> (7 - i)) & 1));
  const free = [];
  for (let right = side - 1, up = true; right > 0; right -= 2, up = !up) {
    if (right === 6) right -= 1;
    for (let i = 0; i < side; i += 1) {
      const y = up ? side - 1 - i : i;
      for (const x of [right, right - 1]) if (empty[y][x] === null) free.push([y, x]);
    }
  }
  const made = MASKS.map((mask, number) => {
    const grid = empty.map((row) => [...row]);
    free.forEach(([y, x], i) => { grid[y][x] = Boolean(bits[i] ?? 0) !== mask(y, x); });
    const format = formatBits(number);
    for (const list of places) list.forEach(([y, x], i) => { grid[y][x] = Boolean((format >> i) & 1); });
    grid[side - 8][8] = true;
    return grid;
  });
  if (forced !== null) return made[forced];
  return made.reduce((best, grid) => (penalty(grid) < penalty(best) ? grid : best));
}

/** The code as an SVG element with its quiet zone of four modules. */
export function qrElement(text, alt) {
  const rows = qrMatrix(text);
  const NS = "http://www.w3.org/2000/svg";
  const side = rows.length + 8;
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("viewBox", `0 0 ${side} ${side}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", alt);
  svg.setAttribute("shape-rendering", "crispEdges");
  const ground = document.createElementNS(NS, "rect");
  ground.setAttribute("width", side);
  ground.setAttribute("height", side);
  ground.setAttribute("fill", "#fff");
  const path = document.createElementNS(NS, "path");
  path.setAttribute("d", rows.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x + 4} ${y + 4}h1v1h-1z` : ""))).join(""));
  svg.append(ground, path);
  return svg;
}
