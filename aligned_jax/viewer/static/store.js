// The state of the page, its history, and its address.

const usual = { seeds: [0, 1, 2], psi: 0.7, label: null, noise: "const", noise_seed: 0, pad: null,
  pictures: [], blend: null, edits: [], paste: null };
const MOST = 200;
const copy = (value) => JSON.parse(JSON.stringify(value));
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

export class Store {
  constructor() {
    this.listeners = [];
    this.beginning = { state: copy(usual), pins: [] };
    this.now = copy(this.beginning);
    this.past = [];
    this.future = [];
  }

  get state() { return this.now.state; }
  get pins() { return this.now.pins; }

  listen(listener) { this.listeners.push(listener); }
  tell() { for (const listener of this.listeners) listener(); }

  // `alter` changes a copy; a change that is not `done`, as of a moving slider, has no step back.
  change(alter, done = true) {
    const next = copy(this.now);
    alter(next.state, next);
    this.settled ??= copy(this.now);
    this.now = next;
    if (done) this.settle();
    this.tell();
  }

  settle() {
    const before = this.settled;
    this.settled = null;
    if (!before || same(before, this.now)) return;
    this.past.push(before);
    if (this.past.length > MOST) this.past.shift();
    this.future = [];
    this.remember();
  }

  undo() { this.step(this.past, this.future); }
  redo() { this.step(this.future, this.past); }

  step(from, to) {
    this.settle();
    if (!from.length) return;
    to.push(this.now);
    this.now = from.pop();
    this.remember();
    this.tell();
  }

  reset() {
    const pins = this.pins;
    this.change((state, all) => Object.assign(all, { state: copy(this.beginning.state), pins }));
  }

  remember() { history.replaceState(null, "", `#${this.address()}`); }

  address() {
    const words = new URLSearchParams();
    for (const [key, value] of Object.entries(this.state)) {
      if (same(value, this.beginning.state[key])) continue;
      words.set(key, key === "seeds" ? value.join(",") : JSON.stringify(value));
    }
    if (this.pins.length) words.set("pins", JSON.stringify(this.pins));
    return words.toString();
  }

  // Takes over an address; what it says is checked by the server.
  read(hash) {
    const words = new URLSearchParams(hash.replace(/^#/, ""));
    const next = copy(this.beginning);
    for (const [key, text] of words) {
      let value;
      try {
        value = key === "seeds" ? text.split(",").filter(Boolean).map(Number) : JSON.parse(text);
      } catch {
        value = text;
      }
      if (key === "pins") next.pins = Array.isArray(value) ? value : [];
      else next.state[key] = value;
    }
    this.now = next;
  }
}

export function parseSeeds(text) {
  const seeds = [];
  for (const part of text.split(",").map((one) => one.trim()).filter(Boolean)) {
    const match = /^(\d+)(?:\s*-\s*(\d+))?$/.exec(part);
    if (!match) return null;
    const first = +match[1], last = +(match[2] ?? match[1]);
    if (last < first || last - first > 100) return null;
    for (let seed = first; seed <= last; seed++) seeds.push(seed);
  }
  return seeds;
}

export function parseRows(text) {
  return text.trim() === "" ? null : parseSeeds(text);
}
