// A form as the expert's tablet will show it, with the tablet's own controls and sums; nothing typed here is kept.
// In a shadow tree, so that the styles of the field application and of the office's pages do not meet.

import { fieldsOf, merged, sheetItems } from "../field/entries.js";
import { checkSheet, plain, sheetPoints } from "../field/evaluate.js";
import { Control } from "../field/screens/controls.js";
import { problemWords } from "../field/screens/states.js";
import { of, say } from "../field/words.js";
import { html, render, useState } from "../vendor/preact-htm.js";

const WIDTHS = [["768px", () => say("竖屏", "Portrait")], ["1024px", () => say("横屏", "Landscape")]];

function Item({ item, entry, problems, result, set }) {
  const fields = fieldsOf(item, entry);
  const excused = fields.na === "on";
  const shown = problems.filter(({ code }) => code !== "missing" || entry);
  return html`<section class="card item" aria-labelledby="title-${item.id}">
    <header class="item-head"><h3 id="title-${item.id}"><span class="num">${item.id}</span> ${of(item.title)}</h3>${item.max !== null && html`<span class="quiet num">${say(`满分 ${item.max}`, `max ${item.max}`)}</span>`}</header>
    ${item.guidance && html`<p class="quiet">${of(item.guidance)}</p>`}
    ${!excused && html`<${Control} item=${item} entry=${entry} fields=${fields} set=${set} off=${false} documents=${[]} />`}
    ${item.not_applicable === "allowed" && html`<label class="tick ${excused ? "on" : ""}"><input type="checkbox" checked=${excused} onChange=${(event) => set([["na", event.target.checked ? "on" : ""]])} /> <span>${say("不适用（须写理由）", "Not applicable (state the reason)")}</span></label>`}
    <p class="item-state ${shown.length ? "wrong-text" : ""}">${shown.length ? shown.map(problemWords).join(say("；", "; ")) : result?.points ? say(`得 ${plain(result.points)} 分`, `${plain(result.points)} points`) : ""}</p>
  </section>`;
}

function Preview({ instrument }) {
  const [entries, keep] = useState({});
  const [width, turn] = useState(WIDTHS[0][0]);
  const own = sheetItems(instrument).filter(({ applies }) => applies);
  const ids = new Set(own.map(({ id }) => id));
  const sum = sheetPoints(instrument, entries);
  const problems = checkSheet(instrument, entries);
  const others = instrument.items.filter(({ id, applies }) => applies && !ids.has(id));
  const left = instrument.items.filter(({ applies }) => !applies);
  const put = (item) => (pairs) => keep((now) => merged(instrument.items, now, Object.fromEntries(pairs.map(([part, value]) => [`${item.id}.${part}`, value]))));
  return html`<div class="frame">
    <p role="group" aria-label=${say("平板方向", "Orientation")}>${WIDTHS.map(([size, word]) => html`<button type="button" key=${size} aria-pressed=${size === width ? "true" : "false"} onClick=${() => turn(size)}>${word()}</button> `)}</p>
    <div class="glass" style=${{ maxWidth: width }}>
      ${instrument.sections.map((section) => {
        const mine = own.filter((item) => item.section === section.id);
        const computed = others.filter((item) => item.section === section.id);
        if (!mine.length && !computed.length) return null;
        return html`<div key=${section.id}><h2>${of(section.title)}${section.effective_max !== "0" && html` <small class="num">${say("满分", "max")} ${section.effective_max}</small>`}</h2>
          ${mine.map((item) => html`<${Item} key=${item.id} item=${item} entry=${entries[item.id]} problems=${problems.filter((one) => one.item === item.id)} result=${sum.items[item.id]} set=${put(item)} />`)}
          ${computed.map((item) => html`<p class="quiet" key=${item.id}><span class="num">${item.id}</span> ${of(item.title)} · ${say("由数据计算或由他人填写，平板上只读", "computed from figures or filled in by others; read only on the tablet")}</p>`)}</div>`;
      })}
      ${left.length > 0 && html`<p class="quiet">${say("按所选属性不适用：", "Not applying with these properties: ")}${left.map(({ id }) => id).join(", ")}</p>`}
      <div class="dock"><span class="sum"><small>${say("小计", "Subtotal")}</small> <b class="num" data-sum>${plain(sum.marked)}</b> <span class="num">/ ${plain(sum.markedMaximum)}</span></span></div>
    </div>
  </div>`;
}

const OWN = ".frame > p { margin: 0 0 .5rem } .glass { border: 2px solid var(--edge); border-radius: 12px; padding: 1rem; background: var(--paper) } .dock { position: static }";

async function begin(place) {
  const styles = await Promise.all(["field.css", "later.css"].map(async (name) => (await fetch(place.dataset.styles + name)).text()));
  const own = new CSSStyleSheet();
  const root = place.attachShadow({ mode: "open" });
  own.replaceSync(`${styles.join("\n").replaceAll(":root", ":host").replace(/^html \{/m, ":host {")}\n${OWN}`);
  root.adoptedStyleSheets = [own];
  render(html`<${Preview} instrument=${JSON.parse(place.dataset.instrument)} />`, root);
  place.dataset.ready = "";
}

for (const place of document.querySelectorAll("[data-form-preview]")) begin(place);
