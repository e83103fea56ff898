from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp.errors import ConfigError, ModelError
from printedmlp.genome import BIAS, EXPONENT, MASK, SIGN, GenomeLayout, as_genes
from printedmlp.model import DiscreteMLP, Layer, Neuron, QReLU, Scores, Term


@st.composite
def layouts(draw):
    topology = tuple(draw(st.lists(st.integers(1, 5), min_size=2, max_size=4)))
    n_layers = len(topology) - 1
    hidden = [
        QReLU(low, low + draw(st.integers(0, 9)))
        for low in draw(st.lists(st.integers(0, 5), min_size=n_layers - 1, max_size=n_layers - 1))
    ]
    low = draw(st.integers(-200, 100))
    return GenomeLayout(
        topology,
        draw(st.integers(1, 8)),
        tuple(hidden),
        draw(st.integers(0, 12)),
        (low, low + draw(st.integers(0, 300))),
        tuple(draw(st.lists(st.integers(0, 9), min_size=n_layers, max_size=n_layers))),
        draw(st.booleans()),
    )


@pytest.fixture
def small():
    """Two inputs, one hidden neuron, two classes."""
    return GenomeLayout.uniform((2, 1, 2))


HAND_GENES = [
    *(1, 0b1010, 3, -1, 0b1111, 0, -5),  # hidden neuron: inputs 0 and 1, bias
    *(1, 0b11110000, 2, 7),  # class 0
    *(-1, 0, 5, -8),  # class 1: its connection is removed
]  # fmt: skip


def hand_model() -> DiscreteMLP:
    hidden = Neuron((Term(0, 1, 0b1010, 3), Term(1, -1, 0b1111, 0)), -5)
    classes = (Neuron((Term(0, 1, 0b11110000, 2),), 7), Neuron((), -8))
    return DiscreteMLP(2, 4, (Layer((hidden,), 4, QReLU(4, 11)), Layer(classes, 8, Scores())))


def test_genes_of_any_integers_are_taken_and_nothing_is_bent_into_one():
    for dtype in (np.int8, np.uint16, np.int64):
        genes = as_genes(np.array([[1, 2], [3, 4]], dtype=dtype).T)
        assert (genes.dtype, genes.flags.c_contiguous, genes.tolist()) == (np.int32, True, [[1, 3], [2, 4]])
    assert as_genes([]).size == 0
    with pytest.raises(ModelError, match="gene 4294967297 needs more than 32 bits"):
        as_genes(np.array([[1, (1 << 32) + 1]]))
    with pytest.raises(ModelError, match="genes must be integers, not float64"):
        as_genes([[1.7]])


def test_decode_by_hand(small):
    assert small.size == len(HAND_GENES)
    assert small.decode(np.array(HAND_GENES, dtype=np.int32)) == hand_model()


def test_encode_by_hand(small):
    canonical = [*HAND_GENES[:11], 1, 0, 0, -8]
    assert small.encode(hand_model()).tolist() == canonical


def test_kinds_bounds_and_neurons_by_hand(small):
    connection = [SIGN, MASK, EXPONENT]
    assert small.kinds.tolist() == [*connection, *connection, BIAS, *connection, BIAS, *connection, BIAS]
    assert small.lower.tolist() == [-1, 0, 0, -1, 0, 0, -128, -1, 0, 0, -128, -1, 0, 0, -128]
    assert small.upper.tolist() == [1, 15, 7, 1, 15, 7, 127, 1, 255, 7, 127, 1, 255, 7, 127]
    assert small.neurons.tolist() == [0] * 7 + [1] * 4 + [2] * 4


