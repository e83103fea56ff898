"""All single stuck-at faults of a small exact network and a tree: the fast simulation against its definition."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hdl.emit import classifier_verilog
from hdl.synthesis import map_verilog
from hdl.tree import tree_verilog
from printedmlp.baseline import exact_baseline
from printedmlp.circuit import Netlist, classes, input_bits_of, simulate
from printedmlp.circuit.fault_simulation import FaultSimulator
from printedmlp.circuit.faults import Fault, all_faults, with_faults
from printedmlp.dataset import load_dataset
from printedmlp.exact_trees import exact_trees
from printedmlp.preparation import prepare
from printedmlp.technology import Technology, load_technology
from printedmlp.vectors import Vectors

DATA_SET, INPUT_BITS, HIDDEN = "iris", 4, (2,)
Answer = tuple[tuple[int, ...], int]
"""Rows of each class that are answered wrong, and rows answered otherwise than without faults."""


@dataclass(frozen=True)
class Injected:
    """A netlist that receives faults, and the rows that it is simulated on."""

    netlist: Netlist
    technology: Technology
    rows: Vectors

    def counts(self) -> tuple[int, int]:
        """How many single faults there are, and how many both fast ways answer as the definition does."""
        faults, good = all_faults(self.netlist), self._answers(self.netlist)
        pairs = zip(faults, self._fast(faults), strict=True)
        return len(faults), sum(found == {self._defined(fault, good)} for fault, found in pairs)

    def _defined(self, fault: Fault, good: NDArray[np.int64]) -> Answer:
        y, bad = self.rows.y, self._answers(with_faults(self.netlist, [fault]))
        return tuple(np.bincount(y[bad != y], minlength=self.rows.n_classes).tolist()), int((bad != good).sum())

    def _answers(self, netlist: Netlist) -> NDArray[np.int64]:
        n = len(self.rows.y)
        values = simulate(netlist, self.technology, input_bits_of(self.rows.codes, INPUT_BITS), n)
        return classes(netlist, values, n)

    def _fast(self, faults: Sequence[Fault]) -> Iterator[set[Answer]]:
        """What each fault does by either way: all faults at once, and each through its cone."""
        sizes = {"n_classes": self.rows.n_classes, "input_bits": INPUT_BITS}
        simulator = FaultSimulator(self.netlist, self.technology, self.rows.codes, self.rows.y, **sizes)
        at_once, by_cone = simulator.singles(), simulator.sets([[fault] for fault in faults])
        for fault, wrong, changed in zip(faults, by_cone.wrong, by_cone.changed, strict=True):
            one = tuple(at_once.wrong(fault).tolist()), at_once.changed(fault)
            yield {one, (tuple(wrong.tolist()), int(changed))}


def circuits() -> list[Injected]:
    """An exact network and the largest exact tree of a table that ships with scikit-learn, on all its rows."""
    technology, ready = load_technology("egfet"), prepare(load_dataset(DATA_SET), seed=0, input_bits=INPUT_BITS)
    parts = dict(ready.parts())
    train, validation = parts["train"], parts["validation"]
    n_classes, rng = train.n_classes, np.random.default_rng(0)
    network = exact_baseline(
        train.codes,
        train.y,
        validation.codes,
        validation.y,
        topology=HIDDEN,
        input_bits=INPUT_BITS,
        n_classes=n_classes,
        restarts=1,
        rng=rng,
    ).model
    tree = exact_trees(train.codes, train.y, n_classes=n_classes, input_bits=INPUT_BITS, rng=rng)[-1]
    rows = Vectors(
        np.concatenate([part.codes for part in parts.values()]),
        np.concatenate([part.y for part in parts.values()]),
        n_classes,
        train.majority_class,
    )
    texts = (classifier_verilog(network), tree_verilog(tree))
    return [Injected(_mapped(text, technology), technology, rows) for text in texts]


def _mapped(verilog: str, technology: Technology) -> Netlist:
    with tempfile.TemporaryDirectory() as folder:
        return map_verilog(verilog, technology, effort="quick", work_dir=Path(folder)).netlist
