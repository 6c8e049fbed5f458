// Forms of many lines (data-lines): the button says how many lines are filled in or ticked, and one button ticks them all.

const FIELDS = "input:not([type=hidden]), select, textarea";

const holds = (field) => (field.type === "checkbox" || field.type === "radio" ? field.checked && field.value !== "" : field.value.trim() !== "");

function watch(form) {
  const button = form.querySelector("[data-some]");
  const all = form.querySelector("[data-tick-all]");
  const plain = button.textContent;
  const boxes = () => [...form.querySelectorAll("input[name=tick]")];

  const count = () => {
    const n = [...form.querySelectorAll("[data-line]")].filter((line) => [...line.querySelectorAll(FIELDS)].some(holds)).length;
    button.textContent = n ? button.dataset.some.replace("#", n) : plain;
    if (all) all.textContent = boxes().every((box) => box.checked) ? all.dataset.none : all.dataset.tickAll;
  };

  all?.addEventListener("click", () => {
    const on = !boxes().every((box) => box.checked);
    for (const box of boxes()) box.checked = on;
    count();
  });
  if (all) all.hidden = false;
  form.addEventListener("input", count);
  form.addEventListener("change", count);
  form.addEventListener("reset", () => setTimeout(count));
  window.addEventListener("pageshow", count); // what the browser or data-keep put back is counted too
  count();
}

for (const form of document.querySelectorAll("form[data-lines]")) if (form.querySelector("[data-some]")) watch(form);
