// What stays on this device: the device key (its private half cannot be read, not even by this page) and the starts of code chains.

const NAME = "mingjian.device";

function open() {
  return new Promise((done, failed) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("kept");
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => failed(asked.error);
    asked.onblocked = () => failed(new Error("blocked"));
  });
}

async function run(mode, act) {
  const base = await open();
  try {
    return await new Promise((done, failed) => {
      const work = base.transaction("kept", mode);
      const asked = act(work.objectStore("kept"));
      work.oncomplete = () => done(asked.result);
      work.onerror = () => failed(work.error);
      work.onabort = () => failed(work.error);
    });
  } finally {
    base.close();
  }
}

/** Resolves once the value is on disk; rejects where the browser keeps nothing (private windows of some). */
export async function keep(key, value) {
  await run("readwrite", (kept) => kept.put(value, key));
  navigator.storage?.persist?.();
}

export const kept = (key) => run("readonly", (store) => store.get(key));
