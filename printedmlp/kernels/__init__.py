"""What runs often enough to be compiled: population evaluation, costs, annealing, gate-level simulation.

Loops are compiled by numba. The evaluation of populations also exists as C++ for the vectors of the machine, see
`printedmlp.kernels.native`. Every kernel gives the same bits as the slow definition that it stands for.
"""
