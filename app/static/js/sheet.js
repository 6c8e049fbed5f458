// A score sheet that is being filled in: after each save, show the server's own subtotal and problems.
// The server decides; nothing is computed here.

const form = document.getElementById("sheet");

function refresh({ answer } = {}) {
  if (!answer?.saved_at) return;
  for (const node of document.querySelectorAll("[data-live]")) node.textContent = answer[node.dataset.live] ?? "";
  for (const node of document.querySelectorAll("[data-rail]")) node.textContent = answer.sections?.[node.dataset.rail] ?? node.textContent;
  for (const node of document.querySelectorAll("[data-problem-of]")) {
    const item = node.dataset.problemOf;
    const points = answer.points?.[item];
    // What was entered still lacks something, most often its reason: show where to write it.
    const remark = node.closest("[data-item]")?.querySelector("details.remark");
    if (remark && answer.problems?.[item] && answer.touched?.includes(item)) remark.open = true;
    node.textContent = answer.problems?.[item] ?? (points === undefined ? "" : document.documentElement.lang === "en" ? `${points} points` : `得 ${points} 分`);
  }
}

form?.addEventListener("autosave", (event) => refresh(event.detail));
// Enter must never submit: an input method uses it to choose a word.
form?.addEventListener("submit", (event) => event.preventDefault());
