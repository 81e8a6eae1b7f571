"""Benchmarks: method and figures are in bench/README.md."""
