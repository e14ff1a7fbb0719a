"""Images moved, turned and stretched by an inverse map, in the form that the device likes.

`gather` reads the pixels around every place one by one, which CPUs and GPUs do well. TPUs do
not: there tiles of places are products with windows of pixels. `taps` has the mathematics,
`windows` says which pixels a tile needs, `kernels` and `calls` compute, `linear` gives that
derivatives, and `dispatch` chooses.
"""
