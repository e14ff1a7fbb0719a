"""Science: what the networks can and cannot do; each program prints a table and writes a page."""
