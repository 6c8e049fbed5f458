// The shell without signal. Only the static files named below are kept, checked against their hash: never data, never an answer of
// the interface. The server writes the list and the version (app/field/shell.py), so any changed file makes a new version.
//
// They come in three parts: what is needed to score, the rest (reviewing and sealing, export), a recorder's screens. Each is one file: a line of JSON,
// [[address, length], ...], then one file's bytes behind the other's. The rest comes with the package, after the first mark, or when it is first opened,
// a recorder's with his first duty; a newer version brings at once what the older one had.
//
// A new version is downloaded beside the old one and waits. Which version pages get is written down (in the cache HOLD), and moves only
// when nothing waits for upload: so the code that made an operation is also the code that sends it, even across a restart.

const VERSION = "/*VERSION*/";
const PARTS = {/*PARTS*/}; // part -> SHA-256 of its bytes
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
const isShellFile = (path) => /^\/static\/(field|vendor|js)\//.test(path);
const KINDS = { js: "text/javascript", css: "text/css", svg: "image/svg+xml" };
const kindOf = (path) => `${KINDS[path.split(".")[1]] ?? "text/html"}; charset=utf-8`;
const OF_THE_PART = ["Content-Encoding", "Content-Length", "ETag", "Vary"]; // headers that are not its files'
const A_RECORDERS = "/static/field/screens/recorder.js"; // a file of the last part
const underWay = new Map(); // part -> its fetching

async function install() {
  await bring("first");
  if (!self.registration.active) return;
  await bring("rest"); // the older version may have had it: nothing is taken away
  if (await caches.match(A_RECORDERS)) await bring("recorder");
}

/** Fetch a part, once at a time. */
function bring(part) {
  if (!underWay.has(part)) underWay.set(part, fetched(part).finally(() => underWay.delete(part)));
  return underWay.get(part);
}

async function fetched(part) {
  const address = `/field/${part}.part`;
  const cache = await caches.open(cacheOf(VERSION));
  if (await cache.match(address)) return;
  const response = await fetch(address, { cache: "no-store", credentials: "omit" });
  const body = await response.arrayBuffer();
  if (!response.ok || hex(await crypto.subtle.digest("SHA-256", body)) !== PARTS[part]) throw new Error(`not the listed part: ${part}`);
  const headers = new Headers(response.headers); // the policy stays with every file
  for (const name of OF_THE_PART) headers.delete(name);
  let from = new Uint8Array(body).indexOf(10) + 1;
  for (const [path, length] of JSON.parse(new TextDecoder().decode(body.slice(0, from)))) {
    headers.set("Content-Type", kindOf(path));
    await cache.put(path, new Response(body.slice(from, from + length), { headers }));
    from += length;
  }
  await cache.put(address, new Response("")); // all of it is here
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
  const find = () => cache.match(path, { ignoreVary: true });
  const here = await find();
  if (here || version !== VERSION) return here ?? fetch(request);
  await bring("rest");
  const later = await find();
  if (later) return later;
  if (path.startsWith("/static/field/screens/")) await bring("recorder");
  return (await find()) ?? fetch(request);
}

async function answer({ data, ports }) {
  const [port] = ports;
  if (data?.what === "versions") port?.postMessage({ serving: (await serving()) ?? VERSION, newest: VERSION });
  if (data?.what === "complete") port?.postMessage(await complete(data.part));
  if (data?.what === "take-over") {
    const free = !(await anythingWaits());
    if (free) {
      await self.skipWaiting();
      await moveOn();
    }
    port?.postMessage(free);
  }
}

/** Is the version that pages get on this tablet, up to this part? Of a version that the server has no more, only what is here can be. */
async function complete(part) {
  try {
    if (((await serving()) ?? VERSION) === VERSION) for (const name of ["rest", part]) await bring(name);
    return true;
  } catch {
    return false;
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
