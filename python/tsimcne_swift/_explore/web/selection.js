// The selection beside the map: what is in it, what is like it, and what can be done with it.
const SHOWN_AT_ONCE = 240;
// Sides of an image in the grid, in the tip, and of one that is looked at alone.
const [IN_GRID, IN_TIP, ALONE] = [48, 128, 252];
const MOST_ALIKE = 24;
const IN_TIP_ALIKE = 6;

// Images in rows, each of which `open(i)` is told of.
class Grid {
  constructor(columns, thumbnails, open) {
    Object.assign(this, { columns, thumbnails, open, indices: [] });
    this.cells = make("div", { className: "grid" });
    this.more = makeButton("Show more", "Show more of these images", () => this.add());
    this.element = make("div", {}, this.cells, this.more);
  }

  show(indices) {
    this.indices = indices;
    this.cells.replaceChildren();
    this.add();
  }

  add() {
    const count = this.cells.childElementCount;
    for (const i of this.indices.slice(count, count + SHOWN_AT_ONCE)) {
      const button = makeButton("", this.columns.name(i), () => this.open(i));
      button.append(this.thumbnails ? this.thumbnails.element(i, IN_GRID) : this.columns.name(i));
      this.cells.append(button);
    }
    this.more.hidden = this.cells.childElementCount >= this.indices.length;
  }
}

// What is known of an image, line by line.
function facts(columns, i) {
  return [
    make("strong", { textContent: columns.name(i) }),
    ...columns.list.filter((column) => columns.text(column, i) !== "")
      .map((column) => make("div", { textContent: `${column.name}: ${columns.text(column, i)}` })),
  ];
}

class Selection {
  // `does` has: goTo(i), and by their names the buttons' actions.
  constructor(columns, thumbnails, neighbors, does) {
    Object.assign(this, { columns, thumbnails, neighbors });
    this.heading = make("h2");
    this.card = make("div", { className: "card" });
    this.grid = new Grid(columns, thumbnails, does.goTo);
    this.alikeHeading = make("h2", { textContent: "Most alike" });
    this.alike = new Grid(columns, thumbnails, does.goTo);
    const button = (text, label) => makeButton(text, label, () => does[text]());
    this.actions = make("div", { className: "actions" },
      button("Only these", "Show the selected images only"), button("Hide these", "Hide the selected images"),
      ...(neighbors ? [button("More like this", "Find the images that are most like the selected ones")] : []),
      button("CSV", "Download a table of the selected images, with all columns"),
      ...(columns.names ? [button("Names", "Download the names of the selected images")] : []),
      button("Indices", "Download the indices of the selected images"),
      ...(columns.names ? [button("Copy", "Download a script that copies the selected files into a folder")] : []),
      button("Clear", "Deselect"));
    this.found = make("section", {}, this.alikeHeading, this.alike.element);
    this.element = make("section", {}, this.heading, this.card, this.actions, this.found, this.grid.element);
  }

  show(indices, alike) {
    const isOne = indices.length === 1;
    this.heading.textContent = indices.length ? `Selection: ${indices.length.toLocaleString()}` : "";
    this.element.hidden = !indices.length;
    this.card.replaceChildren(...(isOne ? this.alone(indices[0]) : []));
    this.grid.show(indices);
    this.found.hidden = !alike.length;
    this.alike.show(alike);
  }

  // One image, larger; a click on it opens the original.
  alone(i) {
    const link = this.columns.link(i);
    const picture = this.thumbnails ? [this.thumbnails.element(i, ALONE)] : [];
    if (!link) return [...picture, ...facts(this.columns, i)];
    const anchor = make("a", { href: link, target: "_blank", rel: "noopener noreferrer" }, ...picture, "Open the original");
    return [anchor, ...facts(this.columns, i)];
  }
}

class Tip {
  constructor(columns, thumbnails, neighbors) {
    Object.assign(this, { columns, thumbnails, neighbors });
    this.element = make("div", { className: "tip", hidden: true });
  }

  show(i, { clientX, clientY }) {
    const { thumbnails, neighbors } = this;
    // The next tip knows what this one has asked for.
    neighbors?.need([i]);
    const alike = thumbnails && neighbors?.has(i) ? this.columns.like(neighbors, [i]).slice(0, IN_TIP_ALIKE) : [];
    this.element.replaceChildren(
      ...(this.thumbnails ? [this.thumbnails.element(i, IN_TIP)] : []), ...facts(this.columns, i),
      ...(alike.length ? [make("div", { className: "alike" }, ...alike.map((k) => this.thumbnails.element(k, 32)))] : []));
    this.element.hidden = false;
    const left = Math.min(clientX + 16, innerWidth - this.element.offsetWidth - 8);
    const top = Math.min(clientY + 16, innerHeight - this.element.offsetHeight - 8);
    Object.assign(this.element.style, { left: `${Math.max(0, left)}px`, top: `${Math.max(0, top)}px` });
  }

  hide() {
    this.element.hidden = true;
  }
}
