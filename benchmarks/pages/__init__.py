"""The page of a map beside those of its peers, in headless Chromium, which draws without a graphics card."""
