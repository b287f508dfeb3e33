// What the map is narrowed to: conditions on columns and selections, all of which an image meets.

// A condition is {column, codes}, {column, from, to} or {indices}, and `not` where it is turned round.
function meets(filter, columns, count) {
  const mask = new Uint8Array(count);
  if (filter.indices) {
    for (const i of filter.indices) mask[i] = 1;
  } else {
    const column = columns.list[filter.column];
    const codes = new Set(filter.codes);
    for (let i = 0; i < count; i++) {
      mask[i] = filter.codes ? codes.has(column.values[i]) : column.numbers[i] >= filter.from && column.numbers[i] <= filter.to;
    }
  }
  return filter.not ? mask.map((met) => 1 - met) : mask;
}

function narrowed(filters, columns, count) {
  const mask = new Uint8Array(count).fill(1);
  for (const filter of filters) {
    const met = meets(filter, columns, count);
    for (let i = 0; i < count; i++) mask[i] &= met[i];
  }
  return mask;
}

function describe(filter, columns) {
  const not = filter.not ? "not " : "";
  if (filter.indices) return `${not}${filter.indices.length.toLocaleString()} selected images`;
  const column = columns.list[filter.column];
  if (!filter.codes) return `${column.name}: ${written(column, filter.from)} to ${written(column, filter.to)}`;
  return `${column.name}: ${not}${filter.codes.map((code) => column.categories[code] || "none").join(", ")}`;
}

const BARS = 40;
const STEPS = 200;

// How a column's numbers or days are spread, and the range of them that is shown.
class Range {
  // `change(from, to)` is told of a new range, or of null for all.
  constructor(change) {
    this.change = change;
    this.bars = make("div", { className: "bars" });
    this.bars.setAttribute("aria-hidden", "true");
    this.ends = ["From", "To"].map((label) => {
      const input = make("input", { type: "range", min: 0, max: STEPS });
      input.setAttribute("aria-label", label);
      input.oninput = () => this.say();
      input.onchange = () => this.told();
      return input;
    });
    this.text = make("output");
    this.element = make("div", { className: "range", hidden: true }, this.bars, ...this.ends, this.text);
  }

  show(column, filter) {
    this.element.hidden = !column || column.kind === "category";
    if (this.element.hidden) return;
    Object.assign(this, { column }, limits(column.numbers));
    const counts = new Array(BARS).fill(0);
    const width = this.most - this.least || 1;
    for (const value of column.numbers) {
      if (Number.isFinite(value)) counts[Math.min(BARS - 1, Math.floor(((value - this.least) / width) * BARS))] += 1;
    }
    const highest = Math.max(...counts);
    this.bars.replaceChildren(...counts.map((count) => {
      const bar = make("span");
      bar.style.height = `${count ? Math.max(4, (100 * count) / highest) : 0}%`;
      return bar;
    }));
    const step = (value) => Math.round(((value - this.least) / width) * STEPS);
    this.ends[0].value = filter ? step(filter.from) : 0;
    this.ends[1].value = filter ? step(filter.to) : STEPS;
    this.say();
  }

  values() {
    const steps = this.ends.map((end) => Number(end.value)).sort((a, b) => a - b);
    return steps.map((step) => this.least + (step / STEPS) * (this.most - this.least));
  }

  say() {
    const texts = this.values().map((value) => written(this.column, value));
    this.text.textContent = `${texts[0]} to ${texts[1]}`;
    this.ends.forEach((end, k) => end.setAttribute("aria-valuetext", texts[k]));
  }

  told() {
    const [from, to] = this.values();
    this.change(from > this.least || to < this.most ? [from, to] : null);
  }
}
