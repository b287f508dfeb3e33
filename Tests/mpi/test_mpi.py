"""Training in several processes, by mpirun."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

if shutil.which("mpirun") is None:
    pytest.skip("no mpirun", allow_module_level=True)

JOB = Path(__file__).with_name("job.py")
ENVIRONMENT = os.environ | {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
}


def start(ranks, *arguments):
    command = ["mpirun", "-n", str(ranks), sys.executable, str(JOB), *map(str, arguments)]
    return subprocess.Popen(
        command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def run(ranks, what, output, *further):
    process = start(ranks, what, output, *further)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    with np.load(output) as file:
        return file["losses"], file["Y"]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return run(1, "train", tmp_path_factory.mktemp("alone") / "result.npz")


@pytest.mark.parametrize("ranks", [2, 4])
def test_ranks_follow_one(ranks, alone, tmp_path):
    """Of a batch that is cut, the losses of fifty steps."""
    losses, _ = run(ranks, "train", tmp_path / "result.npz")
    assert len(losses) == len(alone[0]) == 100
    np.testing.assert_allclose(losses[:50], alone[0][:50], rtol=1e-4)


def test_trained_temperature(tmp_path):
    expected, _ = run(1, "temperature", tmp_path / "one.npz")
    losses, _ = run(2, "temperature", tmp_path / "two.npz")
    np.testing.assert_allclose(losses[:50], expected[:50], rtol=1e-4)


def test_degrees_of_a_stretched_stage(tmp_path):
    """They are those of the epoch that the schedule has reached, not of the epoch that is counted."""
    expected, _ = run(1, "stretched", tmp_path / "one.npz")
    losses, _ = run(2, "stretched", tmp_path / "two.npz")
    assert len(losses) == 80
    np.testing.assert_allclose(losses[:50], expected[:50], rtol=1e-4)


def test_messages_of_a_few_numbers(alone, tmp_path):
    losses, _ = run(2, "small-messages", tmp_path / "result.npz")
    np.testing.assert_allclose(losses[:50], alone[0][:50], rtol=1e-4)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("lr", "lr: rank 0 has 'auto', rank 1 0.2"),
        ("batch_size", "batch_size: rank 0 has 20, rank 1 30"),
        ("n_views", "n_views: rank 0 has 2, rank 1 3"),
        ("total_epochs", "total_epochs: rank 0 has [10, 5, 5], rank 1 [10, 5, 6]"),
        ("images", "values of X: rank 0 has "),
        ("n", "X: rank 0 has 'B (100, 12, 12, 3)', rank 1 'B (90, 12, 12, 3)'"),
        ("lr_scheduler", "rank 1 of 2: ValueError: lr_scheduler: got 'none'"),
    ],
)
def test_ranks_that_were_given_others_do_not_begin(what, message, tmp_path):
    process = start(2, f"other-{what}", tmp_path / "result.npz")
    out, err = process.communicate(timeout=60)
    assert process.returncode != 0 and message in err, out + err


def test_a_checkpoint_that_one_rank_sees_alone(tmp_path):
    path = tmp_path / "run.ckpt"
    run(2, "checkpoint-stop", tmp_path / "first.npz", path)
    process = start(2, "other-checkpoint", tmp_path / "result.npz", path)
    out, err = process.communicate(timeout=60)
    assert process.returncode != 0 and "checkpoint: rank 0 has " in err, out + err


def test_statistics_of_each_rank(tmp_path):
    """They are those of one process that works on a batch in two parts."""
    losses, _ = run(2, "own-statistics", tmp_path / "ranks.npz")
    expected, _ = run(1, "two-parts", tmp_path / "parts.npz")
    np.testing.assert_allclose(losses[:50], expected[:50], rtol=1e-4)


def test_resumes_on_another_number_of_ranks(alone, tmp_path):
    path = tmp_path / "run.ckpt"
    first, _ = run(2, "checkpoint-stop", tmp_path / "first.npz", path)
    second, _ = run(4, "checkpoint", tmp_path / "second.npz", path)
    assert len(first) == 20 and len(second) == 80
    np.testing.assert_allclose(np.concatenate([first, second])[:50], alone[0][:50], rtol=1e-3)


def test_default_recipe_within_a_time(tmp_path):
    started = time.perf_counter()
    _, Y = run(2, "recipe", tmp_path / "result.npz")
    assert np.isfinite(Y).all() and time.perf_counter() - started < 60


@pytest.mark.parametrize("what", ["die", "fail"])
def test_one_rank_ends_the_job(what, tmp_path):
    started = time.perf_counter()
    process = start(3, what, tmp_path / "result.npz")
    out, err = process.communicate(timeout=60)
    assert process.returncode != 0 and time.perf_counter() - started < 40
    assert ("killed" in (out + err).lower()) if what == "die" else "rank 0 of 3 failed" in err


def test_the_command(tmp_path):
    """Rank 0 writes, and the others are silent."""
    (tmp_path / "photos").mkdir()
    for i, picture in enumerate(np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), np.uint8)):
        Image.fromarray(picture).save(tmp_path / "photos" / f"{i}.png")
    command = [sys.executable, "-m", "tsimcne_swift", "embed", "photos", "-o", "map.html", "--max-time", "8s"]
    result = subprocess.run(
        ["mpirun", "-n", "4", *command, "--jobs", "1", "--json"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) == 1 and '"images": 40' in result.stdout
    assert (tmp_path / "map.html").exists() and not (tmp_path / "map.checkpoint").exists()


def test_the_command_ends_in_all_ranks_where_rank_0_may_not_write(tmp_path):
    (tmp_path / "map.html").write_text("mine")
    command = [sys.executable, "-m", "tsimcne_swift", "embed", "photos", "-o", "map.html"]
    result = subprocess.run(
        ["mpirun", "-n", "3", *command],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode != 0 and "map.html, there already" in result.stderr
    assert (tmp_path / "map.html").read_text() == "mine"
