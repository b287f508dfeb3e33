"""What the patches of images look like: features that need no training."""
