// Draws the map by a graphics card, with WebGL 2: all points in a call, all pictures in another.
class GlPainter {
  // `order` says which point is drawn after which.
  constructor(canvas, x, y, order, slots) {
    const gl = canvas.getContext("webgl2", { antialias: false, alpha: true, powerPreference: "high-performance" });
    if (!gl) throw new Error("there is no WebGL 2");
    Object.assign(this, { canvas, gl, order, slots });
    this.points = program(gl, POINT_VERTICES, POINT_FRAGMENTS);
    this.pictures = program(gl, PICTURE_VERTICES, PICTURE_FRAGMENTS);
    const places = new Float32Array(2 * order.length);
    order.forEach((i, k) => {
      places[2 * k] = x[i];
      places[2 * k + 1] = y[i];
    });
    this.pointArrays = gl.createVertexArray();
    gl.bindVertexArray(this.pointArrays);
    attribute(gl, this.points, "place", 2, gl.FLOAT, places);
    this.colors = attribute(gl, this.points, "color", 4, gl.UNSIGNED_BYTE, new Uint8Array(4 * order.length), true);
    this.states = attribute(gl, this.points, "state", 1, gl.UNSIGNED_BYTE, new Uint8Array(order.length));
    this.pictureArrays = gl.createVertexArray();
    gl.bindVertexArray(this.pictureArrays);
    attribute(gl, this.pictures, "corner", 2, gl.FLOAT, new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1]));
    this.boxes = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, this.boxes);
    for (const [name, count, at] of [["box", 4, 0], ["slot", 2, 16], ["frame", 4, 24]]) {
      const place = gl.getAttribLocation(this.pictures, name);
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, count, gl.FLOAT, false, 40, at);
      gl.vertexAttribDivisor(place, 1);
    }
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    if (slots) this.makeTexture();
  }

  makeTexture() {
    const { gl, slots } = this;
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA8, slots.side, slots.side);
    for (const edge of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, edge, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
    slots.keep = (left, top, picture) =>
      gl.texSubImage2D(gl.TEXTURE_2D, 0, left, top, gl.RGBA, gl.UNSIGNED_BYTE, picture);
  }

  // Three bytes each of red, green and blue.
  setColors(rgbs) {
    const { gl, order } = this;
    const bytes = new Uint8Array(4 * order.length);
    for (let k = 0; k < order.length; k++) {
      for (let part = 0; part < 3; part++) bytes[4 * k + part] = rgbs[3 * order[k] + part];
    }
    gl.bindBuffer(gl.ARRAY_BUFFER, this.colors);
    gl.bufferData(gl.ARRAY_BUFFER, bytes, gl.DYNAMIC_DRAW);
  }

  // 0: hidden, 1: shown, 2: selected.
  setStates(states) {
    const { gl, order } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.states);
    gl.bufferData(gl.ARRAY_BUFFER, Uint8Array.from(order, (i) => states[i]), gl.DYNAMIC_DRAW);
  }

  // `layers` are states with the size and the opacity of their points; `sprites` ten numbers each.
  paint(view, ratio, layers, sprites) {
    const { gl, canvas, order } = this;
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.useProgram(this.points);
    gl.bindVertexArray(this.pointArrays);
    const set = (shaders, kind, name, ...values) => gl[`uniform${kind}`](gl.getUniformLocation(shaders, name), ...values);
    set(this.points, "2f", "middle", view.x, view.y);
    set(this.points, "2f", "scale", (2 * view.scale) / view.width, (2 * view.scale) / view.height);
    for (const { state, size, opacity } of layers) {
      set(this.points, "1f", "size", size * ratio);
      set(this.points, "1f", "wanted", state);
      set(this.points, "1f", "opacity", opacity);
      gl.drawArrays(gl.POINTS, 0, order.length);
    }
    if (!sprites.length) return;
    const { width, height, side } = this.slots;
    gl.useProgram(this.pictures);
    gl.bindVertexArray(this.pictureArrays);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.boxes);
    gl.bufferData(gl.ARRAY_BUFFER, Float32Array.from(sprites, (value, k) =>
      [4, 5].includes(k % 10) ? value / side : value), gl.STREAM_DRAW);
    set(this.pictures, "2f", "screen", view.width, view.height);
    set(this.pictures, "2f", "part", width / side, height / side);
    set(this.pictures, "2f", "texel", 1 / side, 1 / side);
    set(this.pictures, "1f", "border", FRAME);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, sprites.length / 10);
  }
}

function program(gl, ...sources) {
  const made = gl.createProgram();
  sources.forEach((source, k) => {
    const shader = gl.createShader(k ? gl.FRAGMENT_SHADER : gl.VERTEX_SHADER);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(made, shader);
  });
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(made));
  return made;
}

function attribute(gl, shaders, name, count, type, values, normalized = false) {
  const buffer = gl.createBuffer();
  gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
  gl.bufferData(gl.ARRAY_BUFFER, values, gl.DYNAMIC_DRAW);
  const place = gl.getAttribLocation(shaders, name);
  gl.enableVertexAttribArray(place);
  gl.vertexAttribPointer(place, count, type, normalized, 0, 0);
  return buffer;
}
