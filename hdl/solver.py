"""Bit-vector formulas for the solver bitwuzla: a handful of operations, and one question with a time limit.

Words are unsigned or two's complement as the operation says; truth values are words of one bit. Bitwuzla (Niemetz,
Preiner, CAV 2023) is an independent program: nothing here is shared with Yosys or ABC.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module, metadata
from typing import Any

from printedmlp.circuit.netlist import FIRST_INPUT, Netlist
from printedmlp.errors import ToolError
from printedmlp.technology import Technology

_TURN_S, _PAUSE_S = 0.02, 0.0005
"""How often the solver lets others have a turn, and how long it waits for them to take it."""
PROVED, REFUTED, NOT_PROVED = "proved", "refuted", "not proved"

Word = Any
"""A formula of bitwuzla, which comes without types."""


class _Terminator:
    """Tells the solver, which asks some hundred times a second, whether its time is up.

    The solver holds the interpreter's lock, so it also has to let other proofs, progress and Ctrl-C have a turn.
    """

    def __init__(self, time_limit_s: float) -> None:
        self.end = time.monotonic() + time_limit_s
        self.next_turn = 0.0

    def __call__(self) -> bool:
        now = time.monotonic()
        if now >= self.next_turn:
            self.next_turn = now + _TURN_S
            time.sleep(_PAUSE_S)
        return now >= self.end


@dataclass(frozen=True)
class Answer:
    """What the solver says of a claim; `values` of the variables, by name, on which a refuted one fails."""

    verdict: str
    values: Mapping[str, int]


def solver_version() -> str:
    """Name and version of the solver, such as "bitwuzla 0.9.1"; ToolError when it is missing."""
    try:
        return f"bitwuzla {metadata.version('bitwuzla')}"
    except metadata.PackageNotFoundError:
        raise ToolError("bitwuzla is missing: pip install bitwuzla") from None


class Formulas:
    """Formulas that belong together, and the claims that are made of them."""

    def __init__(self) -> None:
        solver_version()
        self._api = import_module("bitwuzla")
        self._kind = self._api.Kind
        self._terms = self._api.TermManager()
        self._variables: dict[str, Word] = {}
        self._assumed: list[Word] = []

    def variable(self, name: str, width: int) -> Word:
        """A free word; its value is reported under `name`."""
        word = self._variables[name] = self._terms.mk_const(self._terms.mk_bv_sort(width), name)
        return word

    def constant(self, value: int, width: int) -> Word:
        """A number modulo 2^width."""
        return self._terms.mk_bv_value(self._terms.mk_bv_sort(width), value % (1 << width))

    def apply(self, kind: str, *operands: Word, indices: Sequence[int] = ()) -> Word:
        """One of bitwuzla's own operations by name, such as "BV_ADD"."""
        return self._terms.mk_term(getattr(self._kind, kind), list(operands), list(indices))

    def bits(self, word: Word) -> list[Word]:
        """The bits of a word, least significant first."""
        return [self.apply("BV_EXTRACT", word, indices=(i, i)) for i in range(word.sort().bv_size())]

    def word(self, bits: Sequence[Word]) -> Word:
        """The word of some bits, least significant first."""
        return self.apply("BV_CONCAT", *reversed(bits)) if len(bits) > 1 else bits[0]

    def extended(self, word: Word, width: int, *, signed: bool) -> Word:
        """The same number in more bits."""
        missing = width - word.sort().bv_size()
        return self.apply("BV_SIGN_EXTEND" if signed else "BV_ZERO_EXTEND", word, indices=(missing,))

    def choice(self, condition: Word, yes: Word, no: Word) -> Word:
        """`yes` where the condition, a Boolean of bitwuzla such as a comparison, holds; else `no`."""
        return self.apply("ITE", condition, yes, no)

    def table(self, truth_table: int, inputs: Sequence[Word]) -> Word:
        """A cell's output: bit s of the truth table where bit i of s is the value of input i."""
        n_states = 1 << len(inputs)
        if truth_table in (0, (1 << n_states) - 1):
            return self.constant(truth_table & 1, 1)
        *others, last = inputs
        half = n_states // 2
        low, high = truth_table & (1 << half) - 1, truth_table >> half
        if low == high:
            return self.table(low, others)
        is_set = self.apply("BV_AND", last, self.table(high, others))
        return self.apply("BV_OR", is_set, self.apply("BV_AND", self._not(last), self.table(low, others)))

    def _not(self, word: Word) -> Word:
        return self.apply("BV_NOT", word)

    def nets(
        self, netlist: Netlist, technology: Technology, known: Mapping[int, Word], gates: range
    ) -> dict[int, Word]:
        """Formulas of a netlist's nets from those of some: adds what the instances numbered `gates` drive.

        A net that is read and neither known nor driven by these instances is a defect of the caller (KeyError).
        """
        values = {0: self.constant(0, 1), 1: self.constant(1, 1), **known}
        for k in gates:
            instance = netlist.instances[k]
            inputs = [values[net] for net in instance.inputs]
            values[netlist.first_driven + k] = self.table(technology.cell(instance.cell).truth_table, inputs)
        return values

    def outputs(self, netlist: Netlist, technology: Technology, inputs: Sequence[Word]) -> Word:
        """The output word of a whole netlist on formulas of its input bits."""
        known = dict(enumerate(inputs, start=FIRST_INPUT))
        values = self.nets(netlist, technology, known, range(len(netlist.instances)))
        return self.word([values[net] for net in netlist.outputs])

    def assume(self, kind: str, a: Word, b: Word) -> None:
        """Only values for which this comparison holds are asked about from here on."""
        self._assumed.append(self.apply(kind, a, b))

    def equal(self, a: Word, b: Word, time_limit_s: float) -> Answer:
        """Whether two words are equal for all values of the variables that are not ruled out."""
        if time_limit_s <= 0:
            return Answer(NOT_PROVED, {})
        options = self._api.Options()
        options.set(self._api.Option.PRODUCE_MODELS, True)
        solver = self._api.Bitwuzla(self._terms, options)
        solver.configure_terminator(_Terminator(time_limit_s))
        for formula in (*self._assumed, self.apply("DISTINCT", a, b)):
            solver.assert_formula(formula)
        result = solver.check_sat()
        if result == self._api.Result.UNSAT:
            return Answer(PROVED, {})
        if result != self._api.Result.SAT:
            return Answer(NOT_PROVED, {})
        found = {name: int(solver.get_value(word).value(10)) for name, word in self._variables.items()}
        return Answer(REFUTED, found)
