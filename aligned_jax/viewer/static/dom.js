// Elements without markup: nothing that a network or a file is called is ever taken for HTML.

export function el(tag, options = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined || value === null) continue;
    if (key === "on") {
      for (const [event, listen] of Object.entries(value)) made.addEventListener(event, listen);
    } else if (key === "style") {
      Object.assign(made.style, value);
    } else if (key === "class") {
      made.className = value;
    } else if (key in made && key !== "list") {
      made[key] = value;
    } else {
      made.setAttribute(key, value);
    }
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function fill(place, ...children) {
  place.replaceChildren(...children.filter((child) => child !== null && child !== undefined));
}

let numbers = 0;

// A slider with its number: `change(value, done)` hears of every move, and when it ends.
export function slider(text, { value, min, max, step, disabled, change }) {
  const id = `field-${++numbers}`;
  const range = el("input", { type: "range", id, min, max, step, value, disabled });
  const number = el("input", { type: "number", step: "any", value, disabled,
    "aria-label": `${text}, as a number` });
  range.addEventListener("input", () => { number.value = range.value; change(+range.value, false); });
  range.addEventListener("change", () => change(+range.value, true));
  number.addEventListener("change", () => {
    if (number.value === "" || !Number.isFinite(+number.value)) number.value = range.value;
    range.value = number.value;
    change(+number.value, true);
  });
  const field = el("div", { class: "field" }, el("label", { htmlFor: id }, text), range, number);
  field.show = (now) => {
    if (document.activeElement !== range) range.value = now;
    if (document.activeElement !== number) number.value = +(+now).toFixed(4);
  };
  return field;
}

export function choice(text, options, value, change) {
  const id = `field-${++numbers}`;
  const select = el("select", { id, on: { change: () => change(select.value) } },
    ...options.map(([key, shown]) => el("option", { value: key }, shown)));
  select.value = value;
  const field = el("div", { class: "field" }, el("label", { htmlFor: id }, text), select);
  field.show = (now) => { select.value = now; };
  field.select = select;
  return field;
}

export function check(text, checked, change, title) {
  const box = el("input", { type: "checkbox", checked, on: { change: () => change(box.checked) } });
  const field = el("label", { class: "line", title }, box, text);
  field.show = (now) => { box.checked = now; };
  field.box = box;
  return field;
}

export function textField(text, value, change, options = {}) {
  const id = `field-${++numbers}`;
  const input = el("input", { type: "text", id, value, ...options,
    on: { change: () => change(input.value) } });
  const field = el("div", { class: "field" }, el("label", { htmlFor: id }, text), input);
  field.show = (now) => { if (document.activeElement !== input) input.value = now; };
  field.input = input;
  return field;
}

export function button(text, press, options = {}) {
  return el("button", { type: "button", ...options, on: { click: press } }, text);
}

// A bar for long work, with a button that stops it: `hear` is for `finished`.
export function workBar(stop) {
  let running = null;
  const bar = el("progress", { class: "grow", "aria-label": "progress" });
  const left = el("span", { class: "note" });
  const whole = el("div", { class: "line", hidden: true }, bar,
    button("stop", () => { if (running) stop(running); }), left);
  const hear = (status) => {
    running = status.task;
    whole.hidden = status.state !== "running";
    if (status.total) Object.assign(bar, { max: status.total, value: status.done });
    else bar.removeAttribute("value");
    const seconds = status.seconds_left;
    left.textContent = status.total ? `${status.done}/${status.total} ${status.note}` +
      (seconds ? `, ${seconds < 100 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`}` +
      " left" : "") : "";
  };
  return { whole, hear, end: () => { whole.hidden = true; } };
}

export function section(title, open, ...children) {
  return el("details", { open }, el("summary", {}, title), ...children);
}

export function download(name, blob) {
  const link = el("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

export function bytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
