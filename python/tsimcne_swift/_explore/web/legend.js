// What the colours mean, and what a click on a colour does.

// Of a column: three bytes of colour for each image.
function colorsBy(column, count) {
  const rgbs = new Uint8Array(3 * count);
  const scale = column && column.kind !== "category" ? limits(column.numbers) : null;
  for (let i = 0; i < count; i++) {
    let color = FIRST_COLOR;
    if (scale) {
      const value = column.numbers[i];
      color = Number.isNaN(value) ? NO_LABEL : shade((value - scale.low) / (scale.high - scale.low || 1));
    } else if (column) {
      color = column.colors[column.values[i]];
    }
    for (let part = 0; part < 3; part++) rgbs[3 * i + part] = color[part];
  }
  return rgbs;
}

// Values between which nearly all lie.
function limits(values) {
  const finite = values.filter(Number.isFinite).sort();
  const last = finite.length - 1;
  return {
    low: finite[Math.floor(0.01 * last)] ?? 0, high: finite[Math.ceil(0.99 * last)] ?? 1,
    least: finite[0] ?? 0, most: finite[last] ?? 1,
  };
}

const written = (column, value) =>
  column.kind === "time" ? new Date(value).toISOString().slice(0, 10) : String(+value.toPrecision(4));

class Legend {
  // `choose(codes, event)` is told of clicks.
  constructor(thumbnails, choose) {
    this.element = make("div", { className: "legend" });
    Object.assign(this, { thumbnails, choose });
  }

  show(column, states) {
    this.element.replaceChildren();
    if (!column) return;
    if (column.kind === "category") this.categories(column, states);
    else this.ramp(column);
  }

  categories(column, states) {
    const counts = new Array(column.categories.length).fill(0);
    column.values.forEach((code, i) => (counts[code] += states[i] === HIDDEN ? 0 : 1));
    column.categories.forEach((text, code) => {
      const swatch = make("span", { className: "swatch" });
      swatch.style.background = css(column.colors[code]);
      const example = this.thumbnails && column.examples?.[code] >= 0 ? [this.thumbnails.element(column.examples[code], 24)] : [];
      const button = make("button", { type: "button" }, swatch, ...example, text === "" ? "none" : text,
        make("small", { textContent: counts[code].toLocaleString() }));
      button.title = "Click selects, Shift adds or takes away, Alt selects all but this";
      button.onclick = (event) => this.choose(column, code, event);
      this.element.append(button);
    });
  }

  ramp(column) {
    const { low, high } = limits(column.numbers);
    this.element.append(make("div", { className: "ramp" },
      make("span", { textContent: written(column, low) }), make("span", { className: "bar" }),
      make("span", { textContent: written(column, high) })));
  }
}
