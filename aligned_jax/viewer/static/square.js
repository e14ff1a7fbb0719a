// A square of a photograph, which may be turned: its numbers, and how it is painted.

const LEAST = 8, WIDEST = 2; // pixels; longer sides of the photograph

export class Square {
  // All in pixels of the photograph: the middle, the side; and the turn in degrees, clockwise.
  constructor(width, height) {
    Object.assign(this, { width, height });
    this.toMiddle();
  }

  toMiddle() {
    this.side = Math.min(this.width, this.height);
    Object.assign(this, { x: this.width / 2, y: this.height / 2, turn: 0 });
  }

  get most() { return WIDEST * Math.max(this.width, this.height); }

  copy() { return Object.assign(new Square(this.width, this.height), this); }

  // Its middle stays in the photograph; what lies beyond the edges goes on mirrored.
  alter(change) {
    Object.assign(this, change);
    const inside = (value, end) => Math.min(Math.max(value, 1), Math.max(1, end - 1));
    this.x = inside(this.x, this.width);
    this.y = inside(this.y, this.height);
    this.side = Math.min(Math.max(this.side, LEAST), this.most);
    this.turn = this.turn - 360 * Math.round(this.turn / 360);
  }

  // Upper left and right, lower right and left, as files of faces have them.
  corners() {
    const angle = this.turn * Math.PI / 180;
    const side = this.turn ? this.side : Math.round(this.side);
    const across = [side * Math.cos(angle), side * Math.sin(angle)];
    let left = this.x - (across[0] - across[1]) / 2, top = this.y - (across[1] + across[0]) / 2;
    if (!this.turn) [left, top] = [Math.round(left), Math.round(top)]; // divides no pixel
    const at = (a, b) => [left + a * across[0] - b * across[1], top + a * across[1] + b * across[0]]
      .map((value) => Math.round(value * 100) / 100);
    return [at(0, 0), at(1, 0), at(1, 1), at(0, 1)];
  }

  // Whether a point lies inside.
  holds(x, y) {
    const angle = this.turn * Math.PI / 180, dx = x - this.x, dy = y - this.y;
    const a = dx * Math.cos(angle) + dy * Math.sin(angle);
    const b = dy * Math.cos(angle) - dx * Math.sin(angle);
    return Math.max(Math.abs(a), Math.abs(b)) <= this.side / 2;
  }
}

function polygon(pen, corners) {
  pen.moveTo(...corners[0]);
  for (const corner of corners.slice(1)) pen.lineTo(...corner);
  pen.closePath();
}

// Paints a photograph with a square: `to` takes a point of the photograph to one of the canvas.
// `others` are corners of squares that were cut out before.
export function paint(canvas, image, square, { margin = 0, others = [], mean = null, share = 0,
  handles = false, ratio = 1 } = {}) {
  const pen = canvas.getContext("2d");
  const scale = canvas.width / (image.width + 2 * margin);
  const to = ([x, y]) => [(x + margin) * scale, (y + margin) * scale];
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(image, margin * scale, margin * scale, image.width * scale, image.height * scale);
  const corners = square.corners().map(to);
  if (mean && share) {
    const [o, a, , b] = corners;
    pen.save();
    pen.setTransform(a[0] - o[0], a[1] - o[1], b[0] - o[0], b[1] - o[1], ...o);
    pen.globalAlpha = share;
    pen.drawImage(mean, 0, 0, 1, 1);
    pen.restore();
  }
  pen.fillStyle = "rgb(0 0 0 / 50%)";
  pen.beginPath();
  pen.rect(0, 0, canvas.width, canvas.height);
  polygon(pen, corners);
  pen.fill("evenodd");
  const line = (points, colour, dashes) => {
    pen.setLineDash(dashes.map((one) => one * ratio));
    for (const [width, stroke] of [[4, "rgb(0 0 0 / 60%)"], [2, colour]]) {
      pen.lineWidth = width * ratio;
      pen.strokeStyle = stroke;
      pen.beginPath();
      polygon(pen, points);
      pen.stroke();
    }
    pen.setLineDash([]);
  };
  for (const one of others) line(one.map(to), "#9ecbff", [5, 4]);
  line(corners, "#fff", []);
  if (!handles) return;
  const knob = knobOf(corners, ratio);
  pen.beginPath();
  pen.moveTo((corners[0][0] + corners[1][0]) / 2, (corners[0][1] + corners[1][1]) / 2);
  pen.lineTo(...knob);
  pen.stroke();
  for (const [x, y] of [...corners, knob]) {
    pen.beginPath();
    pen.arc(x, y, 7 * ratio, 0, 2 * Math.PI);
    pen.fillStyle = "#fff";
    pen.fill();
    pen.strokeStyle = "#000";
    pen.lineWidth = ratio;
    pen.stroke();
  }
}

// Where the knob is that turns a square, from its corners on the canvas: above its upper side.
export function knobOf(corners, ratio) {
  const [left, right, , below] = corners;
  const side = Math.hypot(below[0] - left[0], below[1] - left[1]) || 1;
  const up = [(left[0] - below[0]) / side, (left[1] - below[1]) / side];
  return [0, 1].map((k) => (left[k] + right[k]) / 2 + 26 * ratio * up[k]);
}

// What is cut out, as far as the photograph reaches.
export function paintCut(canvas, image, square) {
  const pen = canvas.getContext("2d"), [o, a, , b] = square.corners();
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.fillStyle = "#888";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  const side = (a[0] - o[0]) ** 2 + (a[1] - o[1]) ** 2, size = canvas.width;
  const [ax, ay] = [size * (a[0] - o[0]) / side, size * (a[1] - o[1]) / side];
  const [bx, by] = [size * (b[0] - o[0]) / side, size * (b[1] - o[1]) / side];
  pen.setTransform(ax, bx, ay, by, -(o[0] * ax + o[1] * ay), -(o[0] * bx + o[1] * by));
  pen.imageSmoothingQuality = "high";
  pen.drawImage(image, 0, 0);
}
