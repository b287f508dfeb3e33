"""Training in several processes, by mpirun."""

import subprocess
import sys
import time

import numpy as np
import pytest
from launch import ENVIRONMENT, finish, start
from PIL import Image


def run(ranks, what, output, *further):
    code, out, err = finish(start(ranks, "job.py", what, output, *further))
    assert code == 0, out + err
    with np.load(output) as file:
        return file["losses"], file["Y"]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return run(1, "train", tmp_path_factory.mktemp("alone") / "result.npz")


@pytest.mark.parametrize("ranks", [2, 4])
def test_ranks_follow_one(ranks, alone, tmp_path):
    """Of a batch that is cut, the losses of all steps."""
    losses, _ = run(ranks, "train", tmp_path / "result.npz")
    assert len(losses) == len(alone[0]) == 20
    np.testing.assert_allclose(losses, alone[0], rtol=1e-5)


def test_trained_temperature(tmp_path):
    expected, _ = run(1, "temperature", tmp_path / "one.npz")
    losses, _ = run(2, "temperature", tmp_path / "two.npz")
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_annealing_of_a_stretched_stage(tmp_path):
    """Degrees of freedom and dimension are those of the epoch that the schedule has reached, not of the one
    that is counted, of which there are more than were written.
    """
    expected, _ = run(1, "stretched", tmp_path / "one.npz")
    losses, _ = run(2, "stretched", tmp_path / "two.npz")
    assert len(losses) == 20
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_messages_of_a_few_numbers(alone, tmp_path):
    losses, _ = run(2, "small-messages", tmp_path / "result.npz")
    np.testing.assert_allclose(losses, alone[0], rtol=1e-5)


def test_statistics_of_each_rank(tmp_path):
    """They are those of one process that works on a batch in two parts."""
    losses, _ = run(2, "own-statistics", tmp_path / "ranks.npz")
    expected, _ = run(1, "two-parts", tmp_path / "parts.npz")
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_resumes_on_another_number_of_ranks(alone, tmp_path):
    path = tmp_path / "run.ckpt"
    first, _ = run(2, "checkpoint-stop", tmp_path / "first.npz", path)
    second, _ = run(4, "checkpoint", tmp_path / "second.npz", path)
    assert len(first) == 5 and len(second) == 15
    np.testing.assert_allclose(np.concatenate([first, second]), alone[0], rtol=1e-5)


def test_default_recipe_within_a_time(tmp_path):
    started = time.perf_counter()
    _, Y = run(2, "recipe", tmp_path / "result.npz")
    assert np.isfinite(Y).all() and time.perf_counter() - started < 60


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("die", "killed"),
        ("fail", "rank 0 of 3 failed"),
        ("interrupt", "rank 2 of 3 failed"),
        ("exhaust", "rank 2 of 3 failed"),
    ],
)
def test_one_rank_ends_the_job(what, message, tmp_path):
    started = time.perf_counter()
    code, out, err = finish(start(3, "job.py", what, tmp_path / "result.npz"), timeout=60)
    assert code != 0 and time.perf_counter() - started < 40
    assert message in (out + err).lower()


@pytest.fixture
def photos(tmp_path):
    (tmp_path / "photos").mkdir()
    for i, picture in enumerate(np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), np.uint8)):
        Image.fromarray(picture).save(tmp_path / "photos" / f"{i}.png")
    return "photos"


def embed(folder, *sources):
    """The command in processes of which each is given a source.

    They are told apart by their rank: Open MPI 5.0.7 crashes where it is given several commands.
    """
    options = "-o map.html --max-time 8s --jobs 1 --json"
    command = f'shift "$OMPI_COMM_WORLD_RANK"; exec "$0" -m tsimcne_swift embed "$1" {options}'
    return subprocess.run(
        ["mpirun", "-n", str(len(sources)), "sh", "-c", command, sys.executable, *sources],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_command(photos, tmp_path):
    """Rank 0 writes, and the others are silent."""
    result = embed(tmp_path, *[photos] * 4)
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) == 1 and '"images": 40' in result.stdout
    assert (tmp_path / "map.html").exists() and not (tmp_path / "map.checkpoint").exists()


def test_the_command_ends_in_all_ranks_where_rank_0_may_not_write(photos, tmp_path):
    (tmp_path / "map.checkpoint").write_text("mine")
    result = embed(tmp_path, *[photos] * 3)
    assert result.returncode != 0 and "map.checkpoint is of a run that was interrupted" in result.stderr
    assert (tmp_path / "map.checkpoint").read_text() == "mine"


def test_the_command_where_one_rank_has_no_pictures(photos, tmp_path):
    result = embed(tmp_path, photos, "elsewhere")
    assert result.returncode != 0 and "error: rank 1 of 2: " in result.stderr, result.stderr
    assert "elsewhere" in result.stderr and not (tmp_path / "map.html").exists()
