// Photographs with the faces of the page back in their places.

import { file } from "./api.js";
import { button, choice, download, el, fill, slider } from "./dom.js";

const WAIT = 250, MOST = 1400; // milliseconds; pixels of what is shown

export function photo(place, store, info, fail) {
  const image = el("img", { class: "photo", alt: "the photograph with the new face", hidden: true });
  const note = el("p", { class: "note" });
  const which = choice("photograph", [], "", () => later());
  const column = choice("drawn by", [], "", () => later());
  const feather = slider("feather", { value: 0.1, min: 0, max: 0.5, step: 0.01,
    change: (value, done) => store.change((state) => {
      state.paste = { feather: Math.min(0.5, Math.max(0, value)) };
    }, done) });
  let number = 0, waiting = 0, asked = "";
  const given = () => ({ state: store.state, photograph: which.select.value,
    column: +column.select.value });
  const save = (path, question) => async () => {
    try {
      const { name, blob } = await file(path, question());
      download(name, blob);
    } catch (error) {
      fail(error.message);
    }
  };
  fill(place, el("h2", {}, "Back in the photograph"), el("div", { class: "sliders" }, which, column,
    feather), image, note, el("div", { class: "line" },
  button("save the photograph", save("photograph", given), { title: "of its own size, as PNG" }),
  button("save faces.json", save("save", () => ({ state: store.state, what: "faces" })),
    { title: "where the faces are, for --align" })));

  function options(field, pairs) {
    const before = field.select.value;
    if (JSON.stringify(pairs) === field.dataset.pairs) return;
    field.dataset.pairs = JSON.stringify(pairs);
    fill(field.select, ...pairs.map(([key, said]) => el("option", { value: key }, said)));
    if (pairs.some(([key]) => key === before)) field.select.value = before;
  }

  function later() {
    clearTimeout(waiting);
    waiting = setTimeout(draw, WAIT);
  }

  async function draw() {
    const question = { ...given(), most: MOST }, words = JSON.stringify(question);
    if (place.hidden || words === asked) return;
    const mine = ++number;
    try {
      const { blob } = await file("photograph", question);
      if (mine !== number) return;
      asked = words;
      URL.revokeObjectURL(image.src);
      image.src = URL.createObjectURL(blob);
      note.textContent = "";
    } catch (error) {
      if (mine !== number) return;
      note.textContent = error.message;
    }
    image.hidden = Boolean(note.textContent);
  }

  function show() {
    const { paste, pictures, blend } = store.state;
    const names = [...new Set((pictures || []).map((one) => info.photographs[one]).filter(Boolean))];
    place.hidden = !paste || !names.length;
    if (place.hidden) return;
    options(which, names.map((name) => [name, name]));
    options(column, [...info.columns, ...(blend ? ["blend"] : [])].map((name, k) => [`${k}`, name]));
    feather.show(paste.feather ?? 0.1);
    later();
  }

  return { show };
}
