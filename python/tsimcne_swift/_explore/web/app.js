// Shows a map in an element: in the page that `explore` writes, and in a notebook's widget.
class Explorer {
  // A notebook's widget is told of the selection, and may have one from before.
  constructor(root, data, onSelection, selected = []) {
    Object.assign(this, { root, onSelection, data, past: [] });
    this.x = floats(data.x);
    this.y = floats(data.y);
    this.count = this.x.length;
    this.columns = new Columns(data);
    this.neighbors = data.neighbors && new Neighbors(data.neighbors);
    this.thumbnails = data.thumbnails && new Thumbnails(data.thumbnails, this.count);
    this.state = { selected, alike: [], filters: [] };
    root.classList.add("tsimcne");
    this.plot = new Plot(this.x, this.y, this.thumbnails, {
      click: (i, event) => this.click(i, event),
      hover: (i, event) => (i < 0 ? this.tip.hide() : this.tip.show(i, event)),
      lasso: (indices, event) => this.select(indices, event),
      viewed: () => this.tip.hide(),
      painted: () => (root.dataset.ready = ""),
    });
    this.build();
    this.colorBy(this.chooser.value);
    this.apply();
    this.plot.resize();
  }

  build() {
    const { data, columns, plot } = this;
    this.legend = new Legend(this.thumbnails, (column, code, event) => this.chooseClass(column, code, event));
    this.range = new Range((values) => this.filterRange(values));
    this.chips = make("div", { className: "chips" });
    this.selection = new Selection(columns, this.thumbnails, this.neighbors, this.does());
    this.tip = new Tip(columns, this.thumbnails, this.neighbors);
    Object.assign(this, makeHeader(this));
    plot.element.setAttribute("role", "application");
    plot.element.setAttribute("aria-label", "Map. Arrows move, plus and minus zoom, 0 shows all, Escape deselects.");
    plot.element.onkeydown = (event) => this.key(event);
    // A notebook's address is not the map's.
    const link = this.onSelection ? [] : [makeButton("Link", "Put view, filters and selection into the page's address", () => this.link())];
    const take = make("div", { className: "actions take" }, ...link,
      makeButton("PNG", "Download a picture of the view", async () => download("map.png", await asPng(plot), "image/png")),
      makeButton("SVG", "Download a drawing of the view", async () => download("map.svg", await asSvg(plot), "image/svg+xml")));
    this.panel = make("aside", { tabIndex: 0 },
      this.chips, this.selection.element, this.range.element, this.legend.element, take);
    this.panel.setAttribute("aria-label", "Labels and selection");
    // In a narrow window the panel lies below the map, and can be folded.
    this.folding = makeButton("Labels and selection", "Labels and selection: fold or unfold", () => this.fold(!this.isFolded));
    this.folding.className = "fold";
    this.main = make("main", {}, plot.element, this.folding, this.panel);
    this.fold(false);
    const about = data.description ? [make("section", { className: "about", textContent: data.description })] : [];
    for (const part of about) part.setAttribute("aria-label", "About this map");
    this.root.append(this.header, ...about, this.main, this.tip.element);
  }

  fold(isFolded) {
    this.isFolded = isFolded;
    this.main.classList.toggle("folded", isFolded);
    this.folding.setAttribute("aria-expanded", !isFolded);
  }

  // Paper is light, whatever the screen is.
  print(onPaper) {
    const { dataset } = this.root;
    if (onPaper) [this.onScreen, dataset.theme] = [dataset.theme, "light"];
    else if (this.onScreen) dataset.theme = this.onScreen;
    else delete dataset.theme;
    this.plot.print(onPaper);
  }

  // What the buttons of the selection do, by their names.
  does() {
    // What is written about images may still be read.
    const save = async (name, text) => {
      await this.reading;
      download(name, text());
    };
    const names = () => this.state.selected.map((i) => this.columns.name(i));
    return {
      goTo: (i) => this.goTo(i),
      "Only these": () => this.filterSelected(false),
      "Hide these": () => this.filterSelected(true),
      "More like this": () => this.moreLikeThis(),
      CSV: () => save("images.csv", () => table(this.columns, this.x, this.y, this.state.selected)),
      Names: () => save("names.txt", () => `${names().join("\n")}\n`),
      Indices: () => save("indices.txt", () => `${this.state.selected.join("\n")}\n`),
      // Browsers hold back what ends in .sh.
      Copy: () => save("copy.txt", () => copyScript(names())),
      Clear: () => this.change({ selected: [], alike: [] }),
    };
  }

  // A new state of selection and filters; the old one can be had back. What is typed letter by letter is one change.
  change(changes) {
    if (!changes.query || !this.state.query) this.past.push(this.state);
    this.state = { ...this.state, query: "", ...changes };
    this.apply();
  }

  // What others have selected: Python, or another view of the same widget.
  hear(selected) {
    if (selected.join() !== this.state.selected.join()) this.change({ selected, alike: [] });
  }

  undo() {
    if (!this.past.length) return;
    this.state = this.past.pop();
    this.apply();
  }

  apply() {
    const { filters } = this.state;
    const mask = narrowed(filters, this.columns, this.count);
    const selected = this.state.selected.filter((i) => mask[i]);
    // What a filter hides is not selected either.
    this.state = { ...this.state, selected };
    this.shown = mask.reduce((sum, met) => sum + met, 0);
    this.plot.rings = this.state.alike.filter((i) => mask[i]);
    this.plot.setStates(mask, selected);
    this.chips.replaceChildren(...filters.map((filter) => makeButton(`${describe(filter, this.columns)} ×`, "Take this filter away",
      () => this.change({ filters: filters.filter((other) => other !== filter) }))));
    this.undoing.disabled = !this.past.length;
    this.selection.show(selected, this.plot.rings);
    // A legend that is made anew loses the keyboard's place in it.
    if (filters !== this.counted) this.showLegend();
    this.say(selected);
    this.onSelection?.(selected);
  }

