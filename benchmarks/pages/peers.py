"""Writes the pages of Embedding Atlas and datamapplot; run by a Python that has one of them, or both.

PYTHON peers.py embedding-atlas|datamapplot table.parquet OUTPUT: the table has x, y, label and perhaps image.
Prints the page to open, relative to OUTPUT, or nothing where it cannot be drawn without a server elsewhere.
"""

import sys
from pathlib import Path


def embedding_atlas(table: Path, output: Path) -> str:
    """What ``embedding-atlas --export-application`` writes, without the models that its command asks for."""
    import embedding_atlas
    import pandas as pd
    from embedding_atlas.data_source import DataSource
    from embedding_atlas.options import make_embedding_atlas_props

    frame = pd.read_parquet(table)
    frame["id"] = range(len(frame))
    image = {"image": "image"} if "image" in frame else {}
    props = make_embedding_atlas_props(row_id="id", x="x", y="y", **image)
    static = Path(embedding_atlas.__file__).parent / "static"
    DataSource("benchmark", frame, {"props": props}).export_to_folder(str(static), str(output))
    return "index.html"


def datamapplot(table: Path, output: Path) -> str:
    """The interactive plot with its data in the file; offline where its libraries were cached before."""
    import datamapplot
    import pandas as pd
    from datamapplot.offline_mode_caching import DEFAULT_CACHE_FILES

    frame = pd.read_parquet(table)
    is_cached = all(Path(file).exists() for file in DEFAULT_CACHE_FILES.values())
    plot = datamapplot.create_interactive_plot(
        frame[["x", "y"]].to_numpy(), frame["label"].to_numpy(), inline_data=True, offline_mode=is_cached
    )
    output.mkdir(parents=True)
    plot.save(str(output / "index.html"))
    return "index.html" if is_cached else ""


if __name__ == "__main__":
    write = {"embedding-atlas": embedding_atlas, "datamapplot": datamapplot}[sys.argv[1]]
    print(write(Path(sys.argv[2]), Path(sys.argv[3])))
