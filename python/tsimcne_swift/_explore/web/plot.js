// The map itself: points, pictures and names on two canvases, and what lies under the pointer.

const FRAME = 2;
const [HIDDEN, SHOWN, SELECTED] = [0, 1, 2];
// Shortest side of a picture on the map, and how many of them a screen has at most, about.
const [SIDE, MOST_PICTURES] = [40, 700];
// Pixels around a point within which it is meant.
const REACH = 9;
// Milliseconds without a frame after which the map is at rest.
const REST = 60;
// No canvas has more pixels for one of the page's.
const SHARPEST = 2;

class Plot {
  // `on` has: click(i or -1, event), hover(i or -1, event), lasso(indices, event), viewed().
  constructor(x, y, thumbnails, on) {
    Object.assign(this, { x, y, thumbnails, on, count: x.length, view: new View(x, y), names: new Names() });
    Object.assign(this, { rings: [], under: -1, outline: null, sprites: [], hasSelection: false });
    this.showsPictures = this.showsNames = true;
    this.order = shuffled(this.count);
    this.element = make("div", { className: "plot", tabIndex: 0 });
    this.top = make("canvas", { className: "names" });
    this.element.append(this.top);
    this.states = new Uint8Array(this.count).fill(SHOWN);
    this.slots = thumbnails && new Slots(thumbnails, () => this.request());
    this.usePainter();
    this.pointer = new Pointer(this.element, this.hands());
    new ResizeObserver(() => this.resize()).observe(this.element);
  }

  hands() {
    const moved = (change) => (...values) => {
      change(...values);
      this.on.viewed();
      this.request();
    };
    const draw = (outline) => {
      this.outline = outline;
      this.request();
    };
    return {
      pan: moved((right, down) => this.view.pan(right, down)),
      zoom: moved((factor, left, top) => this.view.zoom(factor, left, top)),
      twice: moved(() => this.view.home()),
      hover: (left, top, event) => this.hover(this.pick(left, top), event),
      leave: () => this.hover(-1),
      click: (left, top, event) => this.on.click(this.pick(left, top), event),
      draw,
      drawn: (outline, event) => {
        draw(null);
        this.on.lasso(this.inside(outline), event);
      },
    };
  }

  // A graphics card's, or the one without, which also takes over where a page has lost its card.
  usePainter() {
    const [old, canvas] = [this.base, make("canvas")];
    if (!old) {
      try {
        this.painter = new GlPainter(canvas, this.x, this.y, this.order, this.slots);
        canvas.addEventListener("webglcontextlost", () => this.usePainter());
      } catch (error) {
        console.info(`tsimcne: drawn without a graphics card: ${error.message}`);
      }
    }
    this.base = canvas;
    if (old || !this.painter) {
      // A canvas that was asked for one kind of drawing gives no other.
      this.base = make("canvas");
      this.slots?.forget();
      this.painter = new CanvasPainter(this.base, this.x, this.y, this.order, this.slots);
    }
    if (old) old.replaceWith(this.base);
    else this.element.prepend(this.base);
    if (this.rgbs) this.painter.setColors(this.rgbs);
    this.painter.setStates(this.states);
    if (old) this.resize();
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.element;
    if (!width || !height) return;
    this.ratio = Math.min(SHARPEST, devicePixelRatio);
    for (const canvas of [this.base, this.top]) {
      canvas.width = Math.round(width * this.ratio);
      canvas.height = Math.round(height * this.ratio);
    }
    this.view.resize(width, height);
    this.spread = null;
    this.frame();
  }

  setColors(rgbs) {
    this.rgbs = rgbs;
    this.painter.setColors(rgbs);
    this.request();
  }

  // Which images are there (a byte for each), and which of them are selected.
  setStates(isShown, selected) {
    const isFiltered = this.states.some((state, i) => (state === HIDDEN) === Boolean(isShown[i]));
    for (let i = 0; i < this.count; i++) this.states[i] = isShown[i] ? SHOWN : HIDDEN;
    for (const i of selected) this.states[i] = SELECTED;
    this.hasSelection = selected.length > 0;
    this.painter.setStates(this.states);
    if (isFiltered) this.spread = null;
    this.request();
  }

  request() {
    this.pending ||= requestAnimationFrame(() => this.frame());
  }

  frame() {
    cancelAnimationFrame(this.pending);
    this.pending = 0;
    if (!this.ratio) return;
    this.findSprites();
    this.painter.paint(this.view, this.ratio, this.layers(), this.sprites.flatMap(({ numbers }) => numbers));
    this.drawTop();
    // Atlases are decoded when the map rests, so that it moves smoothly.
    clearTimeout(this.resting);
    if (this.slots?.wanted.size) this.resting = setTimeout(() => this.slots.fill(), REST);
    this.on.painted?.();
  }

