// The county's documents, taken along with the package. They need signal to come and the rest of the application to be read.

import { sha256 } from "./canonical.js";

/** Each material once, whatever the number of sheets that show it. */
export function materialsOf(pack) {
  const once = new Map();
  for (const duty of pack.duties) for (const one of duty.materials ?? []) once.set(one.sha256, one);
  return [...once.values()];
}

/** Fetch what is not here yet, one by one, each checked against its hash. Returns those that could not be had. */
export async function fetchMaterials({ session, media }, pack, onProgress) {
  const all = materialsOf(pack);
  const failed = [];
  let [done, bytes] = [0, 0];
  onProgress({ done, total: all.length, bytes });
  for (const one of all) {
    if (!media.known.has(one.sha256)) {
      const body = await session.bytes(one.url);
      if (body && (await sha256(body)) === one.sha256) await media.store(body, one.mime);
      else failed.push(one);
    }
    done += 1;
    bytes += one.size;
    onProgress({ done, total: all.length, bytes });
  }
  return { bytes, failed };
}
