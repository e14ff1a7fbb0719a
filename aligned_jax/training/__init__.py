"""Adversarial training: options, one state, phases, devices.

Start at `gan_step.GanStep`. Nothing is imported here, so that `options`, which the
command line needs for its help, comes without JAX.
"""
