// Puts the page together.

import { ask } from "./api.js";
import { Behind } from "./behind.js";
import { blend } from "./blend.js";
import { el, fill, section } from "./dom.js";
import { edits } from "./edits.js";
import { Grid } from "./grid.js";
import { latents } from "./latents.js";
import { photo } from "./photo.js";
import { pins } from "./pins.js";
import { share } from "./share.js";
import { slide } from "./slide.js";
import { Store } from "./store.js";
import { uploads } from "./uploads.js";

const place = (id) => document.getElementById(id);
const SHOWN = 4;

function fail(sentence) {
  place("message").textContent = sentence;
  place("message").hidden = !sentence;
}

// Which scores of readers stand beside the pictures.
function scoreBoxes(info, retell) {
  const chosen = new Set(info.scores.slice(0, SHOWN));
  const boxes = info.scores.map((name) => el("label", {}, el("input", { type: "checkbox",
    checked: chosen.has(name), on: { change: (event) => {
      if (event.target.checked) chosen.add(name);
      else chosen.delete(name);
      retell();
    } } }), name));
  const shown = section("Scores", false, el("div", { class: "checks" }, ...boxes));
  return { shown, chosen: () => info.scores.filter((name) => chosen.has(name)), show() {} };
}

async function begin() {
  const info = await ask("info");
  document.title = `${info.columns.join(", ")} – aligned view`;
  const store = new Store();
  if (info.labels) store.beginning.state.label = 0;
  if (!info.truncates) store.beginning.state.psi = 1;
  store.read(location.hash);
  const scores = scoreBoxes(info, () => grid.retell());
  const stack = edits(store, info, fail);
  const kept = pins(store, info, fail);
  const behind = new Behind(place("inspector"), store, info, { fail, add: stack.add });
  const grid = new Grid(place("grid"), store, { fail, scores: scores.chosen,
    choose(row, column, box) {
      grid.mark(row, column);
      behind.look(row, column, box, `${grid.rows[row].name}, ${grid.columns[column]}`);
    },
    pin: (row, picture) => kept.pin(row, grid, picture) });
  const told = share(place("share"), store, fail);
  const parts = [latents(store, info, fail), stack, blend(store, info), uploads(store, info, fail),
    kept, slide(store, info, fail), info.scores.length ? scores : null].filter(Boolean);
  fill(place("sections"), ...parts.map((part) => part.shown));
  parts.push(photo(place("photo"), store, info, fail));
  let later = 0;
  const show = () => {
    for (const part of parts) part.show();
    place("undo").disabled = !store.past.length;
    place("redo").disabled = !store.future.length;
    grid.draw();
    clearTimeout(later);
    later = setTimeout(() => told.show(), 150);
  };
  store.listen(show);
  place("undo").addEventListener("click", () => store.undo());
  place("redo").addEventListener("click", () => store.redo());
  place("reset").addEventListener("click", () => store.reset());
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.target.matches("input[type=text]")) return;
    const key = event.key.toLowerCase();
    if (key !== "z" && key !== "y") return;
    event.preventDefault();
    if (key === "y" || event.shiftKey) store.redo();
    else store.undo();
  });
  addEventListener("hashchange", () => {
    store.read(location.hash);
    show();
  });
  show();
}

begin().catch((error) => fail(error.message));
