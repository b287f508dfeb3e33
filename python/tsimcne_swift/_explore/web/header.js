// The row above the map.
function makeHeader(explorer) {
  const { plot, columns, data } = explorer;
  const status = make("output", { className: "status" });
  const search = make("input", { type: "search", placeholder: "Search" });
  search.setAttribute("aria-label", "Search names, labels and metadata");
  let pending = 0;
  search.oninput = () => {
    clearTimeout(pending);
    pending = setTimeout(() => explorer.find(search.value.trim()), 150);
  };
  const chooser = make("select", { onchange: () => explorer.colorBy(chooser.value) });
  chooser.setAttribute("aria-label", "Colour by");
  columns.list.forEach((column, k) => {
    if (column.kind !== "text") chooser.append(make("option", { value: k, textContent: column.name }));
  });
  chooser.append(make("option", { value: "", textContent: "no colour" }));

  const press = (button, isPressed) => button.setAttribute("aria-pressed", isPressed);
  const mode = (name) => {
    plot.pointer.mode = name;
    press(move, name === "move");
    press(lasso, name === "lasso");
  };
  const move = makeButton("Move", "Drag to move the map", () => mode("move"));
  const lasso = makeButton("Lasso", "Drag around images to select them; Shift adds, Alt takes away", () => mode("lasso"));
  mode("move");
  const toggle = (text, label, property) => {
    const button = makeButton(text, label, () => {
      plot[property] = !plot[property];
      press(button, plot[property]);
      plot.request();
    });
    press(button, true);
    return button;
  };
  const pictures = plot.thumbnails ? [toggle("Images", "Show images where there is room", "showsPictures")] : [];
  const undoing = makeButton("Undo", "Undo the last change of selection or filters", () => explorer.undo());
  const tools = make("div", { className: "tools" },
    search, make("label", { textContent: "Colour " }, chooser), move, lasso, ...pictures, toggle("Labels", "Show names on the map", "showsNames"),
    makeButton("+", "Zoom in", () => explorer.zoom(1.5)), makeButton("−", "Zoom out", () => explorer.zoom(1 / 1.5)),
    makeButton("Reset", "Show the whole map", () => explorer.reset()), undoing,
    makeButton("◐", "Light or dark", () => {
      const dark = matchMedia("(prefers-color-scheme: dark)").matches;
      const now = explorer.root.dataset.theme || (dark ? "dark" : "light");
      explorer.root.dataset.theme = now === "dark" ? "light" : "dark";
      plot.request();
    }));
  const header = make("header", {}, make("h1", { textContent: data.title }), status, tools);
  return { header, status, search, chooser, undoing };
}
