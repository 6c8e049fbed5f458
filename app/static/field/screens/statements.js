// A recorder's duties in the list of all: where each statement stands.

import { html } from "../../vendor/preact-htm.js";
import { say, titleOf } from "../words.js";
import { Status } from "./frame.js";
import { standingOf, statementLink, statementView } from "./statement_log.js";

/** [mark, word] of a statement's standing, as statement_log.js names it. */
const statementWords = (standing) => ({
  planned: ["waits", say("未开始", "Not begun")],
  gathering: ["info", say("到场登记中", "Taking attendance")],
  open: ["info", say("陈述中", "Under way")],
  closing: ["waits", say("已结束，待上传", "Closed, waiting to send")],
  closed: ["ok", say("已结束", "Closed")],
}[standing]);

function StatementDuty({ duty, first }) {
  const view = statementView(duty);
  const [kind, words] = statementWords(standingOf(view));
  const came = view.seats.filter(({ present }) => present).length;
  const facts = [say(`到场 ${came}/${view.seats.length}`, `${came} of ${view.seats.length} present`), view.waiting ? say(`待上传 ${view.waiting} 项`, `${view.waiting} waiting`) : ""].filter(Boolean);
  return html`<li class="duty"><div><b>${titleOf(duty)}</b> <${Status} kind=${kind}>${words}<//>
      <p class="quiet">${[say("记录陈述", "Record the statement"), duty.on, duty.place].filter(Boolean).join(" · ")}</p><p class="quiet">${facts.join(" · ")}</p></div>
    <a class="button ${first ? "primary" : ""}" href=${statementLink(duty)} aria-label=${say(`打开 ${titleOf(duty)}`, `Open ${titleOf(duty)}`)}>${view.closed ? say("解锁码", "Code") : say("记录", "Record")}</a></li>`;
}

/** The statements of one round; the first of all that is not closed stands out. */
export function StatementDuties({ statements, slug }) {
  const open = statements.find((duty) => !statementView(duty).closed);
  return statements.filter(({ round }) => round.slug === slug).map((duty) => html`<${StatementDuty} key=${duty.key} duty=${duty} first=${duty === open} />`);
}
