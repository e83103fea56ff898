"""Proofs of the textbook form: words by hand, and damage to netlists, arrangements, notes that proves nothing."""

import copy
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from hdl import proof
from hdl.emit import textbook_verilog
from hdl.linear_forms import LinearForms
from hdl.neuron_proof import unproved_piece
from hdl.proof import answers, prove
from hdl.reference import GENERIC, Gates, WordNote, add_bits, reference_circuit
from hdl.synthesis import map_verilog
from hdl.word_adders import ArrangementError, WordAdders, textbook_reference, yosys_module
from printedmlp.circuit import Instance, Netlist, input_bits_of, simulate
from printedmlp.circuit.simulate import unpack_bits
from printedmlp.errors import ToolBrokenOffError
from printedmlp.model import DiscreteMLP, Layer, Neuron, QReLU, Scores, Term
from tests.hdl.test_proof import EGFET, forever, function, small_network
from tests.hdl.test_proof_mutations import bypassed, retyped, rewired, turned
from tests.random_models import all_inputs, classifiers, csd_terms

X0, X1 = 2, 3
"""The inputs of the circuits by hand."""


def exact_network():
    """Weights of either sign on two inputs of 3 bits, three hidden values of 4 bits and three classes."""

    def neuron(weights, mask, bias):
        return Neuron(tuple(t for i, w in enumerate(weights) for t in csd_terms(i, w, mask)), bias)

    hidden = Layer((neuron((11, -7), 7, -5), neuron((-3, 13), 7, 4), neuron((5, 9), 7, -40)), 0, QReLU(1, 4))
    scores = Layer(
        (neuron((7, -5, 3), 15, 9), neuron((-6, 11, -1), 15, -20), neuron((2, 3, -9), 15, 30)), 0, Scores(True)
    )
    return DiscreteMLP(2, 3, (hidden, scores))


def copied(gates, nets):
    return WordNote(nets, tuple(gates.add("BUF", net) for net in nets))


def test_a_sum_of_two_bits_may_be_read_with_zeros_above_it():
    gates = Gates(2)
    note = add_bits(gates, (X0, X1), False)
    word = copied(gates, (note.total, note.carry))
    u0, u1 = word.copies
    forms = LinearForms(Netlist(2, tuple(gates.instances), (u0, u1)), [note], [word], {X0, X1})
    assert forms.form([u0, u1, 0, 0]) == {X0: 1, X1: 1}
    # 2 is -2 in two's complement of two bits: with the top bit above it, it is 14.
    assert forms.form([u0, u1, u1, u1]) == {X0: 1, X1: 1, note.carry: 12}


def test_a_difference_of_two_bits_may_be_read_with_its_sign_above_it():
    gates = Gates(2)
    low = add_bits(gates, (X0, gates.add("NOT", X1)), True)
    # x0 - x1 = x0 + not x1 + 1 - 2: the top bit is set where the carry is not.
    word = copied(gates, (low.total, gates.add("NOT", low.carry)))
    u0, u1 = word.copies
    forms = LinearForms(Netlist(2, tuple(gates.instances), (u0, u1)), [low], [word], {X0, X1})
    assert forms.form([u0, u1, u1, u1]) == {X0: 1, X1: 15}
    assert forms.form([u0, u1, 0, 0]) != {X0: 1, X1: 15}
    # Nothing is known of a top bit that is neither an adder's nor inverted.
    gates.instances[u1 - 4 - 2] = Instance("XNOR", (low.carry, 0))
    netlist = replace(forms.netlist, instances=tuple(gates.instances))
    assert LinearForms(netlist, [low], [word], {X0, X1}).form([u0, u1, u1, u1]) != {X0: 1, X1: 15}


def test_a_carry_that_comes_in_is_a_bit_like_others():
    """Y = A + B + CI of one bit each, read in two bits."""
    ports = {"A": [2], "B": [3], "CI": [4], "BI": ["0"], "Y": [5, 6], "X": [7, 8], "CO": [9, 10]}
    nets = {"inp": [2, 3, 4], "sum_0_0": [5, 6]}
    module = {
        "cells": {"adder": {"type": "$alu", "parameters": {}, "connections": ports}},
        "netnames": {name: {"bits": bits} for name, bits in nets.items()},
    }
    neuron = Neuron(tuple(Term(i, 1, 1, 0) for i in range(3)))
    model = DiscreteMLP(3, 1, (Layer((neuron,), 0, Scores()),))
    reference = reference_circuit(model, WordAdders(module).write_sum)
    assert unproved_piece(model, reference, forever) is None
    less = replace(model.layers[0], neurons=(replace(neuron, terms=neuron.terms[:2]),))
    assert unproved_piece(replace(model, layers=(less,)), reference, forever) is not None


