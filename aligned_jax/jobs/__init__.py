"""What the verbs do, as functions: they take plain arguments and return their results.

    import aligned_jax as aj
    aj.jobs.family(["zoo:personas64", "zoo:critters64"], seeds="0-7").write("family.png")

They load on first use, print nothing, and tell warnings and progress to `report`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
