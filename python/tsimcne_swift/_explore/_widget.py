"""The page's program in a notebook: one model holds it, from which each map's widget takes it."""

from __future__ import annotations

from typing import Any

from ._page import program, read

EXPORT = "export default TSimCNE;\n"
RENDER = """
const REFERENCE = "IPY_MODEL_";

// It is compiled once for all widgets: the model that holds it keeps what came of that.
function compiled(shared) {
  return (shared.compiled ??= (async () => {
    const address = URL.createObjectURL(new Blob([shared.get("code")], { type: "text/javascript" }));
    try {
      return (await import(address)).default;
    } finally {
      URL.revokeObjectURL(address);
    }
  })());
}

async function render({ model, el }) {
  const shared = await model.widget_manager.get_model(model.get("program").slice(REFERENCE.length));
  const TSimCNE = await compiled(shared);
  const style = document.createElement("style");
  style.textContent = shared.get("css");
  const root = document.createElement("div");
  root.className = "in-notebook";
  el.append(style, root);
  const tell = (indices) => {
    model.set("selection", Array.from(indices));
    model.save_changes();
  };
  const explorer = TSimCNE.mount(root, JSON.parse(model.get("data")), tell, model.get("selection"));
  const hear = () => explorer.hear(model.get("selection"));
  model.on("change:selection", hear);
  return () => model.off("change:selection", hear);
}
export default { render };
"""
# The one with the program, while there is one.
_shared: list[Any] = []


def make_widget(data: str) -> Any:
    """A widget whose ``selection`` is a list of indices."""
    import anywidget
    import traitlets
    from ipywidgets import widget_serialization

    class Widget(anywidget.AnyWidget):
        _esm = RENDER
        program = traitlets.Instance(anywidget.AnyWidget).tag(sync=True, **widget_serialization)
        data = traitlets.Unicode().tag(sync=True)
        selection = traitlets.List(traitlets.Int()).tag(sync=True)

    return Widget(program=_program(), data=data)


def _program() -> Any:
    """The model that holds program and style, made anew where the notebook has closed it."""
    import anywidget
    import traitlets

    class Program(anywidget.AnyWidget):
        _esm = "export default {};"
        code = traitlets.Unicode().tag(sync=True)
        css = traitlets.Unicode().tag(sync=True)

    if not _shared or _shared[0].comm is None:
        _shared[:] = [Program(code=program() + EXPORT, css=read("app.css"))]
    return _shared[0]
