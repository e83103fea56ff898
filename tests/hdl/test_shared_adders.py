"""Networks with shared adder graphs: by hand, on every input, and what is noticed when a graph is another matrix's.

A stand-in for the library makes graphs of two-operand adders here, so that nothing depends on an optional package;
the library itself is tried where it is installed.
"""

import tempfile
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings

from hdl import adder_graph as graphs
from hdl.adder_graph import AdderGraph, Ref, adder_graph, check_matrix, graph_of, library_version
from hdl.shared_adders import Operand, layer_matrix, shared_circuit
from printedmlp.csd import signed_digits
from printedmlp.errors import ToolError, VerificationError
from printedmlp.model import Layer, Neuron, QReLU, Term
from tests.hdl.circuits import verilog_outputs
from tests.hdl.test_classifier import exact, two_layers
from tests.random_models import all_inputs, classifiers

needs_library = pytest.mark.skipif(library_version() is None, reason="da4ml is not installed")


def chained(matrix, highest):
    """A graph that shares nothing: every column a chain of its factors' signed digits."""
    sums: list[tuple[Ref, Ref]] = []
    outputs = []
    for column in zip(*matrix, strict=True):
        refs = [
            Ref(k, shift, sign < 0) for k, factor in enumerate(column) for sign, shift in signed_digits(int(factor))
        ]
        while len(refs) > 1:
            sums.append((refs[0], refs[1]))
            refs = [Ref(len(matrix) + len(sums) - 1), *refs[2:]]
        outputs.append(refs[0] if refs else None)
    return AdderGraph(len(matrix), tuple(sums), tuple(outputs))


def outputs_of(model, X, solve):
    with tempfile.TemporaryDirectory() as folder:
        return verilog_outputs(
            shared_circuit(model, solve=solve).verilog, X, model.input_bits, Path(folder)
        ).tolist()


def test_a_graph_by_hand():
    # s = a + 4 b is shared: 2 a + 8 b, and b - s = -a - 3 b, negated once more.
    graph = AdderGraph(2, ((Ref(0), Ref(1, 2)), (Ref(1), Ref(2, 0, True))), (Ref(2, 1), Ref(3, 0, True), None))
    assert graph.matrix() == [[2, 1, 0], [8, 3, 0]]
    assert graph.readers() == {0: 1, 1: 2, 2: 2, 3: 1}


def test_masked_inputs_are_as_few_operands_as_can_be():
    neurons = (
        Neuron((Term(0, 1, 0b1111, 1), Term(1, -1, 0b0011, 0)), 3),
        Neuron((Term(0, -1, 0b1111, 0), Term(1, 1, 0b0111, 2)), -1),
    )
    found = layer_matrix(Layer(neurons, 1, QReLU(1, 3)), ((0, 15), (0, 15)), (0, 1))
    assert found.operands == (Operand(0, 0b1111), Operand(1, 0b0011), Operand(1, 0b0100))
    assert found.factors == ((2, -1), (-1, 4), (0, 16))
    assert found.constants == (6, -2)


def test_bits_that_never_vary_are_constant():
    neurons = (Neuron((Term(0, 1, 0b111, 0),), 0),)
    found = layer_matrix(Layer(neurons, 0, QReLU(0, 3)), ((4, 5),), (0,))
    assert (found.operands, found.factors, found.constants) == ((Operand(0, 1),), ((1,),), (4,))


@pytest.mark.parametrize("model", [two_layers(), two_layers(True), exact()], ids=["unsigned", "signed", "exact"])
def test_every_input_of_small_classifiers(model):
    X = all_inputs(model)
    assert outputs_of(model, X, chained) == model.predict(X).tolist()


@given(classifiers())
@settings(max_examples=8, deadline=None)
def test_any_classifier_on_every_input(model):
    X = all_inputs(model)
    assert outputs_of(model, X, chained) == model.predict(X).tolist()


def broken(graph):
    """The same graph with the first adder's second operand shifted by one more."""
    (a, b), *others = graph.sums
    return AdderGraph(graph.n_operands, ((a, Ref(b.net, b.shift + 1, b.negative)), *others), graph.outputs)


def test_another_matrix_is_refused_and_gives_another_circuit():
    matrix = [[3, 1], [5, -2]]
    graph = chained(matrix, [15, 15])
    check_matrix(graph, matrix)
    with pytest.raises(VerificationError, match="is not the matrix"):
        check_matrix(broken(graph), matrix)
    model = exact()
    X = all_inputs(model)
    assert outputs_of(model, X, lambda *given: broken(chained(*given))) != model.predict(X).tolist()


def operation(opcode, id0, id1=0, data=0):
    return SimpleNamespace(opcode=opcode, id0=id0, id1=id1, data=data)


def stage(ops, outputs, inp_shifts):
    indices, shifts, negatives = zip(*outputs, strict=True)
    return SimpleNamespace(ops=ops, inp_shifts=inp_shifts, out_idxs=indices, out_shifts=shifts, out_negs=negatives)


def test_the_librarys_stages_become_one_graph():
    first = stage(
        [operation(-1, 0), operation(-1, 1), operation(1, 0, 1, 2)], [(2, 1, True), (-1, 0, False)], [0, 0]
    )
    second = stage([operation(-1, 0), operation(-1, 1), operation(0, 0, 1, 0)], [(2, -1, False)], [1, 0])
    # First 2 * -(a - 4 b) and nothing, then twice that, plus nothing, halved.
    assert graph_of([first, second], 2).matrix() == [[Fraction(-2)], [Fraction(8)]]


def test_an_unknown_operation_is_refused():
    with pytest.raises(ToolError, match="unknown operation 7"):
        graph_of([stage([operation(7, 0)], [(0, 0, False)], [0])], 1)


def test_without_the_library_there_is_one_line(monkeypatch):
    monkeypatch.setattr(graphs, "LIBRARY", "no_such_library")
    assert library_version() is None
    with pytest.raises(ToolError, match=r"no_such_library is not installed: pip install '.\[adders\]'"):
        adder_graph([[1]], [15])


def test_factors_beyond_the_librarys_numbers_are_refused():
    with pytest.raises(ToolError, match="factors below 16777216"):
        adder_graph([[1 << 24]], [15])


@needs_library
@pytest.mark.parametrize("model", [two_layers(), exact()], ids=["masked", "exact"])
def test_the_librarys_graphs_on_every_input(model):
    X = all_inputs(model)
    assert outputs_of(model, X, adder_graph) == model.predict(X).tolist()


@needs_library
def test_the_library_shares():
    assert shared_circuit(exact()).n_adders < shared_circuit(exact(), solve=chained).n_adders


@needs_library
@given(classifiers())
@settings(max_examples=6, deadline=None)
def test_the_librarys_graphs_of_any_classifier(model):
    X = all_inputs(model)
    assert outputs_of(model, X, adder_graph) == model.predict(X).tolist()
