// The values of one source as one of the two types them: six faces to tap, or a number at a time. Every value is sent as it is
// typed and kept on this device too, so that neither a restart of the server nor of the browser loses one; the last closes the list.

import { csrf, element, keeper, say, viewer } from "./page.js";
import { face } from "./draw-dice-face.js";
import { toPlainNumber } from "./numbers.js";

const device = keeper(() => localStorage);
const EVERY = 1500;

class Pad {
  constructor(root) {
    this.root = root;
    this.data = root.dataset;
    this.count = Number(this.data.count);
    this.low = Number(this.data.low);
    this.high = Number(this.data.high);
    this.set = this.data.kind === "set";
    this.dice = !this.set && this.low === 1 && this.high === 6;
    this.slot = `mingjian.dice|${this.data.draw}|${this.data.source}|${viewer()}`;
    this.values = JSON.parse(this.data.mine);
    this.state = JSON.parse(this.data.now);
    this.chosen = null;
    this.sent = this.values.length;
    const waiting = device.read(this.slot);
    if (Array.isArray(waiting) && !this.closed() && this.state.values === null) {
      this.values = waiting;
      this.send();
    }
    this.build();
    this.show();
    setInterval(() => this.ask(), EVERY);
  }

  /** The list is in, and may be changed only where it differs from the other's. */
  closed() {
    return this.state.typed[this.data.role] >= this.count && this.state.differing.length === 0;
  }

  locked() {
    return this.state.values !== null;
  }

  build() {
    this.grid = element("div", { class: "dice-grid", role: "group", "aria-label": say("已录入的数值", "Values typed") });
    this.pad = element("div", { class: "dice-pad" });
    this.message = element("p", { class: "dice-message", role: "status" });
    this.saved = element("p", { class: "save-state", role: "status" });
    this.both = element("div", { class: "dice-progress" });
    if (this.dice) {
      for (let value = this.low; value <= this.high; value += 1) {
        const button = element("button", { type: "button", class: "die-button", "data-value": value, "aria-label": String(value) }, face(value), element("b", {}, String(value)));
        button.addEventListener("click", () => this.add(value));
        this.pad.append(button);
      }
      document.addEventListener("keydown", (event) => {
        if (event.target.matches?.("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
        if (event.key >= "1" && event.key <= "6") this.add(Number(event.key));
        else if (event.key === "Backspace") this.remove();
        else return;
        event.preventDefault();
      });
    } else {
      this.input = element("input", { "data-number": true, inputmode: "numeric", autocomplete: "off", "aria-label": say("下一个数值", "Next value") });
      const add = element("button", { type: "button", class: "primary" }, say("加入", "Add"));
      const take = () => {
        const text = toPlainNumber(this.input.value);
        if (/^\d{1,15}$/.test(text)) this.add(Number(text));
        else this.tell(say("请输入一个整数。", "Type a whole number."), true);
        this.input.value = "";
        this.input.focus();
      };
      add.addEventListener("click", take);
      this.input.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" || event.isComposing) return;
        event.preventDefault();
        take();
      });
      this.pad.append(this.input, add);
    }
    const back = element("button", { type: "button", "data-back": true }, say("退格", "Backspace"));
    back.addEventListener("click", () => this.remove());
    this.pad.append(back);
    this.root.append(this.both, this.message, this.grid, this.pad, this.saved);
  }

  add(value) {
    if (this.locked() || this.closed()) return;
    if (value < this.low || value > this.high) {
      this.tell(say(`${value} 不在 ${this.low} 至 ${this.high} 之间。`, `${value} is not between ${this.low} and ${this.high}.`), true);
      return;
    }
    if (this.set && this.values.includes(value) && this.values[this.chosen] !== value) {
      this.tell(say(`${value} 已经录入；这个来源不得有重复。`, `${value} was typed already; this source has no repeats.`), true);
      return;
    }
    if (this.chosen !== null) {
      this.values[this.chosen] = value;
      this.chosen = null;
    } else if (this.values.length < this.count) {
      this.values.push(value);
    } else {
      this.tell(say("已录满。请点选有误的位置再改。", "The list is full. Choose the place that is wrong, then its value."), true);
      return;
    }
    if (this.set) this.values.sort((a, b) => a - b);
    this.changed();
  }

  remove() {
    if (this.locked() || this.closed()) return;
    if (this.chosen !== null) this.chosen = null;
    else if (this.values.length) this.values.pop();
    this.changed();
  }

  changed() {
    device.write(this.slot, this.values);
    this.tell("");
    this.show();
    this.send();
  }

