// The panel board asks for itself again and takes over what changed, part by part (data-live). A part in use (focus inside, opened
// details, selected text, an open question) is left alone until it is free, and scroll positions stay: the reader never loses the place.

import { say } from "./page.js";

const EVERY = 15000;
const status = document.querySelector("[data-board-status]");

/** The page as a document. XMLHttpRequest parses it itself, so no text is ever turned into markup by this script. */
const asked = () => new Promise((give, fail) => {
  const request = new XMLHttpRequest();
  request.open("GET", location.href);
  request.responseType = "document";
  request.timeout = 10000;
  request.onload = () => (request.status === 200 && request.response?.querySelector("[data-board-status]") ? give(request.response) : fail(new Error(String(request.status))));
  request.onerror = request.ontimeout = () => fail(new Error("away"));
  request.send();
});

const plain = (part) => new XMLSerializer().serializeToString(part).replace(/name="csrf_token" value="[^"]*"/g, "");
const selected = (part) => {
  const selection = getSelection();
  return Boolean(selection && !selection.isCollapsed && selection.containsNode(part, true));
};
const busy = (part) => (document.activeElement !== document.body && part.contains(document.activeElement)) || part.querySelector("details[open], dialog[open]") || selected(part);

function take(fresh) {
  let waits = 0;
  for (const old of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(old.id);
    if (!next || plain(next) === plain(old)) continue;
    if (busy(old)) {
      waits += 1;
      continue;
    }
    const places = [...old.querySelectorAll(".scroll")].map(({ scrollLeft, scrollTop }) => [scrollLeft, scrollTop]);
    const taken = document.importNode(next, true);
    old.replaceWith(taken);
    [...taken.querySelectorAll(".scroll")].forEach((box, n) => {
      if (places[n]) [box.scrollLeft, box.scrollTop] = places[n];
    });
  }
  return waits;
}

async function ask() {
  if (!document.hidden) {
    try {
      const waits = take(await asked());
      const time = new Date().toLocaleTimeString("en-GB");
      status.textContent = waits ? say(`${time} 有更新，您正在使用的部分稍后刷新`, `${time}: news; the part you are using is renewed later`) : say(`${time} 已更新`, `up to date at ${time}`);
      status.dataset.state = "ok";
    } catch {
      status.textContent = say("暂时联系不上服务器，以下内容可能不是最新", "the server cannot be reached: this may be out of date");
      status.dataset.state = "lost";
    }
  }
  setTimeout(ask, EVERY);
}

document.addEventListener("visibilitychange", () => { if (!document.hidden && status.dataset.state === "lost") location.reload(); });
setTimeout(ask, EVERY);
