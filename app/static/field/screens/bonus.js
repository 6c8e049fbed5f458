// The control of a bonus: which filed document earns which award. Few experts meet one.

import { html } from "../../vendor/preact-htm.js";
import { of, say } from "../words.js";
import { Tick, toggled } from "./controls.js";

export function Bonus({ item, fields, set, off, documents }) {
  const { ladder, stacking, cap } = item.scale;
  const empty = ladder.flatMap(({ id }) => (fields[`level.${id}`].length ? [[`level.${id}`, []]] : []));
  return html`<p class="quiet">${stacking === "highest_per_document" ? say("同一文件只计一次，取最高一档", "A document counts once, at its highest level") : say("各文件累计", "Every award adds up")}${cap && say(`；上限 ${cap} 分`, `; at most ${cap} points`)}</p>
    ${ladder.map((row) => {
      const part = `level.${row.id}`;
      const listed = [...documents, ...fields[part].filter((id) => !documents.some((one) => one.id === id)).map((id) => ({ id, title: id }))];
      return html`<fieldset key=${row.id}><legend>${of(row.title)} <b class="num">+${row.points}</b></legend>${listed.map((one) => html`
        <${Tick} key=${one.id} name="${item.id}.${part}" off=${off} checked=${fields[part].includes(one.id)} onTick=${(on) => set([[part, toggled(fields[part], one.id, on)]])}>${of(one.title)}<//>`)}
        ${!listed.length && html`<p class="quiet">${say("还没有下载到正式文件", "No formal document is on this tablet")}</p>`}</fieldset>`;
    })}
    <${Tick} name="${item.id}.none" off=${off} checked=${fields.none === "on"} onTick=${(on) => set([...empty, ["none", on ? "on" : ""]])}>${say("没有加分情形（0 分）", "No bonus (0 points)")}<//>`;
}
