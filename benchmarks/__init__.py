"""Benchmarks against other libraries: `python -m benchmarks NAME`, one module per benchmark.

`docs/benchmarks.md` says how to run them, what they measure and what came out.
"""
