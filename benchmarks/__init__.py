"""Speed and scale; each program prints a table and a line of JSON."""