def test_long_chains_of_words_are_followed():
    gates, bits, notes, words = Gates(1), (X0,), [], []
    for _ in range(300):
        word = copied(gates, (0, bits[0], bits[0]))
        note = add_bits(gates, (word.copies[2], X0), False)
        bits = (note.total,)
        notes.append(note)
        words.append(word)
    netlist = Netlist(1, tuple(gates.instances), bits)
    # Every step adds x0 to the lowest bit, of which nobody reads the carry.
    assert LinearForms(netlist, notes, words, {X0}).form(bits) == {X0: 1}


def test_adders_that_do_not_add_are_not_followed():
    gates = Gates(2)
    note = add_bits(gates, (X0, X1), False)
    gates.instances[note.total - 4] = replace(gates.instances[note.total - 4], cell="XNOR")
    netlist = Netlist(2, tuple(gates.instances), (note.total,))
    assert LinearForms(netlist, [note], [], {X0, X1}).form([note.total, note.carry]) == {
        note.total: 1,
        note.carry: 2,
    }


@pytest.fixture(scope="module")
def exact(tmp_path_factory):
    """A network, its mapped textbook form, and Yosys's arrangement of it."""
    model, folder = exact_network(), tmp_path_factory.mktemp("textbook")
    netlist = map_verilog(
        textbook_verilog(model), EGFET, effort="quick", work_dir=folder / "map", prove=False
    ).netlist
    return model, netlist, yosys_module(model, folder, timeout_s=60)


def test_the_textbook_form_is_proved(exact, tmp_path):
    model, netlist, _ = exact
    found = prove(model, netlist, EGFET, work_dir=tmp_path, textbook=True)
    assert (found.verdict, found.reason, found.route) == ("proved", "", proof.BY_WORDS)
    assert "ABC of Yosys" in found.solver
    other = replace(model.layers[1], neurons=model.layers[1].neurons[::-1])
    changed = replace(model, layers=(model.layers[0], other))
    refuted = prove(changed, netlist, EGFET, work_dir=tmp_path, textbook=True)
    assert refuted.verdict == "refuted"
    assert refuted.counterexample is not None
    expected, answered = answers(changed, netlist, EGFET, refuted.counterexample)
    assert expected != answered


@settings(max_examples=12, deadline=None)
@given(classifiers())
def test_what_is_proved_is_the_network(tmp_path_factory, model):
    folder = tmp_path_factory.mktemp("words")
    try:
        reference = textbook_reference(model, folder, timeout_s=60)
    except ArrangementError:  # Several masked terms of an input may become other cells than adders.
        return
    assert np.array_equal(function(model, reference.netlist, GENERIC), model.predict(all_inputs(model)))
    unproved = unproved_piece(model, reference, forever)
    assert unproved is None or unproved.startswith("sum of ")


def test_a_sum_that_is_no_longer_whole_is_not_followed(tmp_path):
    """2 + a bit is above 0 by its upper bit, which is constant: Yosys keeps the lower one alone."""
    neurons = (Neuron((), 0), Neuron((Term(0, 1, 1, 0),), 2))
    model = DiscreteMLP(1, 2, (Layer(neurons, 0, Scores()),))
    with pytest.raises(ArrangementError, match="lost its upper bits"):
        textbook_reference(model, tmp_path, timeout_s=60)


DAMAGES = (retyped, rewired, bypassed, turned)


@pytest.mark.parametrize("seed", range(6))
def test_every_damage_to_a_netlist_is_found_or_changes_nothing(exact, seed, tmp_path):
    model, netlist, _ = exact
    rng = np.random.default_rng(seed)
    for damage in DAMAGES:
        damaged = damage(rng, netlist, int(rng.integers(len(netlist.instances))))
        differs = (function(model, damaged) != model.predict(all_inputs(model))).any()
        found = prove(model, damaged, EGFET, work_dir=tmp_path, textbook=True)
        assert found.verdict == ("refuted" if differs else "proved"), damage.__name__


def damaged_module(rng, module):
    """A cell of an arrangement that reads another bit, or drives its bits in another order, or is another kind."""
    changed = copy.deepcopy(module)
    names = sorted(name for name, cell in changed["cells"].items() if cell["type"] in ("$alu", "$fa"))
    ports = changed["cells"][names[rng.integers(len(names))]]["connections"]
    port = str(rng.choice([name for name in ports if name not in ("X", "CO")]))
    bits, k = ports[port], rng.integers(len(ports[port]))
    if port == "Y":
        bits[k], bits[0] = bits[0], bits[k]
    elif port in ("BI", "CI"):
        bits[0] = "1" if bits[0] == "0" else "0"
    else:
        bits[k] = "1" if rng.random() < 0.3 else bits[k - 1]
    return changed


def test_a_damaged_arrangement_proves_nothing_wrong(exact):
    model, _, module = exact
    assert unproved_piece(model, reference_circuit(model, WordAdders(module).write_sum), forever) is None
    rng, wrong = np.random.default_rng(0), 0
    for _ in range(60):
        try:
            reference = reference_circuit(model, WordAdders(damaged_module(rng, module)).write_sum)
        except ArrangementError:
            continue
        if (function(model, reference.netlist, GENERIC) != model.predict(all_inputs(model))).any():
            wrong += 1
            assert unproved_piece(model, reference, forever) is not None
    assert wrong >= 20