  say(selected) {
    const [total, far] = [this.count.toLocaleString(), this.plot.view.far];
    const parts = [selected.length ? `${selected.length.toLocaleString()} of ${total} images selected` : `${total} images`];
    if (this.shown < this.count) parts.push(`${this.shown.toLocaleString()} shown`);
    if (far) parts.push(`${far.toLocaleString()} far out`);
    this.status.textContent = parts.join(", ");
  }

  colorBy(choice) {
    this.column = choice === "" ? null : this.columns.list[choice];
    this.plot.setColors(colorsBy(this.column, this.count));
    this.showLegend();
  }

  showLegend() {
    this.counted = this.state.filters;
    this.plot.names.set(nameSets(this.columns, this.column, this.plot));
    const place = this.columns.list.indexOf(this.column);
    this.legend.show(this.column, this.plot.states);
    this.range.show(this.column, this.state.filters.find((filter) => filter.column === place && !filter.codes));
  }

  click(i, event) {
    if (i >= 0) {
      this.select([i], event);
      // The image is shown there, and a finger shows no tip.
      this.fold(false);
      this.panel.scrollTop = 0;
    } else if (!event.shiftKey && !event.altKey && this.state.selected.length) this.change({ selected: [], alike: [] });
  }

  // Shift adds to the selection, Alt takes away from it.
  select(indices, event = {}, source = null) {
    const old = new Set(this.state.selected);
    if (!event.shiftKey && !event.altKey) return this.change({ selected: indices, alike: [], source });
    for (const i of indices) event.altKey ? old.delete(i) : old.add(i);
    return this.change({ selected: [...old].sort((a, b) => a - b), alike: [], source: null });
  }

  // Shift adds or takes away a class, Alt selects all but it.
  chooseClass(column, code, event) {
    const place = this.columns.list.indexOf(column);
    const before = this.state.source?.column === place ? this.state.source.codes : [];
    const all = column.categories.map((_, k) => k);
    let codes = [code];
    if (event.altKey) codes = all.filter((k) => k !== code);
    else if (event.shiftKey && !before.length) return this.select(this.columns.members(column, code), event);
    else if (event.shiftKey) codes = before.includes(code) ? before.filter((k) => k !== code) : [...before, code];
    const wanted = new Set(codes);
    const selected = [...this.x.keys()].filter((i) => wanted.has(column.values[i]));
    return this.select(selected, {}, { column: place, codes });
  }

  filterSelected(not) {
    const { selected, source, filters } = this.state;
    this.change({ filters: [...filters, { ...(source ?? { indices: selected }), not }], selected: [], alike: [] });
  }

  filterRange(values) {
    const column = this.columns.list.indexOf(this.column);
    const others = this.state.filters.filter((filter) => filter.column !== column || filter.codes);
    this.change({ filters: values ? [...others, { column, from: values[0], to: values[1] }] : others });
  }

  async moreLikeThis() {
    await this.neighbors.need(this.state.selected);
    this.change({ alike: this.columns.like(this.neighbors, this.state.selected).slice(0, MOST_ALIKE) });
  }

  async find(query) {
    await this.reading;
    this.change({ selected: query === "" ? [] : this.columns.search(query, this.count), alike: [], source: null, query });
    if (query !== "" && !this.state.selected.length) this.status.textContent = "nothing found";
  }

  goTo(i) {
    const { view } = this.plot;
    view.show([this.x[i], this.y[i], this.x[i], this.y[i]], Math.max(view.scale, 6 * view.homeScale));
    this.plot.request();
  }

  link() {
    location.hash = toHash(this.plot, this.chooser.value, this.state.filters, this.state.selected);
    this.address = location.hash;
    this.status.textContent = "the page's address holds what you see";
  }

  // What the page's address says, where it says something.
  open(hash) {
    const said = hash.length > 1 && hash !== this.address && fromHash(hash, this.columns, this.count);
    if (!said) return;
    if ([...this.chooser.options].some(({ value }) => value === said.color)) {
      this.chooser.value = said.color;
      this.colorBy(said.color);
    }
    this.change({ filters: said.filters, selected: said.selected, alike: [] });
    const { view } = this.plot;
    if (said.view) view.set(said.view[0], said.view[1], said.view[2] * view.homeScale);
    this.plot.request();
  }

  zoom(factor) {
    this.plot.view.zoom(factor);
    this.plot.request();
  }

  move(right, down) {
    const { view } = this.plot;
    view.pan(right * view.width, down * view.height);
    this.plot.request();
  }

  reset() {
    this.plot.view.home();
    this.plot.request();
  }

  key(event) {
    const isUndo = event.key === "z" && (event.ctrlKey || event.metaKey);
    const actions = {
      ArrowLeft: () => this.move(0.1, 0), ArrowRight: () => this.move(-0.1, 0),
      ArrowUp: () => this.move(0, 0.1), ArrowDown: () => this.move(0, -0.1),
      "+": () => this.zoom(1.5), "=": () => this.zoom(1.5), "-": () => this.zoom(1 / 1.5), 0: () => this.reset(),
      Escape: () => this.change({ selected: [], alike: [] }),
    };
    const action = isUndo ? () => this.undo() : actions[event.key];
    if (!action || (!isUndo && (event.ctrlKey || event.metaKey || event.altKey))) return;
    event.preventDefault();
    action();
  }
}
