// One control for each scale type. `set` takes [[part, value], …]; nothing here decides points, evaluate.js does.

import { html, useState } from "../../vendor/preact-htm.js";
import { nextOnGrid, shareOf } from "../evaluate.js";
import { of, say } from "../words.js";
import { Typed } from "./frame.js";
import { Later } from "./later.js";
import { rangeWords } from "./states.js";

const SHARES = [0, 25, 50, 75, 100];
const MOST_CASES = "100000";

function Stepper({ id, part, label, value, low, high, step, set, off, children, hint }) {
  const put = (text) => text !== value && set([[part, text]]);
  const move = (direction, from = value) => put(nextOnGrid(from, direction, low, high, step));
  return html`<div class="stepper" role="group" aria-label=${label}>
    <button type="button" class="step" disabled=${off} aria-label=${say(`${label}：减 ${step}`, `${label}: down by ${step}`)} onClick=${() => move(-1)}>−</button>
    <${Typed} id="${id}-${part}" number value=${value} disabled=${off} aria-label=${label} aria-describedby=${hint} save=${(text) => set([[part, text]])} onArrow=${move} />
    <button type="button" class="step" disabled=${off} aria-label=${say(`${label}：加 ${step}`, `${label}: up by ${step}`)} onClick=${() => move(1)}>+</button>
  </div>${children}`;
}

const Chips = ({ rows, value, part, set, off, label }) => html`<div class="chips" role="group" aria-label=${label}>${rows.map(([text, note]) => html`
  <button type="button" key=${text} class="chip" disabled=${off} aria-pressed=${text === value ? "true" : "false"} onClick=${() => text !== value && set([[part, text]])}><b>${text}</b>${note && html` <small>${note}</small>`}</button>`)}</div>`;

function Points({ item, fields, ...rest }) {
  const shares = item.max === null ? [] : SHARES.map((percent) => [shareOf(percent, item), `${percent}%`]);
  const rows = shares.filter(([text], at) => shares.findIndex(([other]) => other === text) === at);
  const label = say("评分", "Mark");
  return html`<${Stepper} id=${item.id} part="mark" label=${label} value=${fields.mark} low=${item.min} high=${item.max} step=${item.scale.step} ...${rest}>
    <${Chips} rows=${rows} value=${fields.mark} part="mark" label=${say("常用分值", "Quick marks")} ...${rest} /><//>`;
}

/** Marks inside a level: its lowest, its highest, and up to three between, all on the grid. */
function inside(level, { scale, min, max }) {
  const top = level.high_inclusive ? level.high : nextOnGrid(level.high, -1, min, max, scale.step);
  const all = [level.low];
  while (all.at(-1) !== top && all.length < 60) all.push(nextOnGrid(all.at(-1), 1, min, max, scale.step));
  const gap = Math.max(1, Math.ceil((all.length - 1) / 4));
  return all.filter((_, at) => at % gap === 0 || at === all.length - 1);
}

function Grade({ item, entry, fields, ...rest }) {
  const [tapped, tap] = useState(null);
  const level = tapped ?? entry?.value?.level ?? null;
  const row = item.scale.levels.find(({ id }) => id === level);
  const set = (pairs) => {
    tap(null);
    rest.set(pairs);
  };
  return html`<div class="levels" role="group" aria-label=${say("等次", "Grade")}>${item.scale.levels.map((one) => html`
      <button type="button" key=${one.id} class="chip level" disabled=${rest.off} aria-pressed=${one.id === level ? "true" : "false"} onClick=${() => tap(one.id)}>
        <b>${of(one.title)}</b> <small>${rangeWords(one)}</small></button>`)}</div>
    ${row && html`<${Chips} rows=${inside(row, item).map((text) => [text])} value=${fields.mark} part="mark" label=${say(`“${of(row.title)}”一档内的分值`, `Marks inside “${of(row.title)}”`)} ...${rest} set=${set} />`}
    ${tapped && html`<p class="quiet" role="status">${say("请在本档内选一个分值，或直接输入", "Pick a mark inside this grade, or type one")}</p>`}
    <${Stepper} id=${item.id} part="mark" label=${say("评分", "Mark")} value=${fields.mark} low=${item.min} high=${item.max} step=${item.scale.step} ...${rest} set=${set} />`;
}

export const Tick = ({ type = "checkbox", name, checked, off, onTick, children }) => html`<label class="tick ${checked ? "on" : ""}">
  <input type=${type} name=${name} checked=${checked} disabled=${off} onChange=${(event) => onTick(event.target.checked)} /> <span>${children}</span></label>`;

export const toggled = (list, id, on) => (on ? [...list, id] : list.filter((one) => one !== id));

