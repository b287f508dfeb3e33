// Which images are shown as pictures: at each level of zoom as many as do not overlap. What was shown stays
// when one comes nearer, so that pictures only grow and others come between them.

// Levels in which the scale doubles.
const LEVELS = 2;
// How much faster the map grows than its pictures.
const GROWTH = 4;
const DEEPEST = 2 * 16;
// Distance of points, in sides of a picture, from which on pictures are shown.
const BEGIN = 1 / 3;
// Cells of the map along a side, at most, by which it is known how much of it is covered; of few points fewer.
const CELLS = 64;

// Levels between a beginning and a scale; below 0 there are no pictures. `size` is a picture's width and height
// at level 0, in pixels, `base` that level's scale.
class Levels {
  constructor(size, base) {
    Object.assign(this, { size, base });
  }

  levelAt(scale) {
    return Math.min(DEEPEST, LEVELS * Math.log2(scale / this.base));
  }

  sizeAt(level) {
    const factor = 2 ** (level / LEVELS / GROWTH);
    return this.size.map((side) => side * factor);
  }
}

// Levels that are known, as a folder says them: images by their ranks, which run through the levels, and in each
// along a curve, so that those of an atlas lie beside each other.
class KnownSpread extends Levels {
  constructor(x, y, { ranks, levels, distance, perAtlas }, size) {
    super(size, (BEGIN * Math.max(...size)) / distance);
    const order = new Uint32Array(ranks.length);
    ranks.forEach((rank, i) => (order[rank] = i));
    this.runs = [];
    let first = 0;
    levels.forEach((count, level) => {
      const end = first + count;
      while (first < end) {
        const last = Math.min(end, first - (first % perAtlas) + perAtlas);
        const images = order.subarray(first, last);
        this.runs.push({ level, images, box: boxAround(x, y, images) });
        first = last;
      }
    });
  }

  // Calls `show(i, growth)` for each picture at a scale that may lie in a box.
  forEach(scale, show, [left, bottom, right, top]) {
    const level = this.levelAt(scale);
    for (const run of this.runs) {
      if (run.level > level) return;
      const [west, south, east, north] = run.box;
      if (west > right || east < left || south > top || north < bottom) continue;
      for (const i of run.images) show(i, Math.min(1, level - run.level));
    }
  }
}

class Spread extends Levels {
  // `order` are the images that may be shown, the first before the others.
  constructor(x, y, order, size, box) {
    super(size, 0);
    Object.assign(this, { x, y });
    this.base = this.beginning(order, box);
    this.shown = [];
    this.level = [];
    this.waiting = order;
    this.next = 0;
  }

  // Pixels for a unit at which the points that lie close are as far apart as pictures want to be.
  beginning(order, [left, bottom, right, top]) {
    const [width, height] = [right - left || 1, top - bottom || 1];
    const cells = clamp(Math.round(Math.sqrt(order.length) / 2), 1, CELLS);
    const filled = new Set();
    for (const i of order) {
      const [across, up] = [(this.x[i] - left) / width, (this.y[i] - bottom) / height];
      filled.add(Math.floor(clamp(across, 0, 0.999) * cells) * cells + Math.floor(clamp(up, 0, 0.999) * cells));
    }
    const covered = (filled.size * width * height) / cells ** 2;
    return (BEGIN * Math.max(...this.size)) / Math.sqrt(covered / Math.max(1, order.length));
  }

  // Calls `show(i, growth)` for each picture at a scale; growth is 0 where it begins, and 1 from the next level on.
  forEach(scale, show) {
    const level = this.levelAt(scale);
    while (this.next <= level) this.add(this.next++);
    for (let k = 0; k < this.shown.length && this.level[k] <= level; k++) {
      show(this.shown[k], Math.min(1, level - this.level[k]));
    }
  }

  // Of those that wait, in their order, all that lie on none that is shown.
  add(level) {
    const scale = this.base * 2 ** (level / LEVELS);
    const [width, height] = this.sizeAt(level).map((side) => side / scale);
    const cells = new Cells(this.x, this.y, width, height, this.shown.length + this.waiting.length);
    for (const i of this.shown) cells.add(i);
    const left = [];
    for (const i of this.waiting) {
      if (cells.isFree(i)) {
        cells.add(i);
        this.shown.push(i);
        this.level.push(level);
      } else {
        left.push(i);
      }
    }
    this.waiting = left;
  }
}

// Boxes of one size, of which none lies on another: at most one has its middle in a cell of that size.
class Cells {
  constructor(x, y, width, height, count) {
    Object.assign(this, { x, y, width, height });
    this.mask = 2 ** Math.ceil(Math.log2(2 * count + 2)) - 1;
    this.table = new Int32Array(this.mask + 1);
  }

  column(i) {
    return Math.floor(this.x[i] / this.width);
  }

  row(i) {
    return Math.floor(this.y[i] / this.height);
  }

  start(column, row) {
    return (Math.imul(column, 73856093) ^ Math.imul(row, 19349663)) & this.mask;
  }

  add(i) {
    let at = this.start(this.column(i), this.row(i));
    while (this.table[at]) at = (at + 1) & this.mask;
    this.table[at] = i + 1;
  }

  isFree(i) {
    const [column, row] = [this.column(i), this.row(i)];
    for (let c = column - 1; c <= column + 1; c++) {
      for (let r = row - 1; r <= row + 1; r++) {
        for (let at = this.start(c, r); this.table[at]; at = (at + 1) & this.mask) {
          const other = this.table[at] - 1;
          const isNear = Math.abs(this.x[i] - this.x[other]) < this.width && Math.abs(this.y[i] - this.y[other]) < this.height;
          if (isNear) return false;
        }
      }
    }
    return true;
  }
}
