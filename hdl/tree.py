"""A decision tree as a circuit: one comparator for each distinct test, then the class from their outcomes."""

from collections.abc import Sequence

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.emit import components_verilog
from printedmlp.trees import DecisionTree, Leaf


def tree_verilog(tree: DecisionTree, *, header: Sequence[str] = ()) -> str:
    """Verilog of a tree, module `top` with the ports `inp` and `out`; same bytes for the same tree.

    Parameters
    ----------
    header : lines of any text; each becomes one comment line of bounded length in printable ASCII.

    Raises
    ------
    ToolError : quoting Yosys when it fails.
    """
    return components_verilog({"top": TreeClassifier(tree)}, header)


class TreeClassifier(wiring.Component):
    """A `DecisionTree` as module `top`.

    Ports: `inp`, n_features * input_bits wide with feature 0 in the least significant bits, and `out`, the class.
    The outcome of test x[f] >= t is the net `x<f>_ge_<t>`, shared by all nodes that ask it; tests that cannot
    matter are left out. The net `node_<k>` is the class that node k of the reduced tree decides for.
    """

    def __init__(self, tree: DecisionTree) -> None:
        self.tree = tree.reduced()
        out = Out(max(1, (tree.n_classes - 1).bit_length()))
        super().__init__({"inp": In(tree.n_features * tree.input_bits), "out": out})

    def elaborate(self, platform: object) -> Module:
        """Comparators first, then a multiplexer for each test from the leaves to the root."""
        m = Module()
        outcomes = {test: self._compared(m, *test) for test in self.tree.thresholds}
        decided: dict[int, Value] = {}
        for number, node in reversed(list(enumerate(self.tree.nodes))):
            if isinstance(node, Leaf):
                decided[number] = Const(node.label, len(self.out))
                continue
            net = decided[number] = Signal(len(self.out), name=f"node_{number}")
            outcome = outcomes[node.feature, node.threshold]
            m.d.comb += net.eq(Mux(outcome, decided[node.above], decided[node.below]))
        m.d.comb += self.out.eq(decided[0])
        return m

    def _compared(self, m: Module, feature: int, threshold: int) -> Signal:
        outcome = Signal(name=f"x{feature}_ge_{threshold}")
        x = self.inp.word_select(feature, self.tree.input_bits)
        m.d.comb += outcome.eq(at_least(x, threshold))
        return outcome


def at_least(x: Value, threshold: int) -> Value:
    """Whether x >= threshold, for a threshold of at least 1, in a chain of AND and OR.

    The chain begins at the lowest bit that is set in the threshold; the bits below it do not matter.
    """
    lowest = (threshold & -threshold).bit_length() - 1
    outcome: Value = x[lowest]
    for bit in range(lowest + 1, len(x)):
        outcome = x[bit] & outcome if threshold >> bit & 1 else x[bit] | outcome
    return outcome
