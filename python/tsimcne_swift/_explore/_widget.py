"""The page's program in a notebook."""

from __future__ import annotations

from typing import Any

from ._page import program, read

RENDER = """
function render({ model, el }) {
  const style = document.createElement("style");
  style.textContent = model.get("css");
  const root = document.createElement("div");
  root.className = "in-notebook";
  el.append(style, root);
  TSimCNE.mount(root, JSON.parse(model.get("data")), (indices) => {
    model.set("selection", Array.from(indices));
    model.save_changes();
  });
}
export default { render };
"""


def make_widget(data: str) -> Any:
    """A widget whose ``selection`` is a list of indices."""
    import anywidget
    import traitlets

    class Widget(anywidget.AnyWidget):
        _esm = program() + RENDER
        data = traitlets.Unicode().tag(sync=True)
        css = traitlets.Unicode().tag(sync=True)
        selection = traitlets.List(traitlets.Int()).tag(sync=True)

    return Widget(data=data, css=read("app.css"))
