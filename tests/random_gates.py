"""Random circuits of two-input gates for property tests, small enough to enumerate."""

from hypothesis import strategies as st

from printedmlp.circuit.gates import Gate, GateClassifier


@st.composite
def gate_classifiers(draw, max_features=3, max_bits=3, max_classes=5, max_gates=12):
    """Any gates on any nets below them; constants, unread gates and equal outputs turn up often."""
    sizes = draw(st.integers(1, max_features)), draw(st.integers(1, max_bits)), draw(st.integers(1, max_classes))
    n_nets = 2 + sizes[0] * sizes[1]
    gates: list[Gate] = []
    for table in draw(st.lists(st.integers(0, 15), max_size=max_gates)):
        net = st.integers(0, n_nets + len(gates) - 1)
        gates.append(Gate(table, (draw(net), draw(net))))
    net = st.integers(0, n_nets + len(gates) - 1)
    outputs = tuple(draw(net) for _ in range(max(1, (sizes[2] - 1).bit_length())))
    return GateClassifier(*sizes, tuple(gates), outputs)
