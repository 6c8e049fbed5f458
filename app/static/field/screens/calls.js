// What somebody asks of this person: the office's reminders, a vote on a later closing time.

import { store } from "../engine/store.js";
import { html } from "../../vendor/preact-htm.js";
import { moment, of, say } from "../words.js";
import { Note, Trouble, useAct } from "./frame.js";

export function Reminder({ reminder, state }) {
  const [run, busy, error] = useAct();
  return html`<${Note} kind="waits"><p><b>${say("给您的消息", "A message for you")}</b> <span class="quiet">${moment(reminder.at)}</span></p><p>${of(reminder.words)}</p><${Trouble} error=${error} />
    <button type="button" disabled=${busy || !state.online} onClick=${() => run(() => store.reminderSeen(reminder.id))}>${say("我看到了", "I have seen it")}</button>${!state.online && html` <span class="quiet">${say("需要联网", "needs a connection")}</span>`}<//>`;
}

export function Vote({ vote, state }) {
  const [run, busy, error] = useAct();
  const cast = (answer) => run(() => store.castVote(vote.id, answer));
  return html`<${Note} kind="waits"><p><b>${say(`${of(vote.county)}：延长评分截止时间，请表决`, `${of(vote.county)}: vote on a later closing time`)}</b></p>
    <p>${vote.before && html`${say("现在", "Now")} ${moment(vote.before)} · `}${say("提议", "Proposed")} ${moment(vote.closes_at)}</p><p class="as-typed">${vote.reason}</p><${Trouble} error=${error} />
    <div class="actions"><button type="button" disabled=${busy || !state.online} onClick=${() => cast("yes")}>${say("同意延长", "For")}</button><button type="button" disabled=${busy || !state.online} onClick=${() => cast("no")}>${say("不同意", "Against")}</button>${!state.online && html` <span class="quiet">${say("需要联网", "needs a connection")}</span>`}</div><//>`;
}
