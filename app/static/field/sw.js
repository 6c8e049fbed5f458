// The shell without signal. Only the static files named below are kept, each checked against its hash: never data, never an answer of
// the interface. The server writes the list and the version (app/field/shell.py), so any changed file makes a new version.
//
// A new version is downloaded beside the old one and waits. Which version pages get is written down (in the cache HOLD), and moves only
// when nothing waits for upload: so the code that made an operation is also the code that sends it, even across a restart.

const VERSION = "/*VERSION*/";
const FILES = {/*FILES*/}; // address -> SHA-256
const SHELL = "/field";
const HOLD = "mingjian-field";
const SERVING = "/field/serving"; // an address that exists in the cache only
const cacheOf = (version) => `mingjian-field-${version}`;
const hex = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("message", (event) => event.waitUntil(answer(event)));
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  const shell = event.request.mode === "navigate" && (url.pathname === SHELL || url.pathname === `${SHELL}/`);
  if (shell || isShellFile(url.pathname)) event.respondWith(serve(event.request, shell ? SHELL : url.pathname));
});

// Files of another version than ours are shell files too, if that version is the one being served.
const isShellFile = (path) => path in FILES || /^\/static\/(field|vendor|js)\//.test(path);

async function install() {
  const cache = await caches.open(cacheOf(VERSION));
  await Promise.all(Object.entries(FILES).map(async ([path, hash]) => {
    const response = await fetch(path, { cache: "no-cache", credentials: "omit" });
    const body = await response.clone().arrayBuffer();
    if (!response.ok || hex(await crypto.subtle.digest("SHA-256", body)) !== hash) throw new Error(`not the listed file: ${path}`);
    await cache.put(path, response);
  }));
}

async function serving() {
  const hold = await caches.open(HOLD);
  const kept = await hold.match(SERVING);
  const version = kept ? await kept.text() : null;
  return version && (await caches.has(cacheOf(version))) ? version : null;
}

async function activate() {
  if ((await serving()) === null || !(await anythingWaits())) await moveOn();
  await self.clients.claim();
}

async function moveOn() {
  const hold = await caches.open(HOLD);
  await hold.put(SERVING, new Response(VERSION));
  for (const name of await caches.keys()) {
    if (name.startsWith(`${HOLD}-`) && name !== cacheOf(VERSION)) await caches.delete(name);
  }
}

async function serve(request, path) {
  const version = (await serving()) ?? VERSION;
  const cache = await caches.open(cacheOf(version));
  return (await cache.match(path, { ignoreVary: true })) ?? fetch(request);
}

async function answer({ data, ports }) {
  const [port] = ports;
  if (data?.what === "versions") port?.postMessage({ serving: (await serving()) ?? VERSION, newest: VERSION });
  if (data?.what === "take-over") {
    const free = !(await anythingWaits());
    if (free) {
      await self.skipWaiting();
      await moveOn();
    }
    port?.postMessage(free);
  }
}

/** Is anybody's outbox on this tablet not empty? Opened without a version; what is not there yet is not made. */
function anythingWaits() {
  return new Promise((done) => {
    const asked = indexedDB.open("mingjian.field");
    asked.onupgradeneeded = () => asked.transaction.abort();
    asked.onerror = () => done(false);
    asked.onsuccess = () => {
      const db = asked.result;
      const stores = ["ops", "media"].filter((name) => db.objectStoreNames.contains(name));
      if (!stores.length) {
        db.close();
        done(false);
        return;
      }
      let found = false;
      const work = db.transaction(stores);
      for (const name of stores) work.objectStore(name).index("waiting").count().onsuccess = ({ target }) => (found ||= target.result > 0);
      work.oncomplete = () => {
        db.close();
        done(found);
      };
      work.onerror = work.onabort = () => {
        db.close();
        done(true); // not known: then nothing moves
      };
    };
  });
}
