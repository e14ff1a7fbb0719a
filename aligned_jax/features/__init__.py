"""Frozen networks that scores and losses are measured with; their weights come from files.

inception = features.load("inception")          # after `aligned features add FILE`
features = inception(images)["features"]        # images in [0, 255]
distances = features.lpips("vgg")(a, b)         # images in [-1, 1]
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
