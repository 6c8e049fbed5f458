// A photo as it is kept: small, upright, without what the camera wrote into it.

import { FieldError } from "./words.js";

const LONGEST_SIDE = 1600;
const QUALITY = 0.85;
const LARGEST_PHOTO = 12 * 1024 * 1024;
const PHOTOS = new Set(["image/jpeg", "image/png", "image/webp"]);

const canvas = (width, height) => Object.assign(document.createElement("canvas"), { width, height });

const encoded = (drawn) => new Promise((done) => drawn.toBlob(done, "image/jpeg", QUALITY));

/** A JPEG without its application segments but JFIF's (a canvas writes a colour profile), so that the server keeps it byte for byte. */
function bare(bytes) {
  const kept = [bytes.subarray(0, 2)];
  let at = 2;
  while (bytes[at] === 0xff && bytes[at + 1] !== 0xda) {
    const next = at + 2 + bytes[at + 2] * 256 + bytes[at + 3];
    const marker = bytes[at + 1];
    if (marker <= 0xe0 || marker === 0xee || marker > 0xef) kept.push(bytes.subarray(at, next));
    at = next;
  }
  kept.push(bytes.subarray(at));
  return new Blob(kept);
}

/** The photo at most 1600 px long as JPEG, upright, without what the camera wrote into it. */
export async function scaled(blob) {
  let bitmap;
  try {
    if (blob.type && !PHOTOS.has(blob.type)) throw new TypeError(blob.type);
    bitmap = await createImageBitmap(blob, { imageOrientation: "from-image" });
  } catch (cause) {
    throw new FieldError("photo_type", { cause });
  }
  const factor = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const drawn = canvas(Math.max(1, Math.round(bitmap.width * factor)), Math.max(1, Math.round(bitmap.height * factor)));
  const pen = drawn.getContext("2d", { alpha: false });
  pen.fillStyle = "#fff"; // what was transparent
  pen.fillRect(0, 0, drawn.width, drawn.height);
  pen.drawImage(bitmap, 0, 0, drawn.width, drawn.height);
  bitmap.close();
  const coded = await encoded(drawn);
  if (!coded) throw new FieldError("photo_type");
  const result = new Blob([bare(new Uint8Array(await coded.arrayBuffer()))], { type: "image/jpeg" });
  if (result.size > LARGEST_PHOTO) throw new FieldError("photo_size");
  return result;
}
