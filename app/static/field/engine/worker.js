// The page's side of the service worker: registering it, and letting a new version in only when nothing can be disturbed.

const ADDRESS = "/field/sw.js";

/** {version(), waiting(), takeOver()}; `onNews` is called when a new version is ready. Null where there are no service workers. */
export async function register(onNews) {
  if (!navigator.serviceWorker) return null;
  const policy = globalThis.trustedTypes?.createPolicy("sw", { createScriptURL: (url) => (url === ADDRESS ? url : "") });
  let registration;
  try {
    registration = await navigator.serviceWorker.register(policy ? policy.createScriptURL(ADDRESS) : ADDRESS, { scope: "/field", updateViaCache: "none" });
  } catch {
    return null; // an untrusted certificate, or storage that is forbidden
  }
  const watch = (worker) => worker?.addEventListener("statechange", onNews);
  watch(registration.installing);
  registration.addEventListener("updatefound", () => watch(registration.installing));
  return {
    ready: () => Boolean(registration.active),
    refresh: () => registration.update().catch(() => {}),
    /** {serving, newest}: the version that pages get, and the newest complete one. */
    async versions() {
      const worker = registration.waiting ?? registration.active;
      return worker ? ask(worker, { what: "versions" }) : null;
    },
    async takeOver() {
      const worker = registration.waiting ?? registration.active;
      return worker ? ask(worker, { what: "take-over" }) : null;
    },
  };
}

/** A question over a channel of its own; null if no answer comes (a worker that is going). */
function ask(worker, question) {
  return new Promise((done) => {
    const { port1, port2 } = new MessageChannel();
    const late = setTimeout(() => done(null), 3_000);
    port1.onmessage = ({ data }) => {
      clearTimeout(late);
      done(data);
    };
    worker.postMessage(question, [port2]);
  });
}
