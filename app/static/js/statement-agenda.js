// The agenda with its clock, on the wall and on the page of the room. The server's clock decides: this shows what it was told last
// and counts on from there; every second and a half it asks again, so a tap on the recorder's device is on the wall at once.

import { csrf, element, say } from "./page.js";

const EVERY = 1500;
const root = document.querySelector("[data-agenda]");
const moves = "moves" in root.dataset;
const part = (name) => root.querySelector(`[data-part=${name}]`);
const two = (n) => String(n).padStart(2, "0");
const clock = (ms) => `${two(Math.floor(ms / 60000))}:${two(Math.floor((ms % 60000) / 1000))}`;

let state = JSON.parse(root.dataset.state);
let told = performance.now();
let lost = false;

const step = () => state.steps[state.position];
const title = (one) => say(one.zh, one.en);

/** What the clock shows now: time left, or time over where the limit is soft. */
function reading() {
  const limit = step().minutes * 60000;
  const elapsed = state.elapsed_ms + (state.running ? performance.now() - told : 0);
  const up = step().hard && elapsed >= limit && state.state !== "ready";
  if (state.state === "over") return { kind: "done", text: "00:00", limit, elapsed: 0 };
  if (up) return { kind: "up", text: "00:00", limit, elapsed: limit };
  if (elapsed > limit) return { kind: "over", text: `+${clock(elapsed - limit)}`, limit, elapsed: limit };
  const kind = state.state === "ready" ? "ready" : state.running ? "running" : "paused";
  return { kind, text: clock(Math.ceil((limit - elapsed) / 1000) * 1000), limit, elapsed };
}

const said = {
  ready: () => say("未开始", "Not begun"),
  running: () => (step().hard ? say("限时，到点停止", "Hard limit: it stops at 00:00") : ""),
  paused: () => say("已暂停", "Paused"),
  over: () => say("已超过建议时间", "Over the suggested time"),
  up: () => say("时间到，请停止。由记录员选择下一环节。", "Time is up. The recorder chooses the next step."),
  done: () => say("议程已结束", "The agenda is over"),
};

function tick() {
  const now = reading();
  root.dataset.clock = now.kind;
  part("clock").textContent = now.text;
  part("limit").max = now.limit;
  part("limit").value = now.elapsed;
  const words = lost ? say("与服务器的连接中断，时钟按最后状态继续", "No connection; the clock goes on from the last state") : said[now.kind]();
  if (part("said").textContent !== words) part("said").textContent = words;
  if (!moves) return;
  for (const button of part("buttons").querySelectorAll("[data-do]")) {
    const fits = { start: now.kind === "ready", pause: now.kind === "running" || now.kind === "over", resume: now.kind === "paused", end: !["ready", "done"].includes(now.kind) };
    button.hidden = !fits[button.dataset.do];
  }
}

function draw() {
  part("title").textContent = state.state === "over" ? say("议程已结束", "The agenda is over") : title(step());
  part("steps").replaceChildren(...state.steps.map((one, n) => {
    const present = n === state.position && state.state !== "over";
    const line = element("li", { "aria-current": present ? "step" : false, class: n < state.position || state.state === "over" ? "done" : "" },
      element("span", {}, `${n + 1} ${title(one)}`),
      element("span", { class: "num" }, say(`${one.minutes} 分钟`, `${one.minutes} min`) + (one.hard ? say("（限时）", " (hard)") : "")));
    if (moves && !present && !["ready", "over"].includes(state.state)) {
      const button = element("button", { type: "button", "data-step": n, "aria-label": say(`进入：${one.zh}`, `Go to: ${one.en}`) }, say("进入", "Go"));
      button.addEventListener("click", () => move("go", n));
      line.append(button);
    }
    return line;
  }));
  tick();
}

function take(answer) {
  const changed = answer.version !== state.version;
  state = answer;
  told = performance.now();
  if (changed) draw();
}

async function ask() {
  try {
    const answer = await fetch(root.dataset.ask, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(answer.status);
    take(await answer.json());
    lost = false;
  } catch {
    lost = true;
  }
  setTimeout(ask, EVERY);
}

async function move(what, position) {
  const problem = part("problem");
  problem.hidden = true;
  try {
    const answer = await fetch(root.dataset.ask, {
      method: "POST", headers: { "Content-Type": "application/json", "X-CSRFToken": csrf() },
      body: JSON.stringify({ do: what, version: state.version, ...(position === undefined ? {} : { position }) }),
    });
    const body = await answer.json();
    if (answer.ok) return take(body);
    problem.textContent = body.error?.text ?? say("没有成功，请再试。", "It did not work; try again.");
  } catch {
    problem.textContent = say("没有连上服务器，没有任何改动。请再试。", "The server was not reached; nothing was changed. Try again.");
  }
  problem.hidden = false;
}

if (moves) {
  for (const button of part("buttons").querySelectorAll("[data-do]")) button.addEventListener("click", () => move(button.dataset.do));
}
draw();
setInterval(tick, 250);
setTimeout(ask, EVERY);

// How long the county may still challenge: counted down in sight.
const until = document.querySelector("[data-left]");
if (until) {
  const end = performance.now() + Number(until.dataset.left) * 1000;
  const show = () => {
    const left = end - performance.now();
    until.textContent = left > 0 ? say(`还剩 ${clock(left)}`, `${clock(left)} left`) : say("时间已过", "over");
  };
  show();
  setInterval(show, 500);
}
