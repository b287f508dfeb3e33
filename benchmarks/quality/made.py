"""Image sets made here, with other statistics than photographs: textures, cells under a microscope."""

from __future__ import annotations

import numpy as np


def textures(n: int = 6000, classes: int = 20, size: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Colour images of noise that is filtered in one way for each class: direction, scale, sharpness.

    Colours and contrast are each image's own and say nothing of the class.
    """
    random = np.random.default_rng(0)
    labels = random.integers(0, classes, n)
    angles, scales = np.linspace(0, np.pi, 5, endpoint=False), (0.12, 0.25)
    fy, fx = np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size), indexing="ij")
    result = np.empty((n, size, size, 3), np.uint8)
    for image, label in zip(result, labels, strict=True):
        angle = angles[label % 5] + random.normal(0, 0.08)
        scale = scales[label // 5 % 2] * np.exp(random.normal(0, 0.08))
        along = fy * np.sin(angle) + fx * np.cos(angle)
        across = fx * np.sin(angle) - fy * np.cos(angle)
        passed = np.exp(-(((np.abs(along) - scale) / 0.05) ** 2) - (across / 0.08) ** 2)
        wave = np.fft.ifft2(np.fft.fft2(random.standard_normal((size, size))) * passed).real
        wave /= wave.std()
        # Half of the classes have edges where the others have waves.
        wave = np.sign(wave) if label >= 10 else wave
        ends = random.uniform(40, 215, (2, 3))
        part = np.clip(0.5 + 0.3 * random.uniform(0.6, 1) * wave, 0, 1)[..., None]
        image[...] = np.clip(ends[0] * part + ends[1] * (1 - part) + random.normal(0, 6, image.shape), 0, 255)
    return result, labels


def cells(n: int = 6000, size: int = 48) -> tuple[np.ndarray, np.ndarray]:
    """Grey images of one to three spots on noise, as by fluorescence: 8 kinds, at random places and turns.

    Kinds are small and large discs, rings, rods, pairs, crosses, crescents and clouds of grains.
    """
    random = np.random.default_rng(1)
    labels = random.integers(0, 8, n)
    y, x = np.mgrid[:size, :size].astype(float)
    result = np.empty((n, size, size), np.uint8)
    for image, label in zip(result, labels, strict=True):
        light = np.zeros((size, size))
        for _ in range(random.integers(1, 4)):
            center = random.uniform(10, size - 10, 2)
            turn = random.uniform(0, 2 * np.pi)
            v, u = y - center[0], x - center[1]
            a, b = u * np.cos(turn) + v * np.sin(turn), v * np.cos(turn) - u * np.sin(turn)
            radius = np.hypot(a, b)
            shapes = (
                radius < 3,
                radius < 6.5,
                np.abs(radius - 5.5) < 1.3,
                (np.abs(a) < 8) & (np.abs(b) < 2),
                (np.hypot(a - 3.5, b) < 2.7) | (np.hypot(a + 3.5, b) < 2.7),
                ((np.abs(a) < 6.5) & (np.abs(b) < 1.4)) | ((np.abs(b) < 6.5) & (np.abs(a) < 1.4)),
                (radius < 6.5) & (np.hypot(a - 3, b) > 5),
                (radius < 7) & (random.uniform(size=radius.shape) < 0.3),
            )
            light += random.uniform(30, 70) * shapes[label]
        # The lens blurs a little.
        for axis in (0, 1):
            light = (np.roll(light, 1, axis) + 2 * light + np.roll(light, -1, axis)) / 4
        image[...] = np.clip(light + random.normal(random.uniform(12, 30), 6, light.shape), 0, 255)
    return result, labels


def fluorescence(noise: float, n: int = 2000, size: int = 48) -> np.ndarray:
    """Dark grey images of one to three spots of 30 to 70 levels on noise, all different."""
    random = np.random.default_rng(2)
    y, x = np.mgrid[:size, :size]
    images = 12 + random.normal(0, noise, (n, size, size))
    for image in images:
        for _ in range(random.integers(1, 4)):
            row, column, width = *random.uniform(4, size - 4, 2), random.uniform(1.5, 3)
            distances = (y - row) ** 2 + (x - column) ** 2
            image += random.uniform(30, 70) * np.exp(-distances / (2 * width**2))
    return np.clip(np.rint(images), 0, 255).astype(np.uint8)


def walls(n: int = 2000, size: int = 48) -> np.ndarray:
    """Light colour images of nothing but a shade and a spot, all different."""
    random = np.random.default_rng(3)
    y, x = np.mgrid[:size, :size] / size
    result = np.empty((n, size, size, 3), np.uint8)
    for image in result:
        slope = random.uniform(-10, 10, (2, 3))
        light = random.uniform(200, 240, 3) + y[..., None] * slope[0] + x[..., None] * slope[1]
        row, column, radius = *random.uniform(0.2, 0.8, 2), random.uniform(0.06, 0.15)
        is_spot = ((y - row) ** 2 + (x - column) ** 2 < radius**2)[..., None]
        light -= is_spot * random.uniform(15, 40, 3)
        image[...] = np.clip(np.rint(light + random.normal(0, 2, light.shape)), 0, 255)
    return result
