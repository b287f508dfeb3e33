// The part of the map that is seen: its middle, and pixels for each of the map's units.

// Points farther out than this many times the spread of nearly all are left out of the first view.
const FAR = 1;
// Shares of the points that "nearly all" leaves out at each end, and the fewest of which that can be said.
const [TAIL, FEWEST] = [0.02, 10];
const MARGIN = 1.08;
const [SMALLEST, LARGEST] = [1 / 20, 1 << 16];

// Bounds of nearly all, beyond which a point is far out.
function bounds(values) {
  const sorted = Float32Array.from(values).sort();
  const last = sorted.length - 1;
  if (last + 1 < FEWEST) return [sorted[0], sorted[last]];
  const [low, high] = [sorted[Math.ceil(last * TAIL)], sorted[Math.floor(last * (1 - TAIL))]];
  if (low === high) return [sorted[0], sorted[last]];
  return [low - FAR * (high - low), high + FAR * (high - low)];
}

// A box around nothing.
const emptyBox = () => [Infinity, Infinity, -Infinity, -Infinity];

// The least box around some points.
function boxAround(x, y, some) {
  const box = emptyBox();
  for (const i of some) grow(box, x[i], y[i]);
  return box;
}

function grow(box, x, y) {
  box[0] = Math.min(box[0], x);
  box[1] = Math.min(box[1], y);
  box[2] = Math.max(box[2], x);
  box[3] = Math.max(box[3], y);
}

// The least box around all points, or around those that are not far out; and how many are.
function boxes(x, y) {
  const [[left, right], [bottom, top]] = [bounds(x), bounds(y)];
  const [all, near] = [emptyBox(), emptyBox()];
  let far = 0;
  for (let i = 0; i < x.length; i++) {
    grow(all, x[i], y[i]);
    if (x[i] < left || x[i] > right || y[i] < bottom || y[i] > top) far += 1;
    else grow(near, x[i], y[i]);
  }
  return { all, near, far };
}

class View {
  constructor(x, y) {
    Object.assign(this, boxes(x, y), { width: 1, height: 1, x: 0, y: 0, scale: 1, isHome: true });
  }

  resize(width, height) {
    Object.assign(this, { width, height });
    this.homeScale = this.fitting(this.near);
    if (this.isHome) this.home();
  }

  fitting([left, bottom, right, top]) {
    const units = Math.max((right - left) / this.width, (top - bottom) / this.height);
    return units > 0 ? 1 / (MARGIN * units) : 1;
  }

  home() {
    this.show(this.near);
    this.isHome = true;
  }

  show(box, scale = this.fitting(box)) {
    this.set((box[0] + box[2]) / 2, (box[1] + box[3]) / 2, scale);
  }

  set(x, y, scale) {
    const least = Math.min(this.homeScale * SMALLEST, this.fitting(this.all) / 2);
    this.scale = clamp(scale, least, this.homeScale * LARGEST);
    Object.assign(this, { x, y, isHome: false });
  }

  // Pixels from the upper left corner.
  toScreen(x, y) {
    return [(x - this.x) * this.scale + this.width / 2, (this.y - y) * this.scale + this.height / 2];
  }

  toMap(left, top) {
    return [this.x + (left - this.width / 2) / this.scale, this.y - (top - this.height / 2) / this.scale];
  }

  pan(right, down) {
    this.set(this.x - right / this.scale, this.y + down / this.scale, this.scale);
  }

  // What is at a place of the screen stays there.
  zoom(factor, left = this.width / 2, top = this.height / 2) {
    const [x, y] = this.toMap(left, top);
    this.set(this.x, this.y, this.scale * factor);
    const [nowX, nowY] = this.toMap(left, top);
    this.set(this.x + x - nowX, this.y + y - nowY, this.scale);
  }
}
