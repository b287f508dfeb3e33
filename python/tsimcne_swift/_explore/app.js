// Shows a map in an element: in the page that `explore` writes, and in a notebook's widget.
// Labels, names and metadata are text from anywhere: they reach the document as text nodes only.
const TSimCNE = (() => {
  "use strict";

  // Okabe and Ito's colours but black, three more, and then hues that go round by the golden angle.
  const QUALITATIVE = [
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#8B5A2B", "#999999", "#882255", "#F0E442",
  ];
  const NO_LABEL = "#9AA0A6";
  const SHOWN_AT_ONCE = 240;

  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
  const floats = (text) => new Float32Array(bytes(text));
  const doubles = (text) => new Float64Array(bytes(text));

  const color = (i) =>
    i < QUALITATIVE.length ? QUALITATIVE[i] : `hsl(${(i * 137.508) % 360} 65% ${i % 2 ? 62 : 45}%)`;

  // Milliseconds since 1970 of a time in ISO 8601, as of Greenwich where it names no zone.
  const moment = (text) => Date.parse(/[zZ]|[+-]\d\d:\d\d$/.test(text) || text.length < 11 ? text : `${text.replace(" ", "T")}Z`);

  function make(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  }

  function makeButton(text, label, action) {
    const button = make("button", { type: "button", textContent: text, title: label, onclick: action });
    button.setAttribute("aria-label", label);
    return button;
  }

  function download(name, text) {
    const link = make("a", { href: URL.createObjectURL(new Blob([text], { type: "text/plain" })), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  // Images of the map, cut from the atlases by the browser.
  class Thumbnails {
    constructor(info, count) {
      this.info = info;
      this.count = count;
      this.addresses = [];
    }

    address(atlas) {
      if (!this.addresses[atlas]) {
        const bytes = Uint8Array.from(atob(this.info.pictures[atlas]), (c) => c.charCodeAt(0));
        this.addresses[atlas] = URL.createObjectURL(new Blob([bytes], { type: "image/webp" }));
      }
      return this.addresses[atlas];
    }

    // An element whose longer side has so many pixels.
    element(i, side) {
      const { height, width, columns, rows } = this.info;
      const perAtlas = columns * rows;
      const place = i % perAtlas;
      const atlas = Math.floor(i / perAtlas);
      const filled = Math.ceil(Math.min(perAtlas, this.count - atlas * perAtlas) / columns);
      const scale = side / Math.max(height, width);
      const element = make("div", { className: "thumbnail" });
      Object.assign(element.style, {
        width: `${width * scale}px`,
        height: `${height * scale}px`,
        backgroundImage: `url(${this.address(atlas)})`,
        backgroundSize: `${columns * width * scale}px ${filled * height * scale}px`,
        backgroundPosition:
          `${-(place % columns) * width * scale}px ${-Math.floor(place / columns) * height * scale}px`,
      });
      return element;
    }
  }

  // What is known of each image.
  class Columns {
    constructor(data) {
      this.names = data.names;
      this.list = data.columns.map((column) =>
        column.kind === "text" ? column
          : column.kind === "time" ? { ...column, moments: Float64Array.from(column.values, moment) }
          : { ...column, values: (column.kind === "number" ? doubles : floats)(column.values) });
    }

    text(column, i) {
      if (column.kind === "category") return column.categories[column.values[i]];
      const value = column.values[i];
      if (typeof value === "string" || Number.isInteger(value)) return String(value);
      return Number.isNaN(value) ? "" : String(+value.toPrecision(6));
    }

    name(i) {
      return this.names ? this.names[i] : String(i);
    }

    search(query, count) {
      const wanted = query.toLowerCase();
      const searched = this.list.filter((column) => column.kind !== "number");
      const matches = searched.map((column) =>
        column.kind === "category" ? column.categories.map((text) => text.toLowerCase().includes(wanted)) : null);
      const found = [];
      for (let i = 0; i < count; i++) {
        const isFound = this.name(i).toLowerCase().includes(wanted) || searched.some((column, k) =>
          matches[k] ? matches[k][column.values[i]] : column.values[i].toLowerCase().includes(wanted));
        if (isFound) found.push(i);
      }
      return found;
    }
  }

  class Explorer {
    constructor(root, data, onSelection) {
      this.root = root;
      this.onSelection = onSelection;
      this.x = floats(data.x);
      this.y = floats(data.y);
      this.count = this.x.length;
      this.columns = new Columns(data);
      this.thumbnails = data.thumbnails && new Thumbnails(data.thumbnails, this.count);
      this.selected = [];
      root.classList.add("tsimcne");
      this.build(data.title);
      this.draw();
    }

    build(title) {
      this.status = make("output", { className: "status" });
      this.search = make("input", { type: "search", placeholder: "Search" });
      this.search.setAttribute("aria-label", "Search names, labels and metadata");
      let pending = 0;
      this.search.oninput = () => {
        clearTimeout(pending);
        pending = setTimeout(() => this.find(this.search.value.trim()), 150);
      };
      this.chooser = make("select", { onchange: () => this.colorBy(this.chooser.value) });
      this.chooser.setAttribute("aria-label", "Colour by");
      this.columns.list.forEach((column, k) => {
        if (column.kind !== "text") this.chooser.append(make("option", { value: k, textContent: column.name }));
      });
      this.chooser.append(make("option", { value: "", textContent: "no colour" }));
      this.move = makeButton("Move", "Drag to move the map", () => this.drag("pan"));
      this.lasso = makeButton("Lasso", "Drag around images to select them", () => this.drag("lasso"));
      const header = make("header", {},
        make("h1", { textContent: title }), this.status, this.search,
        make("label", { textContent: "Colour " }, this.chooser), this.move, this.lasso,
        makeButton("+", "Zoom in", () => this.zoom(1 / 1.5)), makeButton("−", "Zoom out", () => this.zoom(1.5)),
        makeButton("Reset", "Show the whole map", () => this.reset()),
        makeButton("◐", "Light or dark", () => this.turn()));
      this.plot = make("div", { className: "plot", tabIndex: 0 });
      this.plot.setAttribute("role", "application");
      this.plot.setAttribute("aria-label", "Map. Arrows move, plus and minus zoom, 0 shows all, Escape deselects.");
      this.plot.onkeydown = (event) => this.key(event);
      this.legend = make("div", { className: "legend" });
      this.heading = make("h2");
      this.grid = make("div", { className: "grid" });
      this.more = makeButton("Show more", "Show more of the selected images", () => this.showMore());
      this.actions = make("div", { className: "actions" },
        makeButton("Indices", "Download the indices of the selected images", () =>
          download("indices.txt", this.selected.join("\n") + "\n")));
      if (this.columns.names) {
        this.actions.append(makeButton("Names", "Download the names of the selected images", () =>
          download("names.txt", this.selected.map((i) => this.columns.name(i)).join("\n") + "\n")));
      }
      this.actions.append(makeButton("Clear", "Deselect", () => this.select([])));
      this.panel = make("aside", {}, this.legend, this.heading, this.actions, this.grid, this.more);
      this.panel.setAttribute("aria-label", "Labels and selection");
      this.tip = make("div", { className: "tip", hidden: true });
      this.root.append(header, make("main", {}, this.plot, this.panel), this.tip);
    }

    draw() {
      const size = Math.max(2.2, Math.min(11, 620 / Math.sqrt(this.count)));
      const trace = {
        type: "scattergl", mode: "markers", x: this.x, y: this.y, hoverinfo: "none",
        marker: { size, opacity: 0.75, line: { width: 0 }, ...this.colors(this.chooser.value) },
        selected: { marker: { opacity: 1 } }, unselected: { marker: { opacity: 0.1 } },
      };
      const axis = { visible: false, fixedrange: false };
      const layout = {
        dragmode: "pan", hovermode: "closest", showlegend: false, margin: { l: 0, r: 0, t: 0, b: 0 },
        xaxis: axis, yaxis: { ...axis, scaleanchor: "x" },
        paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      };
      const options = {
        displayModeBar: false, scrollZoom: true, responsive: true, doubleClick: "reset",
        plotGlPixelRatio: window.devicePixelRatio,
      };
      this.ready = Plotly.newPlot(this.plot, [trace], layout, options).then(() => {
        this.plot.on("plotly_hover", (event) => this.hover(event.points[0].pointIndex, event.event));
        this.plot.on("plotly_unhover", () => (this.tip.hidden = true));
        this.plot.on("plotly_click", (event) => this.select([event.points[0].pointIndex]));
        this.plot.on("plotly_selected", (event) => {
          if (event) this.select(event.points.map((point) => point.pointIndex), false);
        });
        this.home = this.ranges();
        this.root.dataset.ready = "";
      });
      this.press("pan");
      this.list([]);
    }

    colorBy(choice) {
      const changes = Object.entries(this.colors(choice)).map(([name, value]) => [`marker.${name}`, [value]]);
      Plotly.restyle(this.plot, Object.fromEntries(changes), [0]);
    }

    // What the markers get; the legend follows.
    colors(choice) {
      this.legend.replaceChildren();
      if (choice === "") return { color: QUALITATIVE[0], colorscale: null };
      const column = this.columns.list[choice];
      if (column.kind === "category") return this.categoryColors(column);
      return column.kind === "time" ? this.scaleColors(column.moments, (value) => new Date(value).toISOString().slice(0, 10))
        : this.scaleColors(column.values, (value) => value.toPrecision(4));
    }

    categoryColors(column) {
      const n = column.categories.length;
      const colors = column.categories.map((text, i) => (text === "" ? NO_LABEL : color(i)));
      const counts = new Array(n).fill(0);
      for (const value of column.values) counts[value] += 1;
      column.categories.forEach((text, i) => {
        const swatch = make("span", { className: "swatch" });
        swatch.style.background = colors[i];
        const button = make("button", { type: "button" }, swatch, text === "" ? "none" : text,
          make("small", { textContent: counts[i].toLocaleString() }));
        button.onclick = () => {
          const members = [];
          column.values.forEach((value, k) => value === i && members.push(k));
          this.select(members);
        };
        this.legend.append(button);
      });
      const colorscale = colors.flatMap((value, i) => [[i / n, value], [(i + 1) / n, value]]);
      return { color: column.values, colorscale, cmin: -0.5, cmax: n - 0.5, showscale: false };
    }

    // Colours of numbers; the function writes one for the legend.
    scaleColors(values, write) {
      const finite = values.filter(Number.isFinite).sort();
      const low = finite[Math.floor(0.01 * (finite.length - 1))] ?? 0;
      const high = finite[Math.ceil(0.99 * (finite.length - 1))] ?? 1;
      this.legend.append(make("div", { className: "ramp" },
        make("span", { textContent: write(low) }), make("span", { className: "bar" }),
        make("span", { textContent: write(high) })));
      const cmax = high === low ? low + 1 : high;
      return { color: values, colorscale: "Cividis", cmin: low, cmax, showscale: false };
    }

    hover(i, event) {
      this.tip.replaceChildren();
      if (this.thumbnails) this.tip.append(this.thumbnails.element(i, 128));
      this.tip.append(make("strong", { textContent: this.columns.name(i) }));
      for (const column of this.columns.list) {
        this.tip.append(make("div", { textContent: `${column.name}: ${this.columns.text(column, i)}` }));
      }
      this.tip.hidden = false;
      const { clientX, clientY } = event;
      const left = Math.min(clientX + 16, innerWidth - this.tip.offsetWidth - 8);
      const top = Math.min(clientY + 16, innerHeight - this.tip.offsetHeight - 8);
      Object.assign(this.tip.style, { left: `${Math.max(0, left)}px`, top: `${Math.max(0, top)}px` });
    }

    // Of a lasso, Plotly marks the points itself.
    select(indices, marks = true) {
      if (marks) {
        const points = { selectedpoints: [indices.length ? indices : null] };
        Plotly.update(this.plot, points, { selections: [] }, [0]);
      }
      this.list(indices);
    }

    // The selection, beside the map.
    list(indices) {
      this.selected = indices;
      const total = this.count.toLocaleString();
      this.status.textContent = indices.length
        ? `${indices.length.toLocaleString()} of ${total} images selected` : `${total} images`;
      this.heading.textContent = indices.length ? `Selection: ${indices.length.toLocaleString()}` : "";
      this.actions.hidden = indices.length === 0;
      this.grid.replaceChildren();
      this.showMore();
      if (this.onSelection) this.onSelection(indices);
    }

    showMore() {
      const shown = this.grid.childElementCount;
      for (const i of this.selected.slice(shown, shown + SHOWN_AT_ONCE)) {
        const button = makeButton("", this.columns.name(i), () => this.goTo(i));
        button.append(this.thumbnails ? this.thumbnails.element(i, 48) : this.columns.name(i));
        this.grid.append(button);
      }
      this.more.hidden = this.grid.childElementCount >= this.selected.length;
    }

    find(query) {
      this.select(query === "" ? [] : this.columns.search(query, this.count));
      if (query !== "" && !this.selected.length) this.status.textContent = "nothing found";
    }

    drag(mode) {
      Plotly.relayout(this.plot, { dragmode: mode });
      this.press(mode);
    }

    press(mode) {
      this.move.setAttribute("aria-pressed", mode === "pan");
      this.lasso.setAttribute("aria-pressed", mode === "lasso");
    }

    ranges() {
      const { xaxis, yaxis } = this.plot._fullLayout;
      return { x: [...xaxis.range], y: [...yaxis.range] };
    }

    show(x, y) {
      Plotly.relayout(this.plot, { "xaxis.range": x, "yaxis.range": y });
    }

    zoom(factor) {
      const { x, y } = this.ranges();
      const scaled = ([low, high]) => {
        const [middle, half] = [(low + high) / 2, (factor * (high - low)) / 2];
        return [middle - half, middle + half];
      };
      this.show(scaled(x), scaled(y));
    }

    shift(right, up) {
      const { x, y } = this.ranges();
      const [dx, dy] = [(x[1] - x[0]) * right, (y[1] - y[0]) * up];
      this.show([x[0] + dx, x[1] + dx], [y[0] + dy, y[1] + dy]);
    }

    goTo(i) {
      const { x, y } = this.home;
      const [width, height] = [(x[1] - x[0]) / 12, (y[1] - y[0]) / 12];
      this.show([this.x[i] - width, this.x[i] + width], [this.y[i] - height, this.y[i] + height]);
    }

    reset() {
      this.show(this.home.x, this.home.y);
    }

    turn() {
      const dark = matchMedia("(prefers-color-scheme: dark)").matches;
      const now = this.root.dataset.theme || (dark ? "dark" : "light");
      this.root.dataset.theme = now === "dark" ? "light" : "dark";
    }

    key(event) {
      const actions = {
        ArrowLeft: () => this.shift(-0.1, 0), ArrowRight: () => this.shift(0.1, 0),
        ArrowUp: () => this.shift(0, 0.1), ArrowDown: () => this.shift(0, -0.1),
        "+": () => this.zoom(1 / 1.5), "-": () => this.zoom(1.5), 0: () => this.reset(),
        Escape: () => this.select([]),
      };
      if (event.ctrlKey || event.metaKey || event.altKey || !actions[event.key]) return;
      event.preventDefault();
      actions[event.key]();
    }
  }

  return { mount: (root, data, onSelection) => new Explorer(root, data, onSelection) };
})();
