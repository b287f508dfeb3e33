// Names of classes and clusters on the map: those of the most images first, and none over another, so that
// there are more of them the nearer one comes.
const LONGEST_NAME = 28;
const NAME_HEIGHT = 18;
const NAME_FONT = "600 13px system-ui, sans-serif";

class Names {
  constructor() {
    this.sets = [];
    this.widths = new Map();
  }

  // Sets of names, each from a zoom on: {from, names: [{text, x, y, count}]}.
  set(sets) {
    this.sets = sets.map(({ from, names }) => ({
      from,
      names: names.toSorted((a, b) => b.count - a.count).map((name) => ({ ...name, text: shortened(name.text) })),
    }));
  }

  // Names with their places on the screen.
  placed(context, view) {
    const zoom = view.scale / view.homeScale;
    const chosen = this.sets.findLast(({ from }) => from <= zoom * 1.001) ?? this.sets[0];
    const placed = [];
    context.font = NAME_FONT;
    for (const { text, x, y } of chosen?.names ?? []) {
      if (!this.widths.has(text)) this.widths.set(text, context.measureText(text).width + 8);
      const half = this.widths.get(text) / 2;
      const [left, top] = view.toScreen(x, y);
      // Names beyond the edges count too: what is shown must not change as the map moves.
      const isFree = placed.every((other) =>
        Math.abs(other.top - top) >= NAME_HEIGHT || Math.abs(other.left - left) >= other.half + half);
      if (isFree) placed.push({ text, left, top, half });
    }
    return placed.filter(({ left, top, half }) =>
      left > -half && left < view.width + half && top > -NAME_HEIGHT && top < view.height + NAME_HEIGHT);
  }
}

const shortened = (text) => (text.length > LONGEST_NAME ? `${text.slice(0, LONGEST_NAME - 1)}…` : text);

// Where the members of a class lie closest: their mean may lie in another's land.
function densest(x, y, members) {
  const step = Math.max(1, Math.floor(members.length / 200));
  const sample = members.filter((_, k) => k % step === 0);
  let [best, least] = [members[0], Infinity];
  for (const i of sample) {
    const distances = sample.map((k) => (x[i] - x[k]) ** 2 + (y[i] - y[k]) ** 2).sort((a, b) => a - b);
    const quarter = distances[Math.floor(distances.length / 4)];
    if (quarter < least) [best, least] = [i, quarter];
  }
  return best;
}

// Zooms from which each level of clusters gives its names.
const CLUSTER_ZOOMS = [0, 2.5, 7];

// Names for what the map shows: of the classes that colour it, else of the clusters, finer ones as one comes
// nearer.
function nameSets(columns, column, { x, y, states }) {
  const isClasses = column?.kind === "category" && !column.examples;
  return (isClasses ? [column] : columns.clusters).map((named, level) => {
    const members = named.categories.map(() => []);
    named.values.forEach((code, i) => states[i] !== HIDDEN && members[code].push(i));
    const names = members.flatMap((indices, code) => {
      if (!indices.length || named.categories[code] === "") return [];
      const i = densest(x, y, indices);
      return [{ text: named.categories[code], x: x[i], y: y[i], count: indices.length }];
    });
    return { from: CLUSTER_ZOOMS[level], names };
  });
}
