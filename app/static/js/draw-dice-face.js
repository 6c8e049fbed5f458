// How a die looks, on the pad and on the wall.

import { element } from "./page.js";

const FACES = { 1: [4], 2: [0, 8], 3: [0, 4, 8], 4: [0, 2, 6, 8], 5: [0, 2, 4, 6, 8], 6: [0, 2, 3, 5, 6, 8] };

/** A die face: pips in a three by three grid, and its number for screen readers. */
export function face(value) {
  const box = element("span", { class: "die", "aria-hidden": "true" });
  for (let i = 0; i < 9; i += 1) box.append(element("i", { class: FACES[value]?.includes(i) ? "pip" : "" }));
  return box;
}
