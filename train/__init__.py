"""Training programs, one a file; `python -m train.NAME`."""
