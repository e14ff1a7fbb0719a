// The pictures: asks for them, and shows them as they come. The latest state wins.

import { lines } from "./api.js";
import { button, el, fill } from "./dom.js";

const KEPT = 600, PATIENCE = 300;

export class Grid {
  constructor(place, store, { fail, choose, pin, scores }) {
    Object.assign(this, { place, store, fail, choose, pin, scores });
    this.page = crypto.getRandomValues(new Uint32Array(2)).join("-");
    this.number = 0;
    this.pictures = new Map(); // address of each picture by its key
    this.cells = new Map();
    this.layout = "";
    this.chosen = null;
    this.rows = [];
  }

  // One request at a time; while it is short, moves of a slider wait for its end.
  draw() {
    this.wanted = true;
    if (!this.busy || performance.now() - this.since > PATIENCE) this.send();
    else setTimeout(() => { if (this.wanted) this.send(); }, PATIENCE);
  }

  async send() {
    this.wanted = false;
    this.abort?.abort();
    const abort = this.abort = new AbortController();
    const number = ++this.number;
    this.busy = true;
    this.since = performance.now();
    document.body.dataset.drawing = "yes";
    try {
      const given = { state: this.store.state, page: this.page, number,
        have: [...this.pictures.keys()] };
      await lines("draw", given, abort.signal, (line) => this.hear(line, number));
      if (number === this.number) this.fail("");
    } catch (error) {
      if (error.name !== "AbortError" && number === this.number) this.fail(error.message);
    }
    if (number !== this.number) return;
    this.busy = false;
    if (this.wanted) this.send();
    else document.body.dataset.drawing = "no";
  }

  hear(line, number) {
    if (number !== this.number) return;
    if (line.columns) this.lay(line);
    else if (line.key) this.show(line);
  }

  lay({ columns, rows, groups }) {
    this.columns = columns;
    this.rows = rows.map((name, k) => ({ name, group: groups[k] }));
    const layout = JSON.stringify([columns, rows, groups]);
    if (layout === this.layout) return;
    this.layout = layout;
    this.cells.clear();
    const widest = rows.length > 3 ? 14 : columns.length > 3 ? 15 : 20;
    const sizes = { columns: columns.length, widest: `${widest}rem`, rows: Math.min(3, rows.length) };
    for (const [name, size] of Object.entries(sizes)) this.place.style.setProperty(`--${name}`, size);
    const parts = columns.map((name) => el("div", { class: "head", title: name }, name));
    this.rows.forEach((row, r) => {
      columns.forEach((_, c) => {
        const cell = this.cell(r, c, row);
        this.cells.set(`${r},${c}`, cell);
        parts.push(cell.whole);
      });
    });
    fill(this.place, ...parts);
  }

  cell(r, c, row) {
    const image = el("img", { alt: `${row.name}, ${this.columns[c]}`, draggable: false });
    const error = el("div", { class: "error", hidden: true });
    const box = el("div", { class: "box", hidden: true });
    const face = el("div", { class: "cell", tabIndex: 0, role: "button",
      "aria-label": `${row.name}, ${this.columns[c]}: look behind it` }, image, box, error);
    const scores = el("p", { class: "scores" });
    const name = c ? null : el("div", { class: "rowname" }, row.name,
      button("pin", () => this.pin(r, image.src), { title: "keep this latent for a film" }));
    regions(face, box, (region) => this.choose(r, c, region));
    const whole = el("div", {}, face, scores, name);
    return { whole, face, image, error, scores, box };
  }

  show(line) {
    const cell = this.cells.get(`${line.row},${line.column}`);
    if (!cell) return;
    cell.error.hidden = !line.error;
    cell.error.textContent = line.error || "";
    cell.image.hidden = Boolean(line.error);
    if (line.error) return;
    if (line.png) this.pictures.set(line.key, `data:image/png;base64,${line.png}`);
    const source = this.pictures.get(line.key);
    this.pictures.delete(line.key); // the last to be looked at are the last to go
    this.pictures.set(line.key, source);
    while (this.pictures.size > KEPT) this.pictures.delete(this.pictures.keys().next().value);
    if (source && cell.image.src !== source) cell.image.src = source;
    cell.told = line.scores;
    this.tellScores(cell);
  }

  tellScores(cell) {
    const told = cell.told || {};
    cell.scores.textContent = this.scores().filter((name) => name in told)
      .map((name) => `${name} ${told[name].toFixed(2)}`).join("  ");
  }

  retell() { for (const cell of this.cells.values()) this.tellScores(cell); }

  mark(r, c) {
    for (const [key, cell] of this.cells) {
      const chosen = key === `${r},${c}`;
      cell.face.classList.toggle("chosen", chosen);
      if (!chosen) cell.box.hidden = true;
    }
  }
}

// Drags out a region of a picture, or takes the surroundings of a click.
function regions(face, box, choose) {
  let start = null;
  const at = (event) => {
    const frame = face.getBoundingClientRect();
    const inside = (value) => Math.min(1, Math.max(0, value));
    return [inside((event.clientX - frame.left) / frame.width),
      inside((event.clientY - frame.top) / frame.height)];
  };
  const around = (one, other) => {
    const small = Math.hypot(one[0] - other[0], one[1] - other[1]) < 0.03;
    const reach = small ? 0.08 : 0;
    const low = (k) => Math.max(0, Math.min(one[k], other[k]) - reach);
    const high = (k) => Math.min(1, Math.max(one[k], other[k]) + reach);
    return [low(0), low(1), high(0), high(1)];
  };
  const show = ([left, top, right, bottom]) => {
    box.hidden = false;
    Object.assign(box.style, { left: `${left * 100}%`, top: `${top * 100}%`,
      width: `${(right - left) * 100}%`, height: `${(bottom - top) * 100}%` });
  };
  face.addEventListener("pointerdown", (event) => {
    start = at(event);
    face.setPointerCapture(event.pointerId);
  });
  face.addEventListener("pointermove", (event) => { if (start) show(around(start, at(event))); });
  face.addEventListener("pointerup", (event) => {
    if (!start) return;
    const region = around(start, at(event));
    start = null;
    show(region);
    choose(region);
  });
  face.addEventListener("pointercancel", () => { // a finger scrolls instead
    start = null;
    box.hidden = true;
  });
  face.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    show([0.3, 0.3, 0.7, 0.7]);
    choose([0.3, 0.3, 0.7, 0.7]);
  });
}
