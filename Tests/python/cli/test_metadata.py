"""The table beside the images: whose row is whose, and what its columns hold."""

import numpy as np
import pytest
from tsimcne_swift._cli._sources import read_metadata

NAMES = ["cat/1.png", "cat/2.png", "dog/3.png"]


def read(tmp_path, text, names=NAMES, key=None, encoding="utf-8"):
    """The columns, and what was told."""
    path, told = tmp_path / "table.csv", []
    path.write_bytes(text.encode(encoding))
    return read_metadata(path, names, key, told.append), told


KEYS = {
    "whole names": "file,age\ncat/1.png,3\ncat/2.png,4\ndog/3.png,5\n",
    "another order": "age,file\n5,dog/3.png\n4,cat/2.png\n3,cat/1.png\n",
    "files": "file,age\n1.png,3\n2.png,4\n3.png,5\n",
    "no endings": "id,age\n1,3\n2,4\n3,5\n",
    "semicolons": "file;age\ncat/1.png;3\ncat/2.png;4\ndog/3.png;5\n",
    "tabs": "file\tage\ncat/1.png\t3\ncat/2.png\t4\ndog/3.png\t5\n",
    "longer paths": "file,age\n/data/set/cat/1.png,3\n/data/set/cat/2.png,4\n/data/set/dog/3.png,5\n",
    "Windows": "file,age\ncat\\1.png,3\ncat\\2.png,4\ndog\\3.png,5\n",
    "here": "file,age\n./cat/1.png,3\n./cat/2.png,4\n./dog/3.png,5\n",
    "blanks": "file , age\ncat/1.png, 3\ncat/2.png, 4\ndog/3.png, 5\n",
    "capitals": "file,age\nCAT/1.PNG,3\nCAT/2.PNG,4\nDOG/3.PNG,5\n",
    "quotes": '"file","age"\n"cat/1.png","3"\n"cat/2.png","4"\n"dog/3.png","5"\n',
    "a byte-order mark": "\ufefffile,age\ncat/1.png,3\ncat/2.png,4\ndog/3.png,5\n",
    "empty lines": "\nfile,age\n\ncat/1.png,3\n\ncat/2.png,4\ndog/3.png,5\n",
    "other rows": "file,age\nowl/9.png,9\ncat/1.png,3\ncat/2.png,4\ndog/3.png,5\n",
}


