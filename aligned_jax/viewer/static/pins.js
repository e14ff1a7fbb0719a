// Pinned latents, and films between them.

import { ask, filmed, stop } from "./api.js";
import {
  bytes, button, check, choice, download, el, fill, section, slider, workBar,
} from "./dom.js";

const faces = new Map(); // small pictures of pins, as far as this page has seen them

export function pins(store, info, fail) {
  const list = el("div", { class: "pins" });
  const columns = info.columns.map((name, k) => [k, name]);
  const first = choice("from", columns, 0, () => {});
  const last = choice("to", columns, 0, () => {});
  const frames = slider("frames", { value: 24, min: 2, max: 120, step: 1, change: () => {} });
  const loop = check("back to the first pin", true, () => {});
  const work = workBar(stop);
  const film = el("img", { class: "film", hidden: true, alt: "film between pins" });
  const line = el("pre", { hidden: true });
  const saves = el("div", { class: "line" });
  const make = button("make a film", async () => {
    make.disabled = true;
    try {
      const task = await ask("film", { pins: store.pins.map((pin) => pin.state),
        first: +first.select.value, last: +last.select.value, loop: loop.box.checked,
        frames: Math.round(+frames.querySelector("input").value) });
      const { blob, result } = await filmed(task, work.hear, film);
      line.textContent = result.command;
      line.hidden = !result.command;
      fill(saves, button("save film.webp", () => download("film.webp", blob)),
        button("save pins.npz", () => download("pins.npz", new Blob([bytes(result.pins)]))));
    } catch (error) {
      fail(error.message);
    }
    work.end();
    show();
  });

  function show() {
    make.disabled = store.pins.length < 2;
    fill(list, ...store.pins.map((pin, k) => el("figure", {},
      el("img", { src: faces.get(JSON.stringify(pin.state)) || "static/icon.svg", alt: pin.name,
        title: "show it", on: { click: () => store.change((state) => {
          Object.assign(state, { seeds: [], pad: null, pictures: [] }, pin.state);
        }) } }),
      el("figcaption", {}, pin.name),
      button("×", () => store.change((state, all) => all.pins.splice(k, 1)),
        { "aria-label": `drop ${pin.name}` }))));
  }

  return {
    shown: section("Pins and films", false, el("p", { class: "note" },
      "“pin” below a picture keeps its latent; a film goes from pin to pin."), list,
    first, last, frames, loop, el("div", { class: "line" }, make), work.whole, film, line, saves),
    show,
    // Keeps the latent of a row.
    pin(row, grid, picture) {
      const state = store.state, { group, name } = grid.rows[row];
      const common = { psi: state.psi, label: state.label };
      let kept = { ...common, seeds: [] };
      if (group === "seeds") kept.seeds = [state.seeds[row]];
      else if (group === "pad") kept.pad = state.pad;
      else kept.pictures = [group.replace("picture-", "")];
      faces.set(JSON.stringify(kept), picture);
      store.change((_, all) => { all.pins.push({ name, state: kept }); });
    },
  };
}
