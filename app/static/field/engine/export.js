// The last resort (docs/sync-protocol.md, section 7): everything that this tablet holds of one account in one file, signed.
// A ZIP with stored (not compressed) members: photos are compressed already, and the rest is small.

import { base64, bytesOf, sha256 } from "./canonical.js";
import { sign } from "./vault.js";

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});

export function crc32(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = TABLE[(value ^ byte) & 0xff] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

const UTF8_NAMES = 0x0800;
const OLDEST_DAY = 0x21; // 1980-01-01: the time of export stands in package.json

/** [{name, bytes}] as a ZIP (APPNOTE 6.3, without ZIP64: 4 GB are far beyond a tablet's photos). */
export function zip(members) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const { name, bytes } of members) {
    const label = bytesOf(name);
    const common = [20, UTF8_NAMES, 0, 0, OLDEST_DAY];
    const sizes = [crc32(bytes), bytes.byteLength, bytes.byteLength];
    const header = record(30 + label.length, 0x04034b50, common, sizes, [label.length, 0]);
    header.set(label, 30);
    const entry = record(46 + label.length, 0x02014b50, [20, ...common], sizes, [label.length, 0, 0, 0, 0, 0, 0, offset & 0xffff, offset >>> 16]);
    entry.set(label, 46);
    parts.push(header, bytes);
    directory.push(entry);
    offset += header.length + bytes.byteLength;
  }
  const size = directory.reduce((sum, entry) => sum + entry.length, 0);
  const end = new Uint8Array(22);
  const view = new DataView(end.buffer);
  view.setUint32(0, 0x06054b50, true);
  view.setUint16(8, members.length, true);
  view.setUint16(10, members.length, true);
  view.setUint32(12, size, true);
  view.setUint32(16, offset, true);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}

/** A signature, 16-bit numbers, 32-bit numbers, 16-bit numbers, little-endian. */
function record(length, magic, shorts, longs, tail) {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic, true);
  let at = 4;
  for (const number of shorts) at = (view.setUint16(at, number, true), at + 2);
  for (const number of longs) at = (view.setUint32(at, number, true), at + 4);
  for (const number of tail) at = (view.setUint16(at, number, true), at + 2);
  return bytes;
}

/** {blob, name}: package.json, its signature by the tablet's key, and the photos that the server has not confirmed. */
export async function exported({ row, oplog, media }) {
  const logs = [...oplog.logs.values()];
  const content = {
    v: 1,
    tablet: row.id,
    account: row.account,
    name: row.name,
    exported_at: new Date().toISOString(),
    ops: logs.flatMap(({ entries }) => entries.map(({ op }) => op)),
    receipts: logs.flatMap(({ entries }) => entries.filter(({ receipt }) => receipt).map(({ receipt }) => receipt)),
  };
  const bytes = bytesOf(JSON.stringify(content));
  const signature = base64(await sign(row.signKey, `FIELD/1 export\n${await sha256(bytes)}`));
  const members = [
    { name: "package.json", bytes },
    { name: "package.sig", bytes: bytesOf(signature) },
  ];
  for (const [hash, { material }] of media.known) {
    if (!material) members.push({ name: `media/${hash}`, bytes: new Uint8Array(await (await media.blob(hash)).arrayBuffer()) });
  }
  const day = content.exported_at.slice(0, 16).replace(/[-:]/g, "");
  return { blob: zip(members), name: `${row.name}-${day}.mjfield` };
}
