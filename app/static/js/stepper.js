// − and + beside a mark, on the step grid. Whole-number arithmetic on scaled integers: 0.1 + 0.2 must be 0.3.
// The markup is the stepper() macro: [data-stepper data-min data-max data-grid] around input, [data-step], [data-set].

import { say } from "./page.js";
import { toPlainNumber } from "./numbers.js";

const NUMBER = /^-?\d+(\.\d+)?$/;
const places = (text) => (text.split(".")[1] ?? "").length;
const scaled = (text, digits) => BigInt(text.replace(".", "") + "0".repeat(digits - places(text)));

function written(value, digits) {
  const sign = value < 0n ? "-" : "";
  const text = String(value < 0n ? -value : value).padStart(digits + 1, "0");
  if (digits === 0) return sign + text;
  return sign + `${text.slice(0, -digits)}.${text.slice(-digits)}`.replace(/\.?0+$/, "");
}

/** The next value on the grid above (direction 1) or below (-1); an empty value starts at the minimum. */
export function nextOnGrid(text, direction, min, max, grid) {
  if (!NUMBER.test(text)) return min;
  const digits = Math.max(...[text, min, max, grid].map(places));
  const [value, low, high, step] = [text, min, max, grid].map((n) => scaled(n, digits));
  const above = value - low;
  const rest = ((above % step) + step) % step;
  let next = direction > 0 ? value - rest + step : rest ? value - rest : value - step;
  if (next < low) next = low;
  if (next > high) next = high;
  return written(next, digits);
}

/** null, or what is wrong with a typed value. */
export function problem(text, min, max, grid) {
  if (text === "") return null;
  if (!NUMBER.test(text)) return say("请填写数字", "Please enter a number");
  const digits = Math.max(...[text, min, max, grid].map(places));
  const [value, low, high, step] = [text, min, max, grid].map((n) => scaled(n, digits));
  if (value < low || value > high) return say(`应在 ${min} 至 ${max} 之间`, `Must be between ${min} and ${max}`);
  if ((value - low) % step !== 0n) return say(`应为每档 ${grid} 分`, `Must be in steps of ${grid}`);
  return null;
}

function start(box) {
  const { min, max, grid } = box.dataset;
  const input = box.querySelector("input[data-number]");
  const error = box.querySelector(".error");
  const said = box.querySelector("[data-said]");

  const show = () => {
    const text = toPlainNumber(input.value);
    const wrong = problem(text, min, max, grid);
    if (wrong) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
    error.textContent = wrong ?? "";
    error.hidden = !wrong;
    for (const button of box.querySelectorAll("[data-step]")) {
      const atEnd = NUMBER.test(text) && nextOnGrid(text, Number(button.dataset.step), min, max, grid) === written(scaled(text, places(text)), places(text));
      if (atEnd) button.setAttribute("aria-disabled", "true");
      else button.removeAttribute("aria-disabled");
    }
    for (const chip of box.querySelectorAll("[data-set]")) chip.setAttribute("aria-pressed", String(chip.dataset.set === text));
  };
  const put = (text) => {
    if (input.readOnly || input.disabled || text === input.value) return;
    input.value = text;
    said.textContent = text;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const step = (direction) => put(nextOnGrid(toPlainNumber(input.value), direction, min, max, grid));

  box.addEventListener("click", (event) => {
    const button = event.target.closest("[data-step], [data-set]");
    if (button?.dataset.set !== undefined) put(button.dataset.set);
    else if (button) step(Number(button.dataset.step));
  });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
    event.preventDefault();
    step(event.key === "ArrowUp" ? 1 : -1);
  });
  input.addEventListener("change", show);
  show();
}

for (const box of document.querySelectorAll("[data-stepper]")) start(box);
