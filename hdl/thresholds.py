"""Which thresholds of its inputs a netlist can tell apart.

A feature's code comes from comparators, one for each threshold. Threshold j of feature f matters if some codes of
the other features make the circuit answer differently at code j - 1 and at code j. Simulation on many words finds
most of those that do; that the rest do not is proved by ABC, which compares the circuit with the feature fixed to
one code and to the other. Where the proof would be too large the threshold counts as needed: safe, and told.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hdl.blif import logic_blif
from hdl.equivalence import UndecidedError, counterexample
from hdl.frontend import Aig
from hdl.tools import run_abc
from printedmlp.circuit import Instance, Netlist, drop_unread, input_bits_of, simulate
from printedmlp.circuit.netlist import FIRST_INPUT
from printedmlp.technology import Technology

ROUNDS = (256, 4096)
"""Random words of each round of simulation; what a round shows to matter, the next one leaves alone."""
MOST_GATES = 60_000
"""Gates of all circuits with a fixed feature that are handed to one proof, at most."""

Pair = tuple[int, int]
"""A feature and a threshold of it, 1 to 2^bits - 1."""


@dataclass(frozen=True)
class Thresholds:
    """Thresholds that a netlist tells apart.

    Attributes
    ----------
    levels : for each feature the thresholds needed, ascending; empty for one that does not matter.
    undecided : how many of them are kept only because nobody could prove that they do not matter; 0 is exact.
    bits : for each feature the bits of its code that some gate or output reads.
    """

    levels: tuple[tuple[int, ...], ...]
    undecided: int
    bits: tuple[tuple[int, ...], ...]

    @property
    def count(self) -> int:
        """Thresholds of all features."""
        return sum(map(len, self.levels))


def needed_thresholds(
    netlist: Netlist, technology: Technology, X: NDArray[np.uint8], input_bits: int, *, most_gates: int = MOST_GATES
) -> Thresholds:
    """The thresholds of every feature that the netlist's answer depends on.

    Parameters
    ----------
    X : (n_samples, n_features) codes, which help simulation along and decide nothing.
    input_bits : bits of each feature.
    most_gates : size of the largest proof that is tried.
    """
    netlist = drop_unread(netlist)
    read = read_bits(netlist, input_bits)
    pairs = [
        (f, j)
        for f, bits in enumerate(read)
        for j in range(1, 1 << input_bits)
        if any((j ^ (j - 1)) >> bit & 1 for bit in bits)
    ]
    open_pairs = pairs
    for n_random in ROUNDS:
        open_pairs = _unseen(netlist, technology, X, input_bits, open_pairs, n_random)
    needless, undecided = _proved_needless(netlist, technology, input_bits, open_pairs, most_gates)
    needed = [pair for pair in pairs if pair not in needless]
    levels = tuple(tuple(j for g, j in needed if g == f) for f in range(len(read)))
    return Thresholds(levels, undecided, read)


def read_bits(netlist: Netlist, input_bits: int) -> tuple[tuple[int, ...], ...]:
    """For each feature the bits of its code that a gate or an output reads."""
    used = {net for instance in netlist.instances for net in instance.inputs} | set(netlist.outputs)
    places = [net - FIRST_INPUT for net in sorted(used) if FIRST_INPUT <= net < netlist.first_driven]
    n_features = netlist.n_inputs // input_bits
    return tuple(tuple(p % input_bits for p in places if p // input_bits == f) for f in range(n_features))


def _unseen(
    netlist: Netlist,
    technology: Technology,
    X: NDArray[np.uint8],
    input_bits: int,
    pairs: Sequence[Pair],
    n_random: int,
) -> list[Pair]:
    """The pairs on which none of so many rows and random words shows a difference."""
    n_features = netlist.n_inputs // input_bits
    rng = np.random.default_rng(0)
    random = rng.integers(0, 1 << input_bits, size=(n_random, n_features), dtype=np.uint8)
    rows = np.concatenate([np.asarray(X, dtype=np.uint8)[:n_random], random])
    words = input_bits_of(rows, input_bits)
    found = []
    for f in sorted({f for f, _ in pairs}):
        levels = [j for g, j in pairs if g == f]
        codes = sorted({code for j in levels for code in (j - 1, j)})
        answers = {c: _answers(netlist, technology, words, len(rows), input_bits, f, c) for c in codes}
        found += [(f, j) for j in levels if answers[j] == answers[j - 1]]
    return found


def _answers(
    netlist: Netlist,
    technology: Technology,
    words: Sequence[int],
    n: int,
    input_bits: int,
    feature: int,
    code: int,
) -> tuple[int, ...]:
    """Signals of the outputs with one feature at a fixed code."""
    ones = (1 << n) - 1
    fixed = [ones * (code >> bit & 1) for bit in range(input_bits)]
    start = feature * input_bits
    values = simulate(netlist, technology, [*words[:start], *fixed, *words[start + input_bits :]], n)
    return tuple(values[net] for net in netlist.outputs)


def _proved_needless(
    netlist: Netlist, technology: Technology, input_bits: int, pairs: list[Pair], most_gates: int
) -> tuple[set[Pair], int]:
    """Those of the pairs that are proved not to matter, and how many stay open."""
    per_proof = max(1, most_gates // max(1, 2 * len(netlist.instances)))
    if 2 * len(netlist.instances) > most_gates:
        return set(), len(pairs)
    needless: set[Pair] = set()
    undecided = 0
    for start in range(0, len(pairs), per_proof):
        batch = pairs[start : start + per_proof]
        try:
            needless |= _equal(netlist, technology, input_bits, batch)
        except UndecidedError:
            undecided += len(batch)
    return needless, undecided


def _equal(netlist: Netlist, technology: Technology, input_bits: int, pairs: list[Pair]) -> set[Pair]:
    """The pairs whose two circuits are equal; each counterexample takes those away that it tells apart."""
    while pairs:
        below = fixed_circuits(netlist, input_bits, [(f, j - 1) for f, j in pairs])
        above = fixed_circuits(netlist, input_bits, pairs)
        with tempfile.TemporaryDirectory(prefix="printedmlp-") as folder:
            word = counterexample(_aig(below, technology, Path(folder)), above, technology, Path(folder))
        if word is None:
            break
        values = [simulate(side, technology, word, 1) for side in (below, above)]
        outputs = list(zip(below.outputs, above.outputs, strict=True))
        width = len(netlist.outputs)
        equal = [values[0][a] == values[1][b] for a, b in outputs]
        left = [pair for k, pair in enumerate(pairs) if all(equal[k * width : (k + 1) * width])]
        if left == pairs:
            raise UndecidedError("ABC told a word that tells no codes apart")
        pairs = left
    return set(pairs)


def fixed_circuits(netlist: Netlist, input_bits: int, fixed: Sequence[Pair]) -> Netlist:
    """One circuit with a copy of the netlist for each (feature, code), that feature's bits being constants."""
    first, size = netlist.first_driven, len(netlist.instances)
    instances: list[Instance] = []
    outputs: list[int] = []
    for copy, (feature, code) in enumerate(fixed):
        start = FIRST_INPUT + feature * input_bits
        constant = {start + bit: code >> bit & 1 for bit in range(input_bits)}

        def net(old: int, constant: dict[int, int] = constant, shift: int = copy * size) -> int:
            return constant.get(old, old) if old < first else old + shift

        instances += [Instance(i.cell, tuple(net(old) for old in i.inputs)) for i in netlist.instances]
        outputs += [net(old) for old in netlist.outputs]
    return Netlist(netlist.n_inputs, tuple(instances), tuple(outputs))


def _aig(netlist: Netlist, technology: Technology, work_dir: Path) -> Aig:
    (work_dir / "below.blif").write_text(logic_blif(netlist, technology), encoding="utf-8")
    run_abc(["read_blif below.blif", "strash", "write_aiger below.aig"], work_dir, name="below")
    return Aig(work_dir / "below.aig", netlist.n_inputs, len(netlist.outputs), 0)