function Checklist({ item, fields, set, off }) {
  return html`<fieldset><legend>${say("符合的打勾", "Tick what applies")}</legend>${item.scale.items.map((row) => html`
      <${Tick} key=${row.id} name="${item.id}.ticks" off=${off} checked=${fields.ticks.includes(row.id)} onTick=${(on) => set([["ticks", toggled(fields.ticks, row.id, on)]])}>${of(row.title)} <b class="num">${row.points}</b><//>`)}
    ${item.scale.type === "checklist" && html`<${Tick} name="${item.id}.none" off=${off} checked=${fields.none === "on"} onTick=${(on) => set([["ticks", []], ["none", on ? "on" : ""]])}>${say("以上都没有（0 分）", "None of these (0 points)")}<//>`}
  </fieldset>`;
}

function Deduct({ item, fields, ...rest }) {
  const { per_case: each, floor } = item.scale;
  const label = say("发现的问题数", "Cases found");
  return html`<p class="quiet" id="${item.id}-rule">${say(`每个扣 ${each} 分，${floor === "minus_max" ? `扣到 −${item.max} 分为止` : "扣完为止"}`, `${each} off for each, down to ${floor === "minus_max" ? `−${item.max}` : "0"}`)}</p>
    <${Stepper} id=${item.id} part="cases" label=${label} value=${fields.cases} low="0" high=${MOST_CASES} step="1" hint="${item.id}-rule" ...${rest}>
      <${Chips} rows=${[["0", say("无", "none")], ["1"], ["2"], ["3"], ["5"]]} value=${fields.cases} part="cases" label=${label} ...${rest} /><//>`;
}

const Choice = ({ item, part, rows, chosen, legend, set, off }) => html`<fieldset class="choice"><legend>${legend}</legend>${rows.map(([value, words, pairs]) => html`
  <${Tick} key=${value} type="radio" name="${item.id}.${part}" off=${off} checked=${chosen === value} onTick=${() => set(pairs ?? [[part, value]])}>${words}<//>`)}</fieldset>`;

const PassFail = (props) => html`<${Choice} part="pass" chosen=${props.fields.pass} legend=${say("判定", "Judgement")} rows=${[["yes", say("符合", "Yes")], ["no", say("不符合", "No")]]} ...${props} />`;

function GradeTable(props) {
  const { item, fields, set, off } = props;
  return html`<${Choice} part="grade" chosen=${fields.grade} legend=${say("等次", "Grade")} rows=${item.scale.table.map((row) => [row.id, html`${of(row.title)} <b class="num">${row.points}</b>`])} ...${props} />
    <${Tick} name="${item.id}.prior" off=${off || !fields.grade} checked=${fields.prior === "on"} onTick=${(on) => set([["prior", on ? "on" : ""]])}>${say(`上一年度成绩（×${item.scale.factor_for_prior_year}）`, `Last year's result (×${item.scale.factor_for_prior_year})`)}<//>`;
}

function Veto({ item, fields, set, off }) {
  const tick = (id, on) => {
    const named = toggled(fields.vetoes, id, on);
    set(on && fields.vetoed !== "yes" ? [["vetoed", "yes"], ["vetoes", named]] : [["vetoes", named]]);
  };
  const rows = [["no", say("未发现否决情形", "No veto found"), [["vetoes", []], ["vetoed", "no"]]], ["yes", say("一票否决", "Veto")]];
  return html`<${Choice} item=${item} part="vetoed" chosen=${fields.vetoed} legend=${say("意见", "Opinion")} rows=${rows} set=${set} off=${off} />
    ${fields.vetoed === "yes" && html`<fieldset><legend>${say("触发的否决项", "Vetoes that strike")}</legend>${item.scale.vetoes.map((row) => html`
      <${Tick} key=${row.id} name="${item.id}.vetoes" off=${off} checked=${fields.vetoes.includes(row.id)} onTick=${(on) => tick(row.id, on)}><b class="num">${row.id}</b> ${of(row.title)} <small>${of(row.window)}</small><//>`)}</fieldset>
    <div class="row-field"><label for="${item.id}-evidence">${say("依据材料（必填）", "Evidence (required)")}</label>
      <${Typed} id="${item.id}-evidence" rows="2" value=${fields.evidence} disabled=${off} save=${(text) => set([["evidence", text]])} /></div>`}`;
}

const Bonus = (props) => html`<${Later} file="bonus" load=${() => import("./bonus.js")} name="Bonus" ...${props} />`;

const Figures = ({ item, fields, set, off }) => html`${item.scale.figures.map((figure) => html`<div class="row-field" key=${figure.name}>
  <label for="${item.id}-${figure.name}">${of(figure.title)} <small>${of(figure.unit)}</small></label>
  <${Typed} id="${item.id}-${figure.name}" number value=${fields[`figure.${figure.name}`]} disabled=${off} save=${(text) => set([[`figure.${figure.name}`, text]])} /></div>`)}`;

const CONTROLS = {
  points: Points, grade: Grade, checklist: Checklist, deduct: Deduct, passfail: PassFail, passfail_points: PassFail, veto: Veto, grade_table: GradeTable, bonus: Bonus,
  checklist_deduct: (props) => html`<${Checklist} ...${props} /><${Deduct} ...${props} />`,
};

/** The control of an item; `off` when nothing may be changed, `documents` the county's filed documents. */
export const Control = (props) => html`<${CONTROLS[props.item.scale.type] ?? Figures} ...${props} />`;
