// A dialog in which a square is laid over a face, with the mean picture of the network inside it.

import { button, el, slider } from "./dom.js";
import { Square, knobOf, paint } from "./square.js";

const REACH = 18, MARGIN = 40; // pixels of the screen around a handle, and around the photograph
const HELP = "Click a face, and drag the square: its corners size it, the knob turns it; two fingers "
  + "do both. Lay the eyes of the mean picture over those of the photograph. Keys: arrows, + and -, "
  + "[ and ]; with Shift finely.";

// place(image, square, others) -> a promise of the square that was taken, or null.
export function placing(mean) {
  const canvas = el("canvas", { class: "placing", tabIndex: 0,
    "aria-label": "the square on the photograph; arrows move it, plus and minus size it, "
      + "square brackets turn it" });
  let image = null, square = null, others = [], answer = null, held = null;
  let scale = 1, margin = 0, ratio = 1;
  const touching = new Map();
  const alter = (change) => { square.alter(change); show(); };
  const side = slider("width", { value: 1, min: 8, max: 9, step: 1,
    change: (value) => alter({ side: value }) });
  const turn = slider("turn", { value: 0, min: -180, max: 180, step: 0.5,
    change: (value) => alter({ turn: value }) });
  const over = slider("mean picture", { value: 0.5, min: 0, max: 1, step: 0.05, change: () => show() });
  const end = (taken) => {
    answer?.(taken);
    answer = null;
    dialog.close();
  };
  const dialog = el("dialog", { class: "place", "aria-label": "place the square",
    on: { cancel: () => end(null) } },
  canvas, el("p", { class: "note" }, HELP), el("div", { class: "sliders" }, side, turn, over),
  el("div", { class: "line" }, button("take this square", () => end(square), { class: "main" }),
    button("middle square", () => { square.toMiddle(); show(); }),
    button("upright", () => alter({ turn: 0 })), button("cancel", () => end(null))));
  document.body.append(dialog);

  function fit() {
    if (!image || !dialog.open) return;
    ratio = Math.min(2, devicePixelRatio || 1);
    const style = getComputedStyle(dialog);
    const room = dialog.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    scale = Math.min((room - 2 * MARGIN) / image.width,
      (0.58 * innerHeight - 2 * MARGIN) / image.height);
    margin = MARGIN / scale;
    canvas.width = Math.round((image.width * scale + 2 * MARGIN) * ratio);
    canvas.height = Math.round((image.height * scale + 2 * MARGIN) * ratio);
    canvas.style.width = `${canvas.width / ratio}px`;
    show();
  }
  addEventListener("resize", fit);

  function show() {
    side.show(square.side);
    turn.show(square.turn);
    paint(canvas, image, square, { margin, others, handles: true, ratio, mean: mean(),
      share: +over.querySelector("input").value });
  }

  // A place on the screen as one of the photograph.
  const at = (event) => {
    const frame = canvas.getBoundingClientRect();
    return [(event.clientX - frame.left) / scale - margin, (event.clientY - frame.top) / scale - margin];
  };
  const angle = ([x, y], [u, v]) => Math.atan2(y - v, x - u) * 180 / Math.PI;

  function handle([x, y]) {
    const corners = square.corners(), near = ([u, v]) => Math.hypot(x - u, y - v) * scale < REACH;
    const knob = knobOf(corners.map(([u, v]) => [u * scale, v * scale]), 1).map((u) => u / scale);
    if (near(knob)) return "turn";
    return corners.some(near) ? "side" : "move";
  }

  canvas.addEventListener("pointerdown", (event) => {
    const point = at(event);
    touching.set(event.pointerId, point);
    canvas.setPointerCapture(event.pointerId);
    held = touching.size > 1 ? "pinch" : handle(point);
    if (held === "move" && !square.holds(...point)) alter({ x: point[0], y: point[1] });
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = touching.get(event.pointerId), now = at(event);
    if (!before) return;
    const other = [...touching].find(([id]) => id !== event.pointerId)?.[1];
    touching.set(event.pointerId, now);
    const middle = [square.x, square.y];
    if (held === "pinch" && other) pinch(before, now, other);
    else if (held === "move") alter({ x: middle[0] + now[0] - before[0], y: middle[1] + now[1] - before[1] });
    else if (held === "side") {
      alter({ side: Math.SQRT2 * Math.hypot(now[0] - middle[0], now[1] - middle[1]) });
    } else if (held === "turn") {
      const turned = angle(now, middle) + 90;
      alter({ turn: Math.abs(turned) < 2 ? 0 : Math.round(2 * turned) / 2 });
    }
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, (event) => {
      touching.delete(event.pointerId);
      held = touching.size ? "move" : null;
    });
  }

  // What one of two fingers has done, with the other one still.
  function pinch(before, now, other) {
    const size = (point) => Math.max(1e-6, Math.hypot(point[0] - other[0], point[1] - other[1]));
    const grown = size(now) / size(before), turned = angle(now, other) - angle(before, other);
    const radians = turned * Math.PI / 180, [dx, dy] = [square.x - other[0], square.y - other[1]];
    alter({ side: square.side * grown, turn: square.turn + turned,
      x: other[0] + grown * (dx * Math.cos(radians) - dy * Math.sin(radians)),
      y: other[1] + grown * (dx * Math.sin(radians) + dy * Math.cos(radians)) });
  }

  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const amount = event.deltaY || event.deltaX;
    if (event.shiftKey) alter({ turn: square.turn + Math.sign(amount) });
    else alter({ side: square.side * Math.exp(-amount / 1000) });
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const fine = event.shiftKey, step = fine ? 1 : Math.max(1, square.side * 0.02);
    const grow = fine ? 1 + 2 / square.side : 1.03, degrees = fine ? 0.5 : 2;
    const does = { ArrowLeft: { x: square.x - step }, ArrowRight: { x: square.x + step },
      ArrowUp: { y: square.y - step }, ArrowDown: { y: square.y + step },
      "+": { side: square.side * grow }, "=": { side: square.side * grow },
      "*": { side: square.side * grow }, "-": { side: square.side / grow },
      _: { side: square.side / grow }, "[": { turn: square.turn - degrees },
      "{": { turn: square.turn - degrees }, "]": { turn: square.turn + degrees },
      "}": { turn: square.turn + degrees } }[event.key];
    if (!does && event.key !== "Enter") return;
    event.preventDefault(); // or the button that has the focus next would be pressed by this Enter
    if (does) alter(does);
    else end(square);
  });

  return (picture, from, cut) => new Promise((resolve) => {
    [image, others, answer] = [picture, cut, resolve];
    square = from ? from.copy() : new Square(picture.width, picture.height);
    const range = side.querySelector("input");
    [range.min, range.max] = [8, square.most];
    over.hidden = !mean();
    dialog.showModal();
    fit();
    canvas.focus();
  });
}
