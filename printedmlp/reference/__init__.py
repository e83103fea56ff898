"""Published MLP architectures as float networks in PyTorch: what data allow without the limits of a circuit.

One file a paper, with its study of the same name in `studies`. Needs the extra `printedmlp[reference]`; only
`flows.reference` imports this package, so the circuit flow does without PyTorch.
"""
