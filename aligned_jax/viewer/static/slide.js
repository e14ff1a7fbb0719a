// A film of all that is shown, while one slider moves there and back.

import { ask, filmed, stop } from "./api.js";
import { button, check, choice, download, el, fill, section, slider, workBar } from "./dom.js";

// Sliders of a state, each with what it is called and where a film of it begins and ends.
function sliders({ pad, blend, edits }, truncates) {
  const found = truncates ? [["psi", "psi", 0, 1]] : [];
  if (pad) found.push(["pad.x", "pad, across", 0, 1], ["pad.y", "pad, down", 0, 1]);
  if (blend) {
    found.push(["blend.t2", "t2 weights", 0, 1]);
    if (blend.t1 !== undefined && blend.t1 !== null) found.push(["blend.t1", "t1 latents", 0, 1]);
    if (blend.swap) found.push(["blend.smooth", "smoothness", 0.05, 4]);
  }
  edits.forEach((edit, k) => {
    if (edit.on !== false) found.push([`edits.${k}.by`, edit.name, -5, 5]);
  });
  return found;
}

export function slide(store, info, fail) {
  let found = [];
  const number = (label) => {
    const box = el("input", { type: "number", step: "any" });
    return { box, shown: el("label", {}, label, " ", box) };
  };
  const start = number("begins at"), end = number("ends at");
  const which = choice("slider", [["", "none"]], "", () => limits());
  const frames = slider("pictures one way", { value: 24, min: 2, max: 120, step: 1, change: () => {} });
  const back = check("and back", true, () => {});
  const work = workBar(stop);
  const film = el("img", { class: "slid", hidden: true, alt: "film of a slider" });
  const saves = el("div", { class: "line" });
  const make = button("film it", async () => {
    make.disabled = true;
    try {
      const task = await ask("slide", { state: store.state, slider: which.select.value,
        start: +start.box.value, end: +end.box.value, back: back.box.checked,
        frames: Math.round(+frames.querySelector("input").value) });
      const { blob } = await filmed(task, work.hear, film);
      fill(saves, button("save slider.webp", () => download("slider.webp", blob)));
    } catch (error) {
      fail(error.message);
    }
    work.end();
    show();
  });

  function limits() {
    const chosen = found.find(([name]) => name === which.select.value);
    if (chosen) [start.box.value, end.box.value] = chosen.slice(2);
  }

  function show() {
    const before = which.select.value;
    const next = sliders(store.state, info.truncates);
    if (JSON.stringify(next) !== JSON.stringify(found)) {
      found = next;
      fill(which.select, ...found.map(([name, said]) => el("option", { value: name }, said)));
      if (found.some(([name]) => name === before)) which.select.value = before;
      else limits();
    }
    make.disabled = !found.length;
  }

  return {
    shown: section("Film of a slider", false, el("p", { class: "note" },
      "everything that is shown, while one slider moves; edits and the blend count."),
    which, el("div", { class: "pair" }, start.shown, end.shown), frames, back, el("div", { class: "line" }, make), work.whole,
    film, saves),
    show,
  };
}
