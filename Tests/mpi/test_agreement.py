"""Ranks that were given others, or of which one cannot begin: an error on every one, and none waits."""

import json

import pytest
from launch import finish, start
from tsimcne_swift._training.agreement import differences, written_ranks

OTHERS = "ValueError: comm: the ranks want the same, but were given others: "
LAST = "OtherRankError: rank 2 of 3: "


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What each of three ranks raised, by case."""
    folder = tmp_path_factory.mktemp("disagreements")
    code, out, err = finish(start(3, "disagreements.py", folder))
    assert code == 0, out + err
    return json.loads((folder / "said.json").read_text())


@pytest.mark.parametrize(
    ("case", "differs"),
    [
        ("lr", "lr: 'auto' on ranks 0 and 1, 0.2 on rank 2"),
        ("batch_size", "batch_size: 20 on ranks 0 and 1, 30 on rank 2"),
        ("n_views", "n_views: 2 on ranks 0 and 1, 3 on rank 2"),
        ("total_epochs", "total_epochs: [{'Stage': {'epochs': 2,"),
        ("sync_batchnorm", "sync_batchnorm: True on ranks 0 and 1, False on rank 2"),
        ("random_state", "random_state: 3 on ranks 0 and 1, 4 on rank 2"),
        ("augmentation", "augmentation: 'natural' on ranks 0 and 1, 'a function' on rank 2"),
        ("align_to", "align_to: None on ranks 0 and 1, "),
        ("number of images", "X: 'B (60, 8, 8, 3)' on ranks 0 and 1, 'B (50, 8, 8, 3)' on rank 2"),
        ("order of images", "values of X: "),
        ("blocks of images", "blocks of X: None on ranks 0 and 1, (256, "),
        ("an image", "weights or normalisation: "),
        ("checkpoint", "checkpoint: \"seed 3, {'stage': 0, 'step': 3,"),
    ],
)
def test_others_are_named_on_every_rank(case, differs, said):
    (text,) = set(said[case])
    assert text.startswith(OTHERS + differs), text


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("wrong scheduler", "ValueError: lr_scheduler: got 'none'"),
        ("wrong flag", "TypeError: sync_batchnorm: got 'yes'"),
        ("wrong images", "ValueError: X: got 1 image"),
    ],
)
def test_what_one_rank_refuses_ends_all(case, message, said):
    first, second, last = said[case]
    assert last.startswith(message), last
    assert first == second == LAST + last


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("too little memory", "ValueError: max_memory: got "),
        ("divergence", "FloatingPointError: training diverged in stage 1"),
        ("divergence at the start", "FloatingPointError: training diverged on rank 2: "),
    ],
)
def test_all_ranks_raise_the_same(case, message, said):
    (text,) = set(said[case])
    assert text.startswith(message), text


def test_the_clock_of_rank_0_counts(said):
    first, *others = said["too little time"]
    assert first.startswith("ValueError: max_time: got ")
    assert others == [f"OtherRankError: rank 0 of 3: {first}"] * 2


@pytest.mark.parametrize("case", ["nothing", "the same map to lie like"])
def test_ranks_train_together_after_errors(case, said):
    assert said[case] == ["trained"] * 3


def test_a_name_that_some_ranks_lack_differs():
    assert differences([{"a": 1}, {"a": 1.0, "b": 2}]) == ["b: None on rank 0, 2 on rank 1"]


def test_of_many_ranks_some_are_named():
    assert written_ranks([4]) == "rank 4"
    assert written_ranks(range(8)) == "ranks 0, 1, 2, 3, 4, 5, 6 and 7"
    assert written_ranks(range(500)) == "ranks 0, 1, 2, 3, 4, 5, 6, 7 and 492 more"
