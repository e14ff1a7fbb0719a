// The stack of edits: directions, style channels, words.

import { ask, finished, stop } from "./api.js";
import { button, check, el, fill, section, slider, textField, workBar } from "./dom.js";
import { moves } from "./moves.js";
import { parseRows } from "./store.js";

export function edits(store, info, fail) {
  const names = el("datalist", { id: "names" });
  const search = el("input", { type: "text", list: "names", spellcheck: false, class: "grow",
    placeholder: ["5_23", ...Object.keys(info.directions)
      .sort((one, other) => one.length - other.length).slice(0, 1)].join(", "), "aria-label": "add a channel or direction" });
  search.setAttribute("list", "names");
  const add = (name) => {
    const usual = /_\d+$/.test(name) ? 6 : 3;
    store.change((state) => state.edits.push({ name, by: usual, layers: null, on: true }));
  };
  // What is not known does not come on the stack, where it would stop all drawing.
  const take = async () => {
    const text = search.value.trim();
    if (!text) return;
    try {
      const { exact } = await ask(`edits?q=${encodeURIComponent(text)}`);
      const known = ["5_23", ...Object.keys(info.directions)].join(", ");
      if (!exact) throw new Error(`there is no edit “${text}”; channels and directions are ` +
        `called like ${known}`);
      fail("");
      search.value = "";
      add(exact);
    } catch (error) {
      fail(error.message);
    }
  };
  let asked = 0;
  search.addEventListener("input", async () => {
    const number = ++asked;
    try {
      const found = await ask(`edits?q=${encodeURIComponent(search.value)}`);
      if (number === asked) fill(names, ...found.names.map((name) => el("option", { value: name })));
    } catch (error) {
      fail(error.message);
    }
  });
  search.addEventListener("keydown", (event) => { if (event.key === "Enter") take(); });
  fill(names, ...Object.keys(info.directions).map((name) => el("option", { value: name })));
  const stack = el("div");
  const shown = section("Edits", true,
    el("div", { class: "line" }, search, names, button("add", take)),
    info.words ? words(add, () => store.state.label, fail) : null, stack);
  let built = "";
  let fields = [];
  return {
    shown,
    add,
    show() {
      const list = store.state.edits || [];
      const layout = JSON.stringify(list.map((edit) => edit.name));
      if (layout !== built) {
        built = layout;
        fields = list.map((edit, k) => editField(store, info, edit.name, k, fail));
        fill(stack, ...fields.map((field) => field.whole));
      }
      fields.forEach((field, k) => field.show(list[k]));
    },
  };
}

function editField(store, info, name, k, fail) {
  const set = (key) => (value, done) =>
    store.change((state) => { state.edits[k][key] = value; }, done !== false);
  const on = check("", true, set("on"), "whether it counts");
  on.box.setAttribute("aria-label", `${name} counts`);
  const by = slider("sigmas", { value: 0, min: -12, max: 12, step: 0.1, change: set("by") });
  const layers = textField("layers", "", (text) => {
    const rows = parseRows(text);
    if (text.trim() === "" || rows?.length) set("layers")(rows);
  }, { placeholder: "its own, or 0-6", spellcheck: false });
  const remove = button("×", () => store.change((state) => state.edits.splice(k, 1)),
    { title: "take it off", "aria-label": `take ${name} off` });
  const moved = info.scores.length ? moves(store, info, k, fail) : null;
  const whole = el("div", { class: "edit" },
    el("div", { class: "line" }, on, el("b", { class: "grow", title: name }, name), remove),
    by, layers, moved?.whole);
  return {
    whole,
    show(edit) {
      on.show(edit.on !== false);
      by.show(edit.by);
      layers.show((edit.layers || []).join(","));
      moved?.show();
    },
  };
}

function words(add, label, fail) {
  const target = el("input", { type: "text", placeholder: "a face with glasses",
    "aria-label": "wanted text" });
  const neutral = el("input", { type: "text", placeholder: "a face", "aria-label": "of which" });
  const note = el("p", { class: "note" });
  const work = workBar(stop);
  const find = button("find", async () => {
    find.disabled = true;
    try {
      const task = await ask("words", { target: target.value, neutral: neutral.value,
        label: label() });
      const result = await finished(task, work.hear);
      note.textContent = result.summary;
      add(result.edit);
    } catch (error) {
      note.textContent = "";
      fail(error.message);
    }
    work.end();
    find.disabled = false;
  });
  return el("details", {}, el("summary", {}, "by words"), target,
    el("div", { class: "line" }, neutral, find), work.whole, note);
}
