"""Speed and memory of tsimcne-swift beside PyTorch, tsimcne and torchvision, in one run.

``python -m benchmarks.speed --help``; ``make bench`` sets up the environment and runs all of it.
"""
