"""Neighbours that several processes find together."""

import pytest
from launch import finish, start


@pytest.mark.parametrize("exact", [0, 1 << 16])
@pytest.mark.parametrize("ranks", [2, 3])
def test_ranks_find_what_one_finds(ranks, exact):
    code, out, err = finish(start(ranks, "search.py", exact))
    assert code == 0, out + err
