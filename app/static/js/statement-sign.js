// A signature on the page: strokes of [x, y, ms], put into the form when it is sent. A name can be typed instead.

import SignaturePad from "../vendor/signature_pad.js";

for (const form of document.querySelectorAll("form[data-sign]")) {
  const canvas = form.querySelector("canvas");
  const field = form.querySelector("[name=signature]");
  const pad = new SignaturePad(canvas, { penColor: "#000", backgroundColor: "#fff" });

  const fit = () => {
    const strokes = pad.toData();
    const ratio = Math.max(window.devicePixelRatio || 1, 1);
    canvas.width = canvas.offsetWidth * ratio;
    canvas.height = canvas.offsetHeight * ratio;
    canvas.getContext("2d").scale(ratio, ratio);
    pad.clear();
    pad.fromData(strokes);
  };
  fit();
  window.addEventListener("resize", fit);
  form.closest("details")?.addEventListener("toggle", fit);
  form.querySelector("[data-clear]").addEventListener("click", () => pad.clear());
  form.addEventListener("submit", () => {
    const groups = pad.toData();
    const began = groups[0]?.points[0]?.time ?? 0;
    field.value = groups.length
      ? JSON.stringify(groups.map((group) => group.points.map((p) => [Math.round(p.x), Math.round(p.y), Math.round(p.time - began)])))
      : "";
  });
}
