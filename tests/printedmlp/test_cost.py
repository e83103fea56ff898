from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp.cost import PopulationCost, full_adders, neuron_full_adders, sweep, tree_columns
from printedmlp.errors import ModelError
from printedmlp.genome import MASK, GenomeLayout
from printedmlp.model import DiscreteMLP, Layer, Neuron, QReLU, Scores, Term
from tests.printedmlp.test_genome import layouts

POSITIVE = (Term(0, 1, 0b1111, 0), Term(1, 1, 0b0110, 1), Term(2, 1, 0b1010, 0))
NEGATIVE = (Term(3, -1, 0b1100, 0), Term(4, -1, 0b0011, 2))


def test_one_neuron_by_hand():
    # Positive columns 0..3: x0 gives 1 1 1 1, x1 (bits 1, 2 shifted by 1) gives 0 0 1 1, x2 gives 0 1 0 1.
    assert tree_columns(Neuron(POSITIVE), 0, 1) == Counter({0: 1, 1: 2, 2: 2, 3: 3})
    # Column 1: two bits, one adder. Column 2: two and a carry, one. Column 3: three and a carry, two adders.
    # Column 4: two carries, one. Column 5: its carry is the top bit, so the sum has 6 bits.
    assert sweep(tree_columns(Neuron(POSITIVE), 0, 1)) == (5, 6)
    # Negative: bits 2, 3 twice. Column 2: one adder; column 3: two and a carry, one; top bit in column 4.
    assert sweep(tree_columns(Neuron(NEGATIVE), 0, -1)) == (2, 5)
    # The subtractor reaches from column 2, the lowest that is subtracted, to column 5.
    assert neuron_full_adders(Neuron(POSITIVE + NEGATIVE), 0) == 5 + 2 + 4


def test_a_bias_is_a_summand_of_its_sign():
    assert tree_columns(Neuron((), 5), 3, 1) == Counter({3: 1, 5: 1})
    assert tree_columns(Neuron((), 5), 3, -1) == Counter()
    assert tree_columns(Neuron((), -4), 1, -1) == Counter({3: 1})
    # 0b1111 + 0b10 needs adders in columns 1, 2, 3; subtracting instead takes one in each of columns 1 to 3.
    assert neuron_full_adders(Neuron(POSITIVE[:1], 2), 0) == 3
    assert neuron_full_adders(Neuron(POSITIVE[:1], -2), 0) == 3


@pytest.mark.parametrize("neuron", [Neuron(()), Neuron((Term(0, 1, 0b1011, 3),)), Neuron((Term(0, 1, 0, 0),))])
def test_wires_are_free(neuron):
    assert neuron_full_adders(neuron, 0) == 0


def test_several_terms_on_one_input_count_like_any_others():
    assert neuron_full_adders(Neuron((Term(0, 1, 0b11, 0), Term(0, 1, 0b11, 0))), 0) == 2


def test_a_model_is_the_sum_of_its_neurons():
    layers = (
        Layer((Neuron(POSITIVE), Neuron(NEGATIVE, 1)), 0, QReLU()),
        Layer((Neuron((Term(0, 1, 255, 0), Term(1, 1, 255, 0))), Neuron(())), 8, Scores()),
    )
    model = DiscreteMLP(5, 4, layers)
    assert full_adders(model) == 5 + (2 + 3) + 8 + 0


@given(st.dictionaries(st.integers(0, 12), st.integers(1, 30)))
def test_a_sum_is_as_wide_as_its_largest_value(columns):
    largest = sum(count << column for column, count in columns.items())
    assert sweep(Counter(columns))[1] == largest.bit_length()


@given(layouts(), st.floats(0, 1), st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_population_count_equals_the_definition(layout, sparsity, seed):
    rng = np.random.default_rng(seed)
    population = layout.random(6, rng)
    population[(layout.kinds == MASK) & (rng.random(population.shape) < sparsity)] = 0
    wanted = [full_adders(layout.decode(genes)) for genes in population]
    assert PopulationCost(layout).full_adders(population).tolist() == wanted


def test_wide_sums_do_not_wrap():
    layout = GenomeLayout((4, 3, 3), 16, (QReLU(20, 40),), 31, (-128, 127), (20, 31))
    population = layout.random(20, np.random.default_rng(0))
    wanted = [full_adders(layout.decode(genes)) for genes in population]
    assert PopulationCost(layout).full_adders(population).tolist() == wanted


def test_clearing_a_mask_bit_never_costs():
    layout = replace(GenomeLayout.uniform((6, 3, 3)), bias_range=(0, 0))
    rng = np.random.default_rng(1)
    genes = layout.random(1, rng)
    cost = PopulationCost(layout)
    while genes[:, layout.kinds == MASK].any():
        gene = rng.choice(np.flatnonzero((layout.kinds == MASK) & (genes[0] > 0)))
        fewer = genes.copy()
        fewer[0, gene] &= fewer[0, gene] - 1
        assert cost.full_adders(fewer) <= cost.full_adders(genes)
        genes = fewer
    assert cost.full_adders(genes) == 0


def test_genes_out_of_range_are_refused():
    layout = GenomeLayout.uniform((2, 1, 2))
    with pytest.raises(ModelError, match="gene 2: value 40"):
        PopulationCost(layout).full_adders(np.array([[1, 1, 40, *[1, 0, 0, 0] * 3]])[:, : layout.size])
