// What is known of each image.
class Columns {
  constructor(data) {
    this.names = data.names;
    this.links = data.links;
    this.list = [...data.columns, ...data.clusters].map((column) => {
      if (column.kind === "text") return column;
      if (column.kind === "time") return { ...column, numbers: Float64Array.from(column.values, moment) };
      if (column.kind === "number") {
        const numbers = doubles(column.values);
        return { ...column, values: numbers, numbers };
      }
      return { ...column, values: floats(column.values), colors: column.colors.map(rgb) };
    });
  }

  get clusters() {
    return this.list.filter((column) => column.examples);
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

  // The address of an image's original; null where there is none, or it is no page's or file's.
  link(i) {
    if (!this.links?.[i]) return null;
    try {
      const { href, protocol } = new URL(this.links[i], document.baseURI);
      return ["http:", "https:", "file:"].includes(protocol) ? href : null;
    } catch {
      return null;
    }
  }

  members(column, code) {
    const found = [];
    column.values.forEach((value, i) => value === code && found.push(i));
    return found;
  }

  // Images that have all words of a query, each anywhere.
  search(query, count) {
    const words = query.toLowerCase().split(/\s+/);
    const searched = this.list.filter((column) => column.kind !== "number");
    const known = searched.map((column) => column.categories?.map((text) => text.toLowerCase()));
    const found = [];
    for (let i = 0; i < count; i++) {
      const texts = [this.name(i).toLowerCase(), ...searched.map((column, k) =>
        known[k] ? known[k][column.values[i]] : column.values[i].toLowerCase())];
      if (words.every((word) => texts.some((text) => text.includes(word)))) found.push(i);
    }
    return found;
  }

  // The images most like some: those that are near neighbours of many of them, the first of each counting most.
  like(neighbors, indices) {
    const scores = new Map();
    for (const i of indices) {
      for (let k = 0; k < neighbors.count; k++) {
        const other = neighbors.values[i * neighbors.count + k];
        scores.set(other, (scores.get(other) ?? 0) + 1 / (k + 1));
      }
    }
    for (const i of indices) scores.delete(i);
    return [...scores].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([i]) => i);
  }
}

// The nearest images to each in the features, the nearest first. Those of a folder are read when they are wanted.
class Neighbors {
  constructor({ count, bytes, values, pieces }) {
    Object.assign(this, { count, pieces, asked: new Map(), known: new Set() });
    if (pieces) this.values = new Uint32Array(count * pieces.count);
    else this.values = new (bytes === 2 ? Uint16Array : Uint32Array)(bytesOf(values).buffer);
  }

  has(i) {
    return !this.pieces || this.known.has(Math.floor(i / this.pieces.piece));
  }

  // Reads what is wanted for some images.
  need(indices) {
    if (!this.pieces) return Promise.resolve();
    const numbers = new Set(Array.from(indices, (i) => Math.floor(i / this.pieces.piece)));
    return Promise.all(Array.from(numbers, (k) => {
      if (!this.asked.has(k)) this.asked.set(k, this.read(k));
      return this.asked.get(k);
    }));
  }

  async read(k) {
    const bytes = bytesOf(await this.pieces.read(`data/neighbors-${k}`));
    this.values.set(new Uint32Array(bytes.buffer), k * this.pieces.piece * this.count);
    this.known.add(k);
  }
}
