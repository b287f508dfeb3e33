// What hands do on the map: a mouse, a pen, fingers.

// Pixels that a click may move.
const STILL = 4;
const WHEEL = 0.0015;

class Pointer {
  // `on` has: pan, zoom, click, twice, hover, leave, draw, drawn.
  constructor(element, on) {
    Object.assign(this, { element, on, mode: "move", down: new Map(), outline: null });
    element.addEventListener("pointerdown", (event) => this.press(event));
    element.addEventListener("pointermove", (event) => this.move(event));
    element.addEventListener("pointerup", (event) => this.release(event));
    element.addEventListener("pointercancel", (event) => this.cancel(event));
    element.addEventListener("pointerleave", () => on.leave());
    element.addEventListener("dblclick", () => on.twice());
    element.addEventListener("wheel", (event) => {
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 20 : 1;
      on.zoom(Math.exp(-WHEEL * lines * clamp(event.deltaY, -400, 400)), ...this.place(event));
    }, { passive: false });
  }

  place(event) {
    const box = this.element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  press(event) {
    if (event.button !== 0) return;
    this.element.focus({ preventScroll: true });
    // Events that a program makes have no pointer to capture.
    if (event.isTrusted) this.element.setPointerCapture(event.pointerId);
    const at = this.place(event);
    this.down.set(event.pointerId, at);
    this.isClick = this.down.size === 1;
    this.start = at;
    const draws = this.mode === "lasso" || event.shiftKey || event.altKey;
    this.outline = draws && this.down.size === 1 ? [at] : null;
  }

  move(event) {
    const at = this.place(event);
    const before = this.down.get(event.pointerId);
    if (!before) {
      if (event.pointerType === "mouse" || event.pointerType === "pen") this.on.hover(...at, event);
      return;
    }
    if (Math.hypot(at[0] - this.start[0], at[1] - this.start[1]) > STILL) this.isClick = false;
    if (this.isClick) return;
    this.on.leave();
    const others = [...this.down].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    this.down.set(event.pointerId, at);
    if (this.outline) {
      this.outline.push(at);
      this.on.draw(this.outline);
    } else if (others.length) {
      this.pinch(before, at, others[0]);
    } else {
      this.on.pan(at[0] - before[0], at[1] - before[1]);
    }
  }

  // Two fingers: the map follows both.
  pinch(before, at, other) {
    const length = ([left, top]) => Math.hypot(left - other[0], top - other[1]) || 1;
    this.on.pan((at[0] - before[0]) / 2, (at[1] - before[1]) / 2);
    this.on.zoom(length(at) / length(before), (at[0] + other[0]) / 2, (at[1] + other[1]) / 2);
  }

  release(event) {
    if (!this.down.delete(event.pointerId)) return;
    const [outline, isClick] = [this.outline, this.isClick];
    [this.outline, this.isClick] = [null, false];
    if (isClick) this.on.click(...this.place(event), event);
    else if (outline) this.on.drawn(outline, event);
  }

  cancel(event) {
    this.down.delete(event.pointerId);
    [this.outline, this.isClick] = [null, false];
    this.on.draw(null);
  }
}

// Whether a place lies within an outline, by how often a line from it crosses it.
function isWithin(outline, left, top) {
  let inside = false;
  for (let k = 0, last = outline.length - 1; k < outline.length; last = k++) {
    const [[x1, y1], [x2, y2]] = [outline[k], outline[last]];
    if (y1 > top !== y2 > top && left < ((x2 - x1) * (top - y1)) / (y2 - y1) + x1) inside = !inside;
  }
  return inside;
}
