"""Bit-parallel simulation of a netlist with Python integers.

A signal over n vectors is one integer: bit t is its value for vector t. A gate is then one or two operations on
long integers, so thousands of gates over thousands of vectors take about a tenth of a second.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from printedmlp.circuit.netlist import Netlist
from printedmlp.technology import Cell, Technology

Gate = Callable[..., int]

# Called with the input signals and then the all-ones mask.
_FAST: dict[tuple[int, int], Gate] = {
    (1, 0b01): lambda a, ones: a ^ ones,
    (1, 0b10): lambda a, ones: a,
    (2, 0b0111): lambda a, b, ones: (a & b) ^ ones,
    (2, 0b1000): lambda a, b, ones: a & b,
    (2, 0b0001): lambda a, b, ones: (a | b) ^ ones,
    (2, 0b1110): lambda a, b, ones: a | b,
    (2, 0b0110): lambda a, b, ones: a ^ b,
    (2, 0b1001): lambda a, b, ones: a ^ b ^ ones,
}


def input_bits_of(X: NDArray[np.integer], input_bits: int) -> list[int]:
    """Signals of the circuit's input bits for the rows of X: feature 0 and its bit 0 first.

    X : (n_samples, n_features) codes below 2**input_bits. Returns n_features * input_bits integers.
    """
    X = np.asarray(X)
    assert X.ndim == 2
    assert not X.size or (X.min() >= 0 and X.max() < 1 << input_bits), "codes outside the input's range"
    columns = ((X[:, j] >> bit) & 1 for j in range(X.shape[1]) for bit in range(input_bits))
    return [pack_bits(column) for column in columns]


def pack_bits(values: NDArray[np.integer]) -> int:
    """One signal from its values: values[t], 0 or 1, becomes bit t."""
    packed = np.packbits(values.astype(np.uint8), bitorder="little")
    return int.from_bytes(packed.tobytes(), "little")


def unpack_bits(signal: int, n_vectors: int) -> NDArray[np.uint8]:
    """Values of a signal over its vectors; the inverse of ``pack_bits``."""
    raw = np.frombuffer(signal.to_bytes((n_vectors + 7) // 8, "little"), dtype=np.uint8)
    return np.unpackbits(raw, count=n_vectors, bitorder="little")


def gate_function(cell: Cell) -> Gate:
    """Function of a cell on signals: called with one signal for each input and then the all-ones mask."""
    fast = _FAST.get((len(cell.inputs), cell.truth_table))
    return fast if fast is not None else _sum_of_minterms(cell)


def _sum_of_minterms(cell: Cell) -> Gate:
    minterms = [state for state in range(cell.n_states) if cell.evaluate(state)]

    def evaluate(*signals: int) -> int:
        *inputs, ones = signals
        result = 0
        for state in minterms:
            term = ones
            for i, signal in enumerate(inputs):
                term &= signal if state >> i & 1 else signal ^ ones
            result |= term
        return result

    return evaluate


def simulate(netlist: Netlist, technology: Technology, inputs: Sequence[int], n_vectors: int) -> list[int]:
    """Signal of every net of the netlist, index = net, for ``inputs`` (one signal for each input bit)."""
    assert len(inputs) == netlist.n_inputs, f"{len(inputs)} input signals, {netlist.n_inputs} input bits"
    netlist.check(technology)
    ones = (1 << n_vectors) - 1
    gates = {name: gate_function(technology.cell(name)) for name in netlist.cell_counts()}
    values = [0, ones, *inputs]
    for instance in netlist.instances:
        values.append(gates[instance.cell](*(values[net] for net in instance.inputs), ones))
    return values


def classes(netlist: Netlist, values: Sequence[int], n_vectors: int) -> NDArray[np.int64]:
    """The output word of every vector, out[0] least significant. Returns int64 (n_vectors,)."""
    result = np.zeros(n_vectors, dtype=np.int64)
    for bit, net in enumerate(netlist.outputs):
        result |= unpack_bits(values[net], n_vectors).astype(np.int64) << bit
    return result


def state_probabilities(
    netlist: Netlist, technology: Technology, values: Sequence[int], n_vectors: int
) -> list[tuple[float, ...]]:
    """Share of the vectors in which each instance sees each of its input states.

    Entry k belongs to instance k and has one figure for each state of its cell, in the order of its leakage.
    """
    assert n_vectors > 0
    result = []
    for instance in netlist.instances:
        signals = [values[net] for net in instance.inputs]
        counts = _state_counts(signals, technology.cell(instance.cell).n_states, n_vectors)
        result.append(tuple(count / n_vectors for count in counts))
    return result


def _state_counts(signals: Sequence[int], n_states: int, n_vectors: int) -> list[int]:
    """Vectors in each state: count the vectors with at least a state's ones, then subtract the supersets."""
    counts = [n_vectors] * n_states
    joint = [0] * n_states
    for state in range(1, n_states):
        low = (state & -state).bit_length() - 1
        rest = state & (state - 1)
        joint[state] = signals[low] & joint[rest] if rest else signals[low]
        counts[state] = joint[state].bit_count()
    for i in range(len(signals)):
        for state in range(n_states):
            if not state >> i & 1:
                counts[state] -= counts[state | 1 << i]
    return counts
