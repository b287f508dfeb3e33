// Opens a map: the data of a single file are in it, those of a folder are read first.

async function openMap(root, data) {
  if (!data.piece) return new Explorer(root, data);
  root.textContent = `${data.title}: ${data.count.toLocaleString()} images are being read`;
  try {
    const pieces = new Pieces(data);
    const read = await readFolder(data, pieces);
    root.textContent = "";
    const explorer = new Explorer(root, read);
    explorer.reading = readTexts(read, pieces).then(
      () => explorer.apply(), (error) => (explorer.status.textContent = error.message));
    return explorer;
  } catch (error) {
    root.textContent = error.message;
    throw error;
  }
}

// What the map wants at once.
async function readFolder(data, pieces) {
  const { x, y } = await pieces.places(data.places);
  const columns = (name) => Promise.all(data[name].map(async (column, k) => ({ ...column, values: await readValues(`${name}-${k}`, column, pieces) })));
  const { thumbnails, neighbors } = data;
  return {
    ...data, x, y,
    columns: await columns("columns"),
    clusters: await columns("clusters"),
    names: data.names && pieces.noTexts(),
    links: data.links && pieces.noTexts(),
    neighbors: neighbors && { ...neighbors, pieces },
    thumbnails: thumbnails && { ...thumbnails, pieces, ranks: await pieces.numbers("ranks", Uint32Array) },
  };
}

async function readValues(name, { kind, bytes }, pieces) {
  if (kind === "category") return pieces.numbers(name, { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array }[bytes]);
  if (kind === "number") return pieces.numbers(name, Float64Array);
  const values = pieces.noTexts();
  // Days colour the map and narrow it; other texts can wait.
  if (kind === "time") await pieces.texts(name, values);
  return values;
}

// Names, addresses and other texts, after the map is there.
async function readTexts(data, pieces) {
  if (data.names) await pieces.texts("names", data.names);
  for (const [k, column] of data.columns.entries()) {
    if (column.kind === "text") await pieces.texts(`columns-${k}`, column.values);
  }
  if (data.links) await pieces.texts("links", data.links);
}