@pytest.mark.parametrize("text", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_rows_are_found(text, encoding, tmp_path):
    if encoding == "utf-16" and text.startswith("\ufeff"):
        pytest.skip("it has its mark")
    columns, told = read(tmp_path, text, encoding=encoding)
    assert list(columns) == ["age"] and columns["age"].tolist() == [3, 4, 5]
    assert columns["age"].dtype == np.int64
    assert len(told) == 1 and "has the names" in told[0] and "3 of 3 images have a row" in told[0]
    assert ("1 of 4 rows are of no image" in told[0]) == ("owl" in text)


def test_the_column_that_tells_most_images_apart_is_the_key(tmp_path):
    text = "label,index,site\n" + "".join(f"{i % 2},{i},{'AB'[i % 2]}\n" for i in range(40))
    names = [str(i) for i in range(40)]
    columns, told = read(tmp_path, text, names)
    assert list(columns) == ["label", "site"] and "column 'index'" in told[0]
    assert columns["label"].tolist() == [0, 1] * 20 and columns["site"].tolist() == ["A", "B"] * 20
    columns, told = read(tmp_path, text, names, key="label")
    assert list(columns) == ["index", "site"] and "2 of 40 images have a row" in told[0]
    assert "'0' has several rows, as have 1 others; the first of them counts" in told[1]


def test_names_of_several_images_have_no_values(tmp_path):
    names = ["cat/1.png", "cat/2.png", "dog/1.png"]
    columns, told = read(tmp_path, "file,age\n1.png,3\n2.png,4\n", names)
    np.testing.assert_array_equal(columns["age"], [np.nan, 4, np.nan])
    assert "'1.png' is the name of several images" in told[1] and "write the folders, too" in told[1]
    columns, told = read(tmp_path, "file,age\nx/cat/1.png,3\nx/dog/1.png,5\nx/cat/2.png,4\n", names)
    assert columns["age"].tolist() == [3, 4, 5] and len(told) == 1


CELLS = {
    "whole": (["1", "-2", "30"], np.int64, [1, -2, 30]),
    "large": (["20230415123", "9007199254740993", "1"], np.int64, [20230415123, 9007199254740993, 1]),
    "missing": (["1", "", "NA"], np.float64, [1, np.nan, np.nan]),
    "large and missing": (["9007199254740993", "", "1"], object, [9007199254740993, None, 1]),
    "fractions": (["1.5", "1e3", "nan"], np.float64, [1.5, 1000, np.nan]),
    "leading zeros": (["007", "12", ""], object, ["007", "12", ""]),
    "with underscores": (["1_0", "2", "3"], object, ["1_0", "2", "3"]),
    "truth": (["true", "False", ""], object, [True, False, None]),
    "days": (["2024-01-31", "", "2023-12-01"], "datetime64[us]", ["2024-01-31", "NaT", "2023-12-01"]),
    "moments": (["2024-01-31 10:20:30", "2024-01-31T10:20", "2023:12:01 00:00:00"], "datetime64[us]",
                ["2024-01-31T10:20:30", "2024-01-31T10:20", "2023-12-01"]),
    "no day": (["2024-02-31", "2024-01-01", ""], object, ["2024-02-31", "2024-01-01", ""]),
    "text": (["a", "N/A", "1"], object, ["a", "", "1"]),
    "nothing": (["", "NA", "null"], object, ["", "", ""]),
}  # fmt: skip


@pytest.mark.parametrize(("cells", "dtype", "values"), CELLS.values(), ids=CELLS)
def test_columns_are_what_they_look_like(cells, dtype, values, tmp_path):
    rows = "".join(f"{name},{cell}\n" for name, cell in zip(NAMES, cells, strict=True))
    column = read(tmp_path, "file,value\n" + rows)[0]["value"]
    assert column.dtype == dtype
    np.testing.assert_array_equal(column, np.array(values, dtype))


def test_commas_of_fractions(tmp_path):
    columns, _ = read(tmp_path, "file;weight\ncat/1.png;1,5\ncat/2.png;2\ndog/3.png;\n")
    np.testing.assert_array_equal(columns["weight"], [1.5, 2, np.nan])


def test_other_encodings_are_told(tmp_path):
    columns, told = read(tmp_path, "file,city\ncat/1.png,Bonn\ncat/2.png,Köln\n", encoding="latin-1")
    assert columns["city"].tolist() == ["Bonn", "K\udcf6ln", ""]
    assert "table.csv is not UTF-8 (line 3)" in told[0]


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        (
            "file,age\nx.png,33\n",
            None,
            "got no column of .*table.csv with names of images, such as 'cat/1.png'",
        ),
        ("file,age\ncat/1.png,3\n", "name", "key: got 'name', want one of the columns of .*: file, age"),
        ("file,age\ncat/1.png,33\n", "age", "got column 'age' of .*table.csv without names of images"),
        ("file,age\n", None, "got no rows in .*table.csv"),
        ("", None, "got no rows in .*table.csv"),
        ("file,age,age\ncat/1.png,3,4\n", None, "got two columns 'age' in .*table.csv"),
        ('file,age\ncat/1.png,"3' + "x" * 200_000, None, "table.csv, which is no table"),
    ],
)
def test_bad_tables(text, key, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, text, key=key)


def test_accents_that_are_written_in_two_ways(tmp_path):
    """A Mac's file system writes a letter and its accent, a spreadsheet one character."""
    columns, told = read(tmp_path, "file,age\nKöln.png,3\nÉvry.png,4\n", ["Ko\u0308ln.png", "E\u0301vry.png"])
    assert columns["age"].tolist() == [3, 4] and "2 of 2 images have a row" in told[0]
