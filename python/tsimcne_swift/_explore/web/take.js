// What is taken away from the page: tables, lists, scripts, pictures, and its address.

// Text that no spreadsheet takes for a formula, in quotes where a table needs them.
function cell(text) {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function table(columns, x, y, indices) {
  const lines = [["index", "name", "x", "y", ...columns.list.map((column) => cell(column.name))].join(",")];
  for (const i of indices) {
    const known = columns.list.map((column) =>
      column.kind === "number" ? (Number.isNaN(column.values[i]) ? "" : column.values[i]) : cell(columns.text(column, i)));
    lines.push([i, cell(columns.name(i)), +x[i].toPrecision(6), +y[i].toPrecision(6), ...known].join(","));
  }
  return `${lines.join("\n")}\n`;
}

// Copies files with their folders; a name that leaves them is left out.
function copyScript(names) {
  const files = names.filter((name) => !name.split("/").includes(".."));
  let end = "IMAGES";
  while (files.includes(end)) end += "_";
  return [
    "#!/bin/sh",
    "# Copies the selected images, with their folders: sh copy.txt FOLDER, from where these names are files.",
    'mkdir -p "${1:-selected}"',
    `while IFS= read -r file; do cp --parents -- "$file" "\${1:-selected}/"; done <<'${end}'`,
    ...files, end, "",
  ].join("\n");
}

// The view as a picture: dots, images and names, on the page's paper.
function asPng(plot) {
  plot.frame();
  const canvas = make("canvas", { width: plot.base.width, height: plot.base.height });
  const context = canvas.getContext("2d");
  context.fillStyle = colorOf(plot.element, "--paper");
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(plot.base, 0, 0);
  context.drawImage(plot.top, 0, 0);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

async function asSvg(plot) {
  plot.frame();
  const { view, size, order, states, sprites } = plot;
  const round = (value) => Math.round(100 * value) / 100;
  const parts = [`<rect width="100%" height="100%" fill="${colorOf(plot.element, "--paper")}"/>`];
  for (const layer of plot.layers()) {
    parts.push(`<g fill-opacity="${round(layer.opacity)}">`);
    for (const i of order) {
      const [left, top] = view.toScreen(plot.x[i], plot.y[i]);
      if (states[i] !== layer.state || left < -size || top < -size || left > view.width + size || top > view.height + size) continue;
      const color = css(plot.rgbs.slice(3 * i, 3 * i + 3)).replaceAll(" ", ",");
      parts.push(`<circle cx="${round(left)}" cy="${round(top)}" r="${round(layer.size / 2)}" fill="${color}"/>`);
    }
    parts.push("</g>");
  }
  for (const { i, left, top, half } of sprites) {
    const [x, y, width, height] = [left - half[0], top - half[1], 2 * half[0], 2 * half[1]].map(round);
    const color = css(plot.rgbs.slice(3 * i, 3 * i + 3)).replaceAll(" ", ",");
    parts.push(`<image x="${x}" y="${y}" width="${width}" height="${height}" preserveAspectRatio="none" href="${await cutOut(plot.thumbnails, i)}"/>`);
    parts.push(`<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="none" stroke="${color}" stroke-width="${FRAME}"/>`);
  }
  const names = plot.showsNames ? plot.names.placed(plot.top.getContext("2d"), view) : [];
  const [ink, paper] = ["--ink", "--paper"].map((name) => colorOf(plot.element, name));
  for (const { text, left, top } of names) {
    const safe = make("span", { textContent: text }).innerHTML;
    parts.push(`<text x="${round(left)}" y="${round(top)}" font-family="sans-serif" font-size="13" font-weight="600" ` +
      `text-anchor="middle" dominant-baseline="central" paint-order="stroke" stroke="${paper}" stroke-width="4" fill="${ink}">${safe}</text>`);
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${view.width}" height="${view.height}">${parts.join("\n")}</svg>\n`;
}

async function cutOut(thumbnails, i) {
  const { atlas, left, top } = thumbnails.find(i);
  const { width, height } = thumbnails;
  thumbnails.opened ??= {};
  const bitmap = (thumbnails.opened[atlas] ??= await createImageBitmap(await thumbnails.blob(atlas)));
  const canvas = make("canvas", { width, height });
  canvas.getContext("2d").drawImage(bitmap, left, top, width, height, 0, 0, width, height);
  return canvas.toDataURL("image/png");
}

// View, colours, filters and selection as the end of an address, and what such an end says.
function toHash(plot, color, filters, selected) {
  const { x, y, scale, homeScale, isHome } = plot.view;
  const said = new URLSearchParams();
  if (!isHome) said.set("view", [x, y, scale / homeScale].map((value) => +value.toPrecision(7)).join(","));
  said.set("colour", color);
  if (filters.length) said.set("filters", JSON.stringify(filters.map((f) => (f.indices ? { ...f, indices: pack(f.indices) } : f))));
  if (selected.length) said.set("selected", pack(selected));
  return `#${said}`;
}

// Nothing of an address is believed that this page does not have.
function fromHash(hash, columns, count) {
  const said = new URLSearchParams(hash.slice(1));
  const view = (said.get("view") ?? "").split(",").map(Number);
  const isColumn = (k) => Number.isInteger(k) && k >= 0 && k < columns.list.length;
  let filters = [];
  try {
    filters = JSON.parse(said.get("filters") ?? "[]").flatMap((f) => {
      if (typeof f.indices === "string") return [{ indices: unpack(f.indices, count), not: Boolean(f.not) }];
      const kind = isColumn(f.column) && columns.list[f.column].kind;
      if (kind === "category" && Array.isArray(f.codes)) return [{ column: f.column, codes: f.codes.filter((code) => columns.list[f.column].categories[code] !== undefined && Number.isInteger(code)), not: Boolean(f.not) }];
      return (kind === "number" || kind === "time") && Number.isFinite(f.from) && Number.isFinite(f.to) ? [{ column: f.column, from: f.from, to: f.to }] : [];
    });
    return {
      view: view.length === 3 && view.every(Number.isFinite) && view[2] > 0 ? view : null,
      color: said.get("colour"), filters, selected: unpack(said.get("selected") ?? "", count),
    };
  } catch {
    return null;
  }
}
