"""The page's program in a notebook."""

from __future__ import annotations

from importlib import resources
from typing import Any

FILES = resources.files(__package__)

RENDER = """
function render({ model, el }) {
  if (!globalThis.Plotly) (0, eval)(model.get("plotly"));
  const style = document.createElement("style");
  style.textContent = model.get("css");
  const root = document.createElement("div");
  root.style.height = "640px";
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
    from plotly.offline import get_plotlyjs

    class Widget(anywidget.AnyWidget):
        _esm = (FILES / "app.js").read_text(encoding="utf-8") + RENDER
        data = traitlets.Unicode().tag(sync=True)
        css = traitlets.Unicode().tag(sync=True)
        plotly = traitlets.Unicode().tag(sync=True)
        selection = traitlets.List(traitlets.Int()).tag(sync=True)

    style = (FILES / "app.css").read_text(encoding="utf-8")
    return Widget(data=data, css=style, plotly=get_plotlyjs())