  /** One request at a time; what was typed meanwhile goes with the next. */
  async send() {
    this.dirty = true;
    if (this.busy) return;
    this.busy = true;
    while (this.dirty) {
      this.dirty = false;
      const values = [...this.values];
      try {
        const answer = await fetch(this.data.save, {
          method: "POST",
          headers: { "Content-Type": "application/json", "X-CSRFToken": csrf() },
          body: JSON.stringify({ source: this.data.source, values }),
        });
        const body = await answer.json();
        if (answer.ok) {
          this.state = body;
          this.sent = values.length;
          if (!this.dirty) device.write(this.slot, null);
          this.mark("saved", say(`已保存 ${values.length} 个`, `${values.length} saved`));
        } else if (answer.status === 401 || answer.status >= 500) {
          throw new Error(String(answer.status));
        } else {
          device.write(this.slot, null);
          this.tell(body.error?.text ?? "", true);
          this.mark("refused", say("没有保存", "Not saved"));
        }
      } catch {
        this.mark("kept", say("连不上服务器：数值保存在本机，将自动重试", "No answer from the server: kept on this device, trying again"));
        await new Promise((go) => { setTimeout(go, 2000); });
        this.dirty = true;
      }
      this.show();
    }
    this.busy = false;
  }

  async ask() {
    if (this.busy || this.locked()) return;
    try {
      const answer = await fetch(this.data.state, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const found = (await answer.json()).sources.find((row) => row.name === this.data.source);
      if (!found || this.busy) return;
      this.state = found;
      this.show();
    } catch {
      // the next tick asks again
    }
  }

  mark(state, text) {
    this.saved.dataset.state = state;
    this.saved.textContent = text;
  }

  tell(text, wrong = false) {
    this.note = text;
    this.noteWrong = wrong;
    this.show();
  }

  show() {
    const { differing, typed, values: final } = this.state;
    const values = final ?? this.values;
    const cells = [];
    for (let i = 0; i < this.count; i += 1) {
      if (i % 10 === 0) cells.push(element("span", { class: "dice-row" }, `${i + 1}–${Math.min(i + 10, this.count)}`));
      const value = values[i];
      const wrong = !final && differing.includes(i + 1);
      const cell = element("button", { type: "button", class: `dice-cell${wrong ? " wrong" : ""}${this.chosen === i ? " chosen" : ""}`, "data-place": i + 1, disabled: final !== null || value === undefined || this.closed(), "aria-label": say(`第 ${i + 1} 个：${value ?? "空"}`, `Place ${i + 1}: ${value ?? "empty"}`) }, value === undefined ? "" : String(value));
      cell.addEventListener("click", () => {
        this.chosen = this.chosen === i ? null : i;
        this.show();
      });
      cells.push(cell);
    }
    this.grid.replaceChildren(...cells);
    const names = { office: say("创建办公室", "Programme office"), supervisor: say("监督人员", "Supervisor") };
    this.both.replaceChildren(...Object.entries(typed).map(([role, n]) => {
      const shown = role === this.data.role && !final ? Math.max(this.values.length, 0) : n;
      return element("p", {}, element("label", {}, `${names[role]} `, element("b", { class: "num", "data-typed": role }, say(`${shown} / ${this.count}`, `${shown} of ${this.count}`)), element("br"), element("progress", { max: this.count, value: shown })));
    }));
    let text = this.note ?? "";
    let kind = this.noteWrong ? "wrong" : "";
    if (final) {
      text = say("两人录入一致，已锁定。", "Both agree: locked.");
      kind = "ok";
    } else if (differing.length && !text) {
      text = say(`两人录入不一致：第 ${differing.join("、")} 个值不同，尚未锁定。请对照骰子，点选有误的位置改正。`, `The two lists differ at position ${differing.join(", ")}. Nothing is locked: compare with the dice, choose the place that is wrong and give its value.`);
      kind = "wrong";
    } else if (this.closed() && !text) {
      text = say("您的一组已录满，等待另一人。", "Your list is in; waiting for the other.");
    } else if (this.chosen !== null && !text) {
      text = say(`改第 ${this.chosen + 1} 个值：请给出正确的数值。`, `Place ${this.chosen + 1}: give its right value.`);
    }
    this.message.textContent = text;
    this.message.dataset.kind = kind;
    this.message.hidden = !text;
    for (const part of this.pad.querySelectorAll("button, input")) part.disabled = final !== null || this.closed();
    this.root.dataset.locked = String(final !== null);
    for (const part of document.querySelectorAll("[data-after-lock]")) {
      if (final) part.hidden = [...document.querySelectorAll("[data-dice-pad]")].some((pad) => pad.dataset.locked !== "true");
    }
  }
}

for (const root of document.querySelectorAll("[data-dice-pad]")) new Pad(root);
