"""Neighbours that several processes find together, and points that they move."""

import pytest
from launch import finish, start


@pytest.mark.parametrize("exact", [0, 1 << 16])
@pytest.mark.parametrize("ranks", [2, 3])
def test_ranks_find_what_one_finds(ranks, exact):
    code, out, err = finish(start(ranks, "search.py", exact, "search"))
    assert code == 0, out + err


@pytest.mark.parametrize("ranks", [2, 3])
@pytest.mark.parametrize("what", ["describe", "move"])
def test_ranks_describe_images_and_move_points_as_one_does(ranks, what):
    code, out, err = finish(start(ranks, "search.py", 1 << 16, what))
    assert code == 0, out + err


@pytest.mark.parametrize("exact", [0, 1 << 16])
@pytest.mark.parametrize(("what", "message"), [("die", "killed"), ("fail", "rank 2 of 3 failed")])
def test_a_rank_that_dies_in_the_search_ends_the_job(what, message, exact):
    code, out, err = finish(start(3, "search.py", exact, what))
    assert code != 0 and message in (out + err).lower()
