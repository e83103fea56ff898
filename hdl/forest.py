"""Forests as circuits: every tree mapped on its own, a vote on every output bit, and the whole mapped once more."""

from __future__ import annotations

from pathlib import Path

from hdl.gates import gates_verilog
from hdl.synthesis import map_verilog
from hdl.tree import tree_verilog
from printedmlp.circuit import Netlist
from printedmlp.circuit.gates import GateClassifier
from printedmlp.circuit.voting import majority
from printedmlp.forests import Forest
from printedmlp.technology import Technology


def map_forest(forest: Forest, technology: Technology, *, effort: str, work_dir: Path) -> Netlist:
    """A forest's circuit in printed cells, what its trees have in common made once.

    Mapping the trees first leaves much less to the second mapping, which then works on all of them together.

    Parameters
    ----------
    technology : its cells must have at most two inputs.
    effort : of each mapping, see `hdl.synthesis.map_verilog`.
    work_dir : an existing folder for the tools' files.

    Raises
    ------
    ModelError : where a tree is mapped to a cell of more than two inputs.
    """

    def mapped(rtl: str, folder: str) -> Netlist:
        return map_verilog(rtl, technology, effort=effort, work_dir=work_dir / folder, prove=False).netlist

    def voter(number: int) -> GateClassifier:
        tree = forest.trees[number]
        netlist = mapped(tree_verilog(tree), f"tree{number}")
        bits, n_classes = tree.input_bits, tree.n_classes
        return GateClassifier.of_netlist(netlist, technology, input_bits=bits, n_classes=n_classes)

    return mapped(gates_verilog(majority([voter(number) for number in range(len(forest.trees))])), "forest")
