"""What a step of a stage costs beside others."""

from __future__ import annotations

from .stage import Stage

# A step that trains the output layer or the head only does the forward pass, about a third of the work.
TRAINED = {"all": 1.0, "output": 1 / 3, "head": 1 / 3}
# Cost of a step that begins with features, roughly.
FEATURES = 0.02


def cost(stage: Stage, image: tuple[int, int]) -> float:
    """Cost of a step of a stage, roughly; 1 where everything is trained on views as large as the images.

    ``image`` is (1, 1) for feature vectors, whose steps all cost the same.
    """
    if image == (1, 1):
        return 1.0
    if stage.inputs == "features":
        return FEATURES
    height, width = stage.image_size if isinstance(stage.image_size, tuple) else image
    return TRAINED[stage.trains] * height * width / (image[0] * image[1])
