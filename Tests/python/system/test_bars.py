"""Progress where no person looks: a few whole lines."""

import io

import pytest
from tsimcne_swift._system import bars


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves."""
    now = [100.0]
    monkeypatch.setattr(bars.time, "monotonic", lambda: now[0])
    return now


def test_lines_are_few_and_the_last_is_there(clock):
    stream = io.StringIO()
    lines = bars.Lines(stream)
    for second in range(600):
        clock[0] = 100.0 + second
        lines.write(f"\rreading: {second}   ")
    lines.write("\n")
    found = [int(line.removeprefix("reading: ")) for line in stream.getvalue().splitlines()]
    assert found == [0, 2, 6, 14, 30, 62, 126, 246, 366, 486, 599]


def test_a_closed_line_is_not_said_twice(clock):
    stream = io.StringIO()
    lines = bars.Lines(stream)
    lines.write("\rdone: 100%")
    lines.write("\n")
    assert stream.getvalue() == "done: 100%\n"


def test_bars_write_lines_into_a_file(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(bars.sys, "stderr", stream)
    with bars.make_bar(total=1000, desc="reading set", unit="image", mininterval=0) as bar:
        for _ in range(1000):
            bar.update()
    first, last = stream.getvalue().splitlines()
    assert first.startswith("reading set:   0% 0/1000") and last.startswith("reading set: 100% 1000/1000")
