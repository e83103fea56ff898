"""How often cells are attributed to the right part of a network.

    python -m benchmarks.blocks [--folder runs/published] [--seed 0] [--json FILE] [DATA_SET ...]

A network of a finished run is cut into its neurons and its argmax, each is mapped on its own, and the pieces are
joined: a netlist of the same function in which every cell's part is known. `hdl.blocks` is then asked, knowing
nothing of the cuts. Networks beyond some size are left out, since mapping them takes minutes.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.run_circuits import RunCircuit, parsed, run_circuits, run_folder
from benchmarks.tables import table
from hdl.blocks import blocks_of
from hdl.gates import gates_verilog
from hdl.synthesis import map_verilog
from printedmlp.circuit import Instance, Netlist
from printedmlp.circuit.gates import Gate, GateClassifier
from printedmlp.gate_builder import ARGMAX, classifier_gates
from printedmlp.gate_graph import AND, GateGraph, Node
from printedmlp.model import DiscreteMLP
from printedmlp.technology import Technology, load_technology

MOST_CELLS = 1500


class _Cut(GateGraph):
    """A graph that notes the block that made each of its gates first."""

    def __init__(self, n_inputs: int) -> None:
        super().__init__(n_inputs)
        self.blocks: dict[str, list[int]] = {}

    def begin(self, block: str) -> None:
        self.blocks.setdefault(block, [])

    def net(self, node: Node) -> int:
        known = len(self.nodes)
        literal = super().net(node)
        if len(self.nodes) > known:
            self.blocks[next(reversed(self.blocks))].append(literal >> 1)
        return literal

    def reads(self, net: int) -> list[int]:
        """Nets that a gate reads."""
        return [literal >> 1 for literal in self.nodes[net - self.first][1:]]


class _Joined:
    """A netlist that grows by mapped blocks."""

    def __init__(self, graph: _Cut) -> None:
        self.graph, self.first = graph, graph.first + 1
        self.instances: list[Instance] = []
        self.labels: list[str] = []
        self.nets = {0: 0, **{1 + i: 2 + i for i in range(graph.first - 1)}}

    def place(self, cell: str, inputs: Sequence[int], label: str) -> int:
        """The net of a new cell."""
        self.instances.append(Instance(cell, tuple(inputs)))
        self.labels.append(label)
        return self.first + len(self.instances) - 1

    def add(self, block: str, gates: Sequence[int], outside: set[int], technology: Technology) -> None:
        """Map a block's gates, of which those in `outside` are read elsewhere, and join it."""
        own, wanted = set(gates), [net for net in gates if net in outside]
        if not wanted:
            return
        inputs = sorted({read for net in gates for read in self.graph.reads(net)} - own - {0})
        local = {0: 0, **{net: 2 + i for i, net in enumerate([*inputs, *gates])}}
        made = tuple(self._gate(net, local) for net in gates)
        circuit = GateClassifier(len(inputs), 1, 1 << len(wanted), made, tuple(local[net] for net in wanted))
        with tempfile.TemporaryDirectory() as folder:
            text = gates_verilog(circuit)
            netlist = map_verilog(text, technology, effort="quick", work_dir=Path(folder), prove=False).netlist
        nets = {0: 0, 1: 1, **{2 + i: self.nets[net] for i, net in enumerate(inputs)}}
        for net, instance in netlist.driven():
            nets[net] = self.place(instance.cell, [nets[read] for read in instance.inputs], block)
        self.nets.update((net, nets[output]) for net, output in zip(wanted, netlist.outputs, strict=True))

    def _gate(self, net: int, local: dict[int, int]) -> Gate:
        kind, a, b = self.graph.nodes[net - self.graph.first]
        pairs = ((state & 1 ^ a & 1, state >> 1 ^ b & 1) for state in range(4))
        values = [x & y if kind == AND else x ^ y for x, y in pairs]
        return Gate(sum(value << state for state, value in enumerate(values)), (local[a >> 1], local[b >> 1]))


def joined(model: DiscreteMLP, technology: Technology, inverter: str = "INVX1") -> tuple[Netlist, list[str]]:
    """A netlist of the network made block by block, and the block of every cell."""
    graph = _Cut(model.n_features * model.input_bits)
    _, outputs = classifier_gates(model, graph)
    live = graph.live(outputs)
    blocks = {name: [net for net in gates if live[net]] for name, gates in graph.blocks.items()}
    netlist = _Joined(graph)
    for name, gates in blocks.items():
        others = (net for other, own in blocks.items() if other != name for net in own)
        outside = {read for net in others for read in graph.reads(net)} | {literal >> 1 for literal in outputs}
        netlist.add(name, gates, outside, technology)
    ends = [
        netlist.place(inverter, [netlist.nets[literal >> 1]], ARGMAX) if literal & 1 else netlist.nets[literal >> 1]
        for literal in outputs
    ]
    return Netlist(graph.first - 1, tuple(netlist.instances), tuple(ends)), netlist.labels


def measured(circuit: RunCircuit, technology: Technology) -> dict[str, Any]:
    """Attribution of one network's joined netlist against the truth."""
    assert isinstance(circuit.model, DiscreteMLP)
    netlist, truth = joined(circuit.model, technology)
    found = blocks_of(netlist, technology, circuit.model)
    right = sum(label == true for label, true in zip(found.labels, truth, strict=True))
    return {
        "circuit": f"{circuit.data_set} {circuit.stage}",
        "cells": len(truth),
        "matched": found.matched,
        "recovered": found.recovered,
        "right": right / max(1, len(truth)),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    options = parsed("blocks", __doc__, arguments)
    technology = load_technology("egfet")
    records = []
    for name in options.datasets:
        for circuit in run_circuits(run_folder(options, name), technology):
            if isinstance(circuit.model, DiscreteMLP) and 0 < len(circuit.netlist.instances) <= MOST_CELLS:
                records.append(measured(circuit, technology))
    shares = ("matched", "recovered", "right")
    rows = [[r["circuit"], str(r["cells"]), *(f"{r[key]:.1%}" for key in shares)] for r in records]
    print(table(["network", "cells", *shares], rows))
    if options.json:
        options.json.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