  // Points grow as one comes nearer, and let through what lies below them where there are many.
  layers() {
    const zoom = Math.max(1, this.view.scale / this.view.homeScale);
    const size = clamp((620 / Math.sqrt(this.count)) * zoom ** 0.25, 2.2, 13);
    const opacity = clamp(0.75 * (60000 / this.count) ** 0.35 * zoom ** 0.3, 0.2, this.count > 2000 ? 0.75 : 0.9);
    this.size = size;
    if (!this.hasSelection) return [{ state: SHOWN, size, opacity }];
    return [{ state: SHOWN, size, opacity: 0.12 }, { state: SELECTED, size: 1.2 * size, opacity: 0.95 }];
  }

  // One picture of both canvases: where a browser prints what was drawn on the upper one, what was cleared
  // there covers the lower one.
  print(onPaper) {
    this.frame();
    this.paper?.remove();
    if (!onPaper) return;
    const { width, height } = this.base;
    this.paper = make("canvas", { width, height, className: "paper" });
    const context = this.paper.getContext("2d");
    for (const canvas of [this.base, this.top]) context.drawImage(canvas, 0, 0);
    this.element.append(this.paper);
  }

  findSprites() {
    this.sprites = [];
    if (!this.thumbnails || !this.showsPictures) return;
    const { view, slots, thumbnails } = this;
    slots.wanted.clear();
    if (!this.spread) {
      const side = Math.max(SIDE, Math.sqrt((view.width * view.height) / MOST_PICTURES));
      const size = [thumbnails.width, thumbnails.height].map((length) => (side * length) / thumbnails.longest);
      const order = this.order.filter((i) => this.states[i] !== HIDDEN);
      // Where a filter leaves most images, the known pictures that it leaves are enough; to find others takes long.
      const isKnown = thumbnails.levels && order.length > this.count / 2;
      this.spread = isKnown ? new KnownSpread(this.x, this.y, thumbnails, size) : new Spread(this.x, this.y, order, size, view.near);
    }
    const [width, height] = this.spread.sizeAt(this.spread.levelAt(view.scale));
    const seen = [...view.toMap(-width, view.height + height), ...view.toMap(view.width + width, -height)];
    this.spread.forEach(view.scale, (i, growth) => {
      if (this.states[i] === HIDDEN) return;
      const [left, top] = view.toScreen(this.x[i], this.y[i]);
      if (!(left > -width && left < view.width + width && top > -height && top < view.height + height)) return;
      if (Math.max(width, height) * growth < this.size) return;
      const place = slots.place(i);
      if (!place) return;
      const half = [(width * growth) / 2, (height * growth) / 2];
      const opacity = this.hasSelection && this.states[i] !== SELECTED ? 0.15 : 1;
      const color = [0, 1, 2].map((part) => this.rgbs[3 * i + part] / 255);
      this.sprites.push({ i, left, top, half, numbers: [left, top, ...half, ...place, ...color, opacity] });
    }, seen);
  }

  drawTop() {
    const { top: canvas, view } = this;
    const context = canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.scale(this.ratio, this.ratio);
    drawRings(this, context);
    if (this.showsNames) drawNames(this.names.placed(context, view), context, this.element);
    if (this.outline) drawOutline(this.outline, context, this.element);
  }

  // The picture at a place of the screen, else the nearest point; -1 where there is none.
  pick(left, top) {
    const over = this.sprites.findLast((sprite) =>
      Math.abs(sprite.left - left) <= sprite.half[0] && Math.abs(sprite.top - top) <= sprite.half[1]);
    if (over) return over.i;
    const [x, y] = this.view.toMap(left, top);
    let [nearest, least] = [-1, ((REACH + this.size / 2) / this.view.scale) ** 2];
    for (let i = 0; i < this.count; i++) {
      const distance = (this.x[i] - x) ** 2 + (this.y[i] - y) ** 2;
      if (distance < least && this.states[i] !== HIDDEN) [nearest, least] = [i, distance];
    }
    return nearest;
  }

  // Images whose points lie within an outline on the screen.
  inside(outline) {
    const found = [];
    for (let i = 0; i < this.count; i++) {
      if (this.states[i] !== HIDDEN && isWithin(outline, ...this.view.toScreen(this.x[i], this.y[i]))) found.push(i);
    }
    return found;
  }

  hover(i, event) {
    if (i !== this.under) this.request();
    this.under = i;
    this.on.hover(i, event);
  }
}
