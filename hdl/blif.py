"""Mapped circuits in Berkeley's logic interchange format: what ABC writes, and what it is given to compare."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from hdl.cells import BUFFER, CONSTANTS
from hdl.composites import Composite
from printedmlp.circuit import Instance, Netlist
from printedmlp.circuit.netlist import CONSTANT_0, CONSTANT_1, FIRST_INPUT
from printedmlp.errors import ToolError
from printedmlp.technology import Technology


@dataclass
class GateList:
    """Gates in any order between named signals: ``gates[signal] = (cell, signals on its pins)``.

    ``aliases`` maps a signal to the one it repeats; the names "0" and "1" are the constants.
    """

    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    gates: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)

    def to_netlist(self, *, keep_unused: bool = False) -> Netlist:
        """The gates as a netlist: those the outputs need, in the order a walk from the outputs finishes them.

        With ``keep_unused`` it is all gates, in the order given where that is topological. Raises ToolError for a
        signal nobody drives and for a loop.
        """
        nets = {"0": CONSTANT_0, "1": CONSTANT_1}
        nets.update((name, FIRST_INPUT + i) for i, name in enumerate(self.inputs))
        instances: list[Instance] = []
        for signal in [*self.gates, *self.outputs] if keep_unused else self.outputs:
            self._visit(signal, nets, instances)
        outputs = tuple(nets[self._root(name)] for name in self.outputs)
        return Netlist(len(self.inputs), tuple(instances), outputs)

    def _root(self, signal: str) -> str:
        seen = {signal}
        while signal in self.aliases:
            signal = self.aliases[signal]
            if signal in seen:
                raise ToolError(f"signal '{signal}' drives itself")
            seen.add(signal)
        return signal

    def _visit(self, output: str, nets: dict[str, int], instances: list[Instance]) -> None:
        stack = [self._root(output)]
        open_signals: set[str] = set()
        while stack:
            signal = stack[-1]
            if signal in nets:
                stack.pop()
                continue
            if signal not in self.gates:
                raise ToolError(f"signal '{signal}' has no driver")
            cell, pins = self.gates[signal]
            roots = [self._root(pin) for pin in pins]
            missing = [root for root in roots if root not in nets]
            if not missing:
                nets[signal] = FIRST_INPUT + len(self.inputs) + len(instances)
                instances.append(Instance(cell, tuple(nets[root] for root in roots)))
                continue
            if signal in open_signals:
                raise ToolError(f"combinational loop through signal '{signal}'")
            open_signals.add(signal)
            stack.extend(reversed(missing))


def parse_mapped_blif(
    text: str, technology: Technology, composites: Mapping[str, Composite] = MappingProxyType({})
) -> Netlist:
    """The netlist ABC wrote after mapping, without its buffers and constants, and composites as their gates.

    Raises ToolError when anything but cells of the technology is left.
    """
    circuit = GateList()
    lines = list(_logical_lines(text))
    for k, words in enumerate(lines):
        if words[0] == ".inputs":
            circuit.inputs += words[1:]
        elif words[0] == ".outputs":
            circuit.outputs += words[1:]
        elif words[0] == ".gate":
            pins = dict(word.split("=", 1) for word in words[2:])
            if words[1] in composites:
                _add_composite(circuit, composites[words[1]], pins)
            else:
                _add_gate(circuit, words[1], pins, technology)
        elif words[0] == ".names":
            covers = [line for line in lines[k + 1 : k + 3] if not line[0].startswith(".")]
            _add_trivial(circuit, words[1:], covers)
    return circuit.to_netlist()


def _logical_lines(text: str) -> Iterator[list[str]]:
    for line in text.replace("\\\n", " ").splitlines():
        words = line.split("#", 1)[0].split()
        if words:
            yield words


def _add_gate(circuit: GateList, name: str, pins: dict[str, str], technology: Technology) -> None:
    if name in CONSTANTS:
        circuit.aliases[pins["Y"]] = str(CONSTANTS.index(name))
    elif name == BUFFER:
        circuit.aliases[pins["Y"]] = pins["A"]
    elif name in technology.cells:
        cell = technology.cells[name]
        signal = pins[cell.output]
        if cell.inputs and cell.truth_table == 0b10 and len(cell.inputs) == 1:
            circuit.aliases[signal] = pins[cell.inputs[0]]
        else:
            circuit.gates[signal] = (name, tuple(pins[pin] for pin in cell.inputs))
    else:
        raise ToolError(f"gate '{name}' is left unmapped: technology '{technology.name}' has no such cell")


def _add_composite(circuit: GateList, composite: Composite, pins: dict[str, str]) -> None:
    body, signal = composite.body, pins[composite.cell.output]
    names = ["0", "1", *(pins[pin] for pin in composite.cell.inputs)]
    names += [f"{signal}/{k}" for k in range(len(body.instances))]
    for net, instance in body.driven():
        circuit.gates[names[net]] = (instance.cell, tuple(names[n] for n in instance.inputs))
    circuit.aliases[signal] = names[body.outputs[0]]


def _add_trivial(circuit: GateList, signals: list[str], covers: list[list[str]]) -> None:
    """A wire or a constant, the only logic ABC may leave outside the cells."""
    if len(signals) == 1:
        circuit.aliases[signals[0]] = "1" if covers and covers[0] == ["1"] else "0"
    elif len(signals) == 2 and covers == [["1", "1"]]:
        circuit.aliases[signals[1]] = signals[0]
    else:
        raise ToolError(f"signal '{signals[-1]}' is left unmapped: a function of {len(signals) - 1} signals")


def mapped_blif(netlist: Netlist, technology: Technology) -> str:
    """The netlist as ABC reads it back after ``read_library`` of the technology's genlib.

    A gate that drives an output bit carries its name; only further bits and inputs wired through take a buffer.
    """
    names = [f"n{net}" for net in range(netlist.n_nets)]
    wired = []
    for bit, net in enumerate(netlist.outputs):
        if net >= netlist.first_driven and names[net][0] == "n":
            names[net] = f"o{bit}"
        else:
            wired.append((bit, net))
    lines = _blif_head(netlist)
    used = {net for instance in netlist.instances for net in instance.inputs} | set(netlist.outputs)
    lines += [f".gate {name} Y=n{value}" for value, name in enumerate(CONSTANTS) if value in used]
    for net, instance in netlist.driven():
        cell = technology.cell(instance.cell)
        pins = " ".join(f"{pin}={names[n]}" for pin, n in zip(cell.inputs, instance.inputs, strict=True))
        lines.append(f".gate {cell.name} {pins} {cell.output}={names[net]}")
    lines += [f".gate {BUFFER} A={names[net]} Y=o{bit}" for bit, net in wired]
    return "\n".join([*lines, ".end"]) + "\n"


def _blif_head(netlist: Netlist) -> list[str]:
    inputs = " ".join(f"n{FIRST_INPUT + i}" for i in range(netlist.n_inputs))
    outputs = " ".join(f"o{bit}" for bit in range(len(netlist.outputs)))
    return [".model netlist", f".inputs {inputs}", f".outputs {outputs}"]


def logic_blif(netlist: Netlist, technology: Technology) -> str:
    """The netlist as generic logic, each cell written out as the minterms of its function."""
    lines = [*_blif_head(netlist), ".names n0", ".names n1", "1"]
    for net, instance in netlist.driven():
        cell = technology.cell(instance.cell)
        lines.append(" ".join([".names", *(f"n{pin}" for pin in instance.inputs), f"n{net}"]))
        for state in range(cell.n_states):
            if cell.evaluate(state):
                pattern = "".join(str(state >> i & 1) for i in range(len(cell.inputs)))
                lines.append(f"{pattern} 1".strip())
    lines += [line for bit, net in enumerate(netlist.outputs) for line in (f".names n{net} o{bit}", "1 1")]
    return "\n".join([*lines, ".end"]) + "\n"
