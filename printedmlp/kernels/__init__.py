"""Fast twins of `DiscreteMLP.predict` over whole populations, one module per way of compiling them.

A kernel module offers `count_correct` and `classify` with the signatures of `printedmlp.kernels.loops`: chromosomes
in, samples in padded blocks, answers out. Every kernel gives the same bits as `DiscreteMLP.predict`.
"""