def damaged_notes(rng, note, n_nets):
    """The notes of a sum with one net changed in an adder, and one in a word."""
    adders, words = list(note.adders), list(note.words)
    k, j = int(rng.integers(len(adders))), int(rng.integers(len(words)))
    which, net = rng.choice(["total", "carry", "operands"]), int(rng.integers(n_nets))
    adders[k] = replace(adders[k], **{str(which): (net, *adders[k].operands[1:]) if which == "operands" else net})
    bits, copies = list(words[j].bits), list(words[j].copies)
    changed = bits if rng.random() < 0.5 else copies
    changed[int(rng.integers(len(changed)))] = net
    words[j] = WordNote(tuple(bits), tuple(copies))
    return adders, words


def test_forms_hold_on_all_inputs_whatever_the_notes_say(exact):
    model, _, module = exact
    reference = reference_circuit(model, WordAdders(module).write_sum)
    X = all_inputs(model)
    values = net_values(reference.netlist, X, model.input_bits)
    rng, followed = np.random.default_rng(0), 0
    for note in reference.sums:
        inputs = {net for nets in note.inputs for net in nets}
        for k in range(20):
            damaged = damaged_notes(rng, note, reference.netlist.n_nets)
            adders, words = (note.adders, note.words) if not k else damaged
            try:
                form = LinearForms(reference.netlist, adders, words, inputs).form(note.word)
            except KeyError:  # An adder that reads what is not its own; the proof takes it for unproved.
                continue
            wanted = sum(values[net] << j for j, net in enumerate(note.word))
            total = sum(values[net] * factor for net, factor in form.items())
            assert not ((total - wanted) % (1 << len(note.word))).any()
            followed += 1
    assert followed > 50


def net_values(netlist, X, input_bits):
    """Every net's values on some rows, (n_nets, n) int64."""
    signals = simulate(netlist, GENERIC, input_bits_of(X, input_bits), len(X))
    return np.array([unpack_bits(signal, len(X)) for signal in signals], dtype=np.int64)


def test_no_time_proves_nothing(exact, tmp_path, monkeypatch):
    model, netlist, _ = exact
    found = prove(model, netlist, EGFET, time_limit_s=0, work_dir=tmp_path, textbook=True)
    assert (found.verdict, found.reason) == ("not proved", "Yosys's time was up")
    for limit, outcome in ((2, "not proved"), (600, "killed")):

        def failing(*arguments, timeout_s, **options):
            time.sleep(timeout_s if timeout_s < 60 else 0)
            raise ToolBrokenOffError("python was killed")

        monkeypatch.setattr(proof, "textbook_reference", failing)
        if outcome == "killed":
            with pytest.raises(ToolBrokenOffError, match="was killed"):
                prove(model, netlist, EGFET, time_limit_s=limit, work_dir=tmp_path, textbook=True)
        else:
            found = prove(model, netlist, EGFET, time_limit_s=limit, work_dir=tmp_path, textbook=True)
            assert (found.verdict, found.reason) == (outcome, "Yosys's time was up")


def test_an_arrangement_that_cannot_be_followed_proves_nothing(exact, tmp_path, monkeypatch):
    model, netlist, module = exact
    strange = copy.deepcopy(module)
    for cell in strange["cells"].values():
        cell["type"] = cell["type"].replace("$fa", "$strange")
    monkeypatch.setattr("hdl.word_adders.yosys_module", lambda *arguments, **options: strange)
    found = prove(model, netlist, EGFET, work_dir=tmp_path, textbook=True)
    assert (found.verdict, found.reason) == ("not proved", "a sum of the textbook form is not made of adders alone")


def test_arrangements_with_loops_and_turns_are_refused(exact):
    model, _, module = exact
    for port, reason in (("A", "depends on itself"), ("BI", "adds and subtracts by turns")):
        changed = copy.deepcopy(module)
        for cell in changed["cells"].values():
            if cell["type"] == "$alu":
                cell["connections"][port][0] = cell["connections"]["Y"][-1]
        with pytest.raises(ArrangementError, match=reason):
            reference_circuit(model, WordAdders(changed).write_sum)


def test_small_networks_keep_the_route_of_their_form(tmp_path):
    model = small_network()
    verilog = textbook_verilog(model)
    netlist = map_verilog(verilog, EGFET, effort="quick", work_dir=tmp_path / "map").netlist
    for textbook, route in ((False, proof.BY_NEURONS), (True, proof.BY_WORDS)):
        found = prove(model, netlist, EGFET, work_dir=tmp_path, textbook=textbook)
        assert (found.verdict, found.route) == ("proved", route)
