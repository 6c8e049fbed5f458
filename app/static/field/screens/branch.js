// Two tablets filled in one sheet: both columns side by side, to choose from item by item.

import { store } from "../engine/store.js";
import { html, useEffect, useState } from "../../vendor/preact-htm.js";
import { fieldsOf } from "../entries.js";
import { evaluateEntry } from "../evaluate.js";
import { of, say, tooShort } from "../words.js";
import { Heading, Note, Reason, Trouble, useAct } from "./frame.js";
import { ConflictButton } from "./gates.js";
import { pointsText } from "./standing.js";
import { problemWords } from "./states.js";

const PARTS = { reason: () => say("理由：", "Reason: "), evidence: () => say("依据：", "Evidence: "), cases: () => say("问题数：", "Cases: ") };
const VALUES = { yes: () => say("是", "yes"), no: () => say("否", "no") };

/** An entry in words: what was typed, and what it gives. */
function Told({ item, entry }) {
  const { items = [], table = [], levels = [], vetoes = [] } = item.scale;
  const titles = Object.fromEntries([...items, ...table, ...levels, ...vetoes].map(({ id, title }) => [id, of(title)]));
  const words = (value) => titles[value] ?? VALUES[value]?.() ?? value;
  const fields = Object.entries(fieldsOf(item, entry)).filter(([part, value]) => value.length && !["na", "none", "mark"].includes(part));
  let gives;
  try {
    const points = pointsText(evaluateEntry(item, entry));
    gives = points === null ? (entry?.type === "not_applicable" ? say("不适用", "not applicable") : "—") : say(`${points} 分`, `${points} points`);
  } catch (error) {
    gives = problemWords(error);
  }
  return html`<b class="num">${gives}</b>${fields.map(([part, value]) => html`<br key=${part} /><small>${PARTS[part]?.()}${[value].flat().map(words).join(say("、", ", "))}</small>`)}`;
}

const photosWords = (list) => (list.length ? say(`照片 ${list.length} 张`, `${list.length} photo(s)`) : "");

export function Branch({ sheetKey, stand, online }) {
  const [branch, got] = useState(null);
  const [chosen, settled] = useState(null); // the branch that was chosen here and has not been sent yet
  const [picks, pick] = useState({});
  const [reason, put] = useState("");
  const [run, busy, error] = useAct();
  const fetched = () => run(async () => {
    const found = (await store.branches(sheetKey)).filter(({ id }) => id !== chosen);
    got(found[0] ?? (chosen ? null : { items: [] }));
  });
  useEffect(() => { if (online) fetched(); }, [online]);
  if (!branch) return html`<div class="page"><${Heading}>${say("两台平板上填的不一样", "Two tablets hold different entries")}<//>
    ${chosen && html`<${Note} kind="ok"><p>${say("您的选定已存在本机，上传后生效。", "Your choice is kept on this tablet and counts once it is sent.")}</p><//>`}
    <p>${busy ? say("正在取另一台平板的内容…", "Getting the other tablet's entries…") : say("联网后取来另一台平板的内容，由您逐项选定。两边都保留着。", "With a connection the other tablet's entries are shown and you choose. Both are kept.")}</p><${Trouble} error=${error} />
    <div class="actions"><button type="button" class="primary" disabled=${busy} onClick=${fetched}>${say("再试一次", "Try again")}</button><a class="button" href="#/">${say("返回", "Back")}</a></div></div>`;
  const differ = branch.items.map((row) => ({ ...row, item: stand.items.find(({ id }) => id === row.item) })).filter(({ item }) => item);
  const ready = differ.every(({ item }) => picks[item.id]) && !tooShort("choose", reason);
  const choose = () => run(async () => {
    await store.choose(sheetKey, branch.id, picks, reason);
    settled(branch.id);
    got(null);
    pick({});
    put("");
  });
  const choice = (item, side, title, entry, photos) => html`<label class="tick pick ${picks[item.id] === side ? "on" : ""}"><input type="radio" name="pick-${item.id}" checked=${picks[item.id] === side} onChange=${() => pick({ ...picks, [item.id]: side })} /><span><small>${title}</small><br /><${Told} item=${item} entry=${entry} /> ${photosWords(photos)}</span></label>`;
  return html`<div class="page wide"><${Heading}>${say("两台平板上填的不一样", "Two tablets hold different entries")}<//>
    <p>${say("两边都保留着，没有合并，也没有覆盖。请逐项选定，写明理由；选定之前不能封存。", "Both are kept; nothing was merged or overwritten. Choose item by item and say why; the sheet cannot be sealed before.")}</p>
    <p class="quiet">${branch.label}</p>
    ${differ.map(({ item, mine, branch: other, mine_media: here, branch_media: there }) => html`<fieldset class="card" key=${item.id}><legend><span class="num">${item.id}</span> ${of(item.title)}</legend><div class="columns">
      ${choice(item, "mine", say("评分表上的", "On the sheet"), mine, here)}${choice(item, "branch", say("另一台平板上的", "On the other tablet"), other, there)}</div></fieldset>`)}
    ${!differ.length && html`<${Note} kind="ok"><p>${say("两边内容相同。写明理由即可继续。", "Both columns say the same. Give a reason to go on.")}</p><//>`}
    <${Reason} id="branch-reason" kind="choose" label=${say("理由（必填）", "Reason (required)")} value=${reason} onValue=${put} /><${Trouble} error=${error} />
    <div class="actions"><button type="button" class="primary" disabled=${busy || !ready} onClick=${choose}>${say("按此选定", "Keep these")}</button><a class="button" href="#/">${say("返回", "Back")}</a><${ConflictButton} sheet=${stand.sheet} /></div></div>`;
}
