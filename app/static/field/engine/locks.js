// Several windows of one browser. Appends need no lock: the head of a log is compared inside the transaction that moves it, so a
// chain cannot fork (oplog.js). Locks serve one sender at a time, and hold back a new version while a sheet is open anywhere.

const SENDER = "mingjian.field.sender";
const SHEET = "mingjian.field.sheet";

/** Run `act` if no other window is sending; undefined otherwise. */
export const asOnlySender = (act) => navigator.locks.request(SENDER, { ifAvailable: true }, (lock) => (lock ? act() : undefined));

/** Run `act` once no window is sending. */
export const inTurn = (act) => navigator.locks.request(SENDER, act);

/** Held by each window with an open sheet: {held: resolves once it is, release()}. */
export function holdSheet() {
  let release;
  const done = new Promise((resolve) => (release = resolve));
  const held = new Promise((granted) => navigator.locks.request(SHEET, { mode: "shared" }, () => (granted(), done)));
  return { held, release };
}

/** True when no window has a sheet open. */
export const noSheetOpen = () => navigator.locks.request(SHEET, { ifAvailable: true }, (lock) => Boolean(lock));

/** News between windows: {what: "changed" | "locked" | "bound", tablet?, sheet?}. */
export function channel(onNews) {
  const air = new BroadcastChannel("mingjian.field");
  air.onmessage = ({ data }) => onNews(data);
  return (news) => air.postMessage(news);
}
