// Draws the map without a graphics card, pixel by pixel: where there is no WebGL, or its context was lost.
class CanvasPainter {
  constructor(canvas, x, y, order, slots) {
    Object.assign(this, { canvas, x, y, order, slots });
    this.context = canvas.getContext("2d");
    this.rgbs = new Uint8Array(3 * order.length);
    this.states = new Uint8Array(order.length);
    if (slots) {
      this.store = make("canvas", { width: slots.side, height: slots.side }).getContext("2d");
      slots.keep = (left, top, picture) => this.store.drawImage(picture, left, top);
    }
  }

  setColors(rgbs) {
    this.rgbs = rgbs;
  }

  setStates(states) {
    this.states = states;
  }

  paint(view, ratio, layers, sprites) {
    const { canvas, context } = this;
    const image = context.createImageData(canvas.width, canvas.height);
    for (const layer of layers) this.dots(image, view, ratio, layer);
    context.putImageData(image, 0, 0);
    context.save();
    context.scale(ratio, ratio);
    for (let at = 0; at < sprites.length; at += 10) this.picture(sprites.slice(at, at + 10));
    context.restore();
  }

  // Squares of whole pixels, each over what is there.
  dots({ data, width, height }, view, ratio, { state, size, opacity }) {
    const side = Math.max(1, Math.round(size * ratio * 0.89));
    for (const i of this.order) {
      if (this.states[i] !== state) continue;
      const [left, top] = view.toScreen(this.x[i], this.y[i]);
      const [first, row] = [Math.round(left * ratio - side / 2), Math.round(top * ratio - side / 2)];
      if (!(first > -side && first < width && row > -side && row < height)) continue;
      for (let v = Math.max(0, row); v < Math.min(height, row + side); v++) {
        for (let u = Math.max(0, first); u < Math.min(width, first + side); u++) {
          const at = 4 * (v * width + u);
          const [old, now] = [data[at + 3] / 255, opacity + (data[at + 3] / 255) * (1 - opacity)];
          for (let part = 0; part < 3; part++) {
            data[at + part] = (this.rgbs[3 * i + part] * opacity + data[at + part] * old * (1 - opacity)) / now;
          }
          data[at + 3] = 255 * now;
        }
      }
    }
  }

  picture([x, y, halfWidth, halfHeight, left, top, red, green, blue, opacity]) {
    const { context, slots } = this;
    context.globalAlpha = opacity;
    context.fillStyle = css([255 * red, 255 * green, 255 * blue].map((part) => Math.round(part / opacity)));
    context.fillRect(x - halfWidth, y - halfHeight, 2 * halfWidth, 2 * halfHeight);
    const [width, height] = [2 * (halfWidth - FRAME), 2 * (halfHeight - FRAME)];
    if (width <= 0 || height <= 0) return;
    const [u, v] = [slots.width / (2 * halfWidth), slots.height / (2 * halfHeight)];
    context.drawImage(this.store.canvas, left + FRAME * u, top + FRAME * v, width * u, height * v,
      x - width / 2, y - height / 2, width, height);
  }
}
