"""Proof by simulation: vectors, cocotb bench, simulator runner."""
