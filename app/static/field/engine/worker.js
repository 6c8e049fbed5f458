// The page's side of the service worker (boot.js registers it): letting a new version in only when nothing can be disturbed.

import { registration } from "../boot.js";

/** {ready(), refresh(), versions(), takeOver(), complete()}; `onNews` is called when a new version is ready. Null where there are no
    service workers. */
export async function register(onNews) {
  const made = await registration();
  if (!made) return null;
  const watch = (worker) => worker?.addEventListener("statechange", onNews);
  watch(made.installing);
  made.addEventListener("updatefound", () => watch(made.installing));
  return {
    ready: () => Boolean(made.active),
    refresh: () => made.update().catch(() => {}),
    /** {serving, newest}: the version that pages get, and the newest complete one. */
    async versions() {
      const worker = made.waiting ?? made.active;
      return worker ? ask(worker, { what: "versions" }) : null;
    },
    async takeOver() {
      const worker = made.waiting ?? made.active;
      return worker ? ask(worker, { what: "take-over" }) : null;
    },
    /** True when the application is on the tablet up to this part ("rest" | "recorder"): what was not yet is fetched now. */
    complete: async (part) => Boolean(made.active && (await ask(made.active, { what: "complete", part }, 60_000))),
  };
}

/** A question over a channel of its own; null if no answer comes (a worker that is going). */
function ask(worker, question, patience = 3_000) {
  return new Promise((done) => {
    const { port1, port2 } = new MessageChannel();
    const late = setTimeout(() => done(null), patience);
    port1.onmessage = ({ data }) => {
      clearTimeout(late);
      done(data);
    };
    worker.postMessage(question, [port2]);
  });
}
