"""Star clusters with massless particles: their start, their motion, and the table of who escapes.

Everything here gives the same bits on every x86-64 machine, see `printedmlp.kernels.gravity`. Units are Hénon's:
G = M = 1 and total energy -1/4, so the virial radius is 1 and a crossing takes 2 sqrt(2).
"""