@given(layouts(), st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_random_individuals_are_valid_and_survive_the_round_trip(layout, seed):
    genes = layout.random(5, np.random.default_rng(seed))
    layout.check(genes)
    assert genes.dtype == np.int32
    for individual in genes:
        assert np.array_equal(layout.encode(layout.decode(individual)), layout.canonical(individual))


@given(layouts(), st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_canonical_genes_are_the_same_classifier(layout, seed):
    rng = np.random.default_rng(seed)
    genes = layout.random(1, rng)[0]
    genes[(layout.kinds == MASK) & (rng.random(layout.size) < 0.5)] = 0
    canonical = layout.canonical(genes)
    assert layout.decode(canonical) == layout.decode(genes)
    assert np.array_equal(layout.canonical(canonical), canonical)


def test_largest_sum_is_reached_by_the_heaviest_individual():
    layout = replace(GenomeLayout.uniform((3, 2)), bias_range=(0, 9))
    heaviest = layout.decode(layout.upper)
    assert heaviest.intervals()[0].sums[0][1] == layout.largest_sum == 3 * (15 << 7) + (9 << 4)


def test_encode_accepts_a_bias_on_a_finer_grid_only_if_it_is_exact(small):
    model = hand_model()
    finer = replace(model.layers[0], bias_shift=2, neurons=(replace(model.layers[0].neurons[0], bias=-20),))
    assert np.array_equal(small.encode(replace(model, layers=(finer, model.layers[1]))), small.encode(model))
    inexact = replace(finer, neurons=(replace(finer.neurons[0], bias=-19),))
    with pytest.raises(ModelError, match="neuron 0: bias -76 is no multiple of 2\\^4"):
        small.encode(replace(model, layers=(inexact, model.layers[1])))


def test_encode_refuses_what_does_not_fit(small):
    model = hand_model()
    twice = replace(model.layers[0], neurons=(Neuron((Term(0, 1, 1, 0), Term(0, 1, 2, 0))),))
    with pytest.raises(ModelError, match="neuron 0, input 0: a chromosome holds one term"):
        small.encode(replace(model, layers=(twice, model.layers[1])))
    with pytest.raises(ModelError, match="topology"):
        GenomeLayout.uniform((2, 2, 2)).encode(model)
    with pytest.raises(ModelError, match="activations"):
        GenomeLayout.uniform((2, 1, 2), lsb=2, msb=9).encode(model)
    with pytest.raises(ModelError, match="gene 2: value 3 is out of range"):
        GenomeLayout.uniform((2, 1, 2), max_exponent=2).encode(model)


@pytest.mark.parametrize(("gene", "value"), [(0, 0), (0, 2), (1, 16), (1, -1), (2, 8), (6, 128)])
def test_check_finds_every_kind_of_bad_gene(small, gene, value):
    genes = np.array([HAND_GENES], dtype=np.int32)
    small.check(genes)
    genes[0, gene] = value
    with pytest.raises(ModelError, match=f"individual 0, gene {gene}: value {value} "):
        small.check(genes)


def test_check_refuses_another_shape(small):
    with pytest.raises(ModelError, match="shape"):
        small.check(np.zeros((1, 3), dtype=np.int32))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"topology": (2,)}, "topology"),
        ({"topology": (2, 0, 2)}, "topology"),
        ({"input_bits": 17}, "input_bits must be in 1..16, not 17"),
        ({"activations": ()}, "activations: 1 hidden layers, but 0 given"),
        ({"activations": (QReLU(3, 2),)}, "activations"),
        ({"activations": (QReLU(0, 31),)}, "activations"),
        ({"max_exponent": 32}, "max_exponent must be in 0..31, not 32"),
        ({"bias_range": (1, 0)}, "bias_range"),
        ({"bias_shifts": (4,)}, "bias_shifts: 2 layers, but 1 given"),
        ({"bias_shifts": (4, 40)}, "bias_shifts must be in 0..31"),
        (
            {"topology": (2, 2, 2), "activations": (QReLU(30, 60),), "max_exponent": 31},
            "a sum may need more than 62 bits",
        ),
    ],
)
def test_bad_layouts_are_refused(small, change, message):
    with pytest.raises(ConfigError, match=message):
        replace(small, **change)
