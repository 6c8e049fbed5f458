// The page's first module. On the first visit the service worker brings the whole application in one compressed file, so nothing
// else is fetched before it is in charge; where there is no service worker the modules come one by one.

const ADDRESS = "/field/sw.js";
const PATIENCE = 60_000; // then the modules come one by one all the same
const workers = navigator.serviceWorker;

async function registered() {
  if (!workers) return null;
  const policy = globalThis.trustedTypes?.createPolicy("sw", { createScriptURL: (url) => (url === ADDRESS ? url : "") });
  try {
    return await workers.register(policy ? policy.createScriptURL(ADDRESS) : ADDRESS, { scope: "/field", updateViaCache: "none" });
  } catch {
    return null; // an untrusted certificate, or storage that is forbidden
  }
}

let asked = null;

/** The worker's registration, asked for once a page; null where there are no service workers. */
export function registration() {
  asked ??= registered();
  return asked;
}

async function inCharge() {
  if (!workers || workers.controller) return;
  const before = await workers.getRegistration("/field").catch(() => null);
  if (before?.active) return; // loaded past the worker on purpose
  const made = await registration();
  if (!made || workers.controller) return;
  await new Promise((done) => {
    workers.addEventListener("controllerchange", done, { once: true });
    const worker = made.installing;
    worker?.addEventListener("statechange", () => worker.state === "redundant" && done());
    setTimeout(done, PATIENCE);
  });
}

function dressed() {
  const sheet = Object.assign(document.createElement("link"), { rel: "stylesheet", href: "/static/field/field.css" });
  return new Promise((done) => {
    sheet.onload = sheet.onerror = done;
    document.head.append(sheet);
  });
}

async function begin() {
  await inCharge();
  await Promise.all([dressed(), import("./engine/language.js")]); // the language stands before any other module reads it
  await import("./app.js");
}

if (document.getElementById("field")) begin(); // an office's page that borrows a control has no application to open
