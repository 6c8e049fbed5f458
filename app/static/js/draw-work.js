// The page of a computation: asks every second how far it is, and goes on to the result by itself. Leaving the page stops nothing.

import { say } from "./page.js";

const EVERY = 1000;
const root = document.querySelector("[data-work]");
const part = (name) => root.querySelector(`[data-${name}]`);

function show(state) {
  part("stage").textContent = state.stage;
  const bar = part("bar");
  if (state.done === null) bar.removeAttribute("value");
  else bar.value = state.done;
  part("share").textContent = state.done === null ? "" : `${Math.floor(state.done * 100)}%`;
  part("spent").textContent = say(`已用 ${state.seconds} 秒`, `${state.seconds} s so far`);
}

async function ask() {
  try {
    const answer = await fetch(root.dataset.ask, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const state = await answer.json();
    part("lost").hidden = true;
    if (state.state === "running") show(state);
    else if (state.state === "done" || state.state === "none") return location.assign(root.dataset.result);
    else return location.reload(); // refused or broken: the page says why
  } catch {
    part("lost").hidden = false; // the server is away; the next tick asks again
  }
  return setTimeout(ask, EVERY);
}

setTimeout(ask, EVERY / 2);
