from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hdl.classifier import Classifier
from printedmlp.area import AreaModel, AreaUnits, area_form, scratch_size
from printedmlp.errors import ConfigError, ModelError
from printedmlp.genome import MASK, GenomeLayout
from printedmlp.kernels.area import N_UNITS, count_areas
from printedmlp.kernels.bounds import HIGH, LOW, SUM_HIGH, SUM_LOW, filled, find_bounds, masked_high, masked_low
from printedmlp.model import QReLU
from printedmlp.reduction import reduce_columns
from printedmlp.technology import load_technology
from printedmlp.winners import possible_winners
from tests.printedmlp.test_genome import layouts

EGFET = load_technology("egfet")
NAMES = [field.name for field in fields(AreaUnits)]


def counts(layout, genes):
    """How many of each piece the closed form finds in one chromosome: its area with one unit at a time set to 1."""
    result = {}
    for k, name in enumerate(NAMES):
        out, scratch = np.zeros(1), np.full(scratch_size(layout), -7, dtype=np.int64)
        count_areas(np.array([genes], dtype=np.int32), area_form(layout), np.eye(N_UNITS)[k], scratch, out)
        if out[0]:
            result[name] = round(float(out[0]))
    return result


def sparse(layout, size, sparsity, rng):
    population = layout.random(size, rng)
    population[(layout.kinds == MASK) & (rng.random(population.shape) < sparsity)] = 0
    return population


PLAIN = GenomeLayout((3, 2), 4, (), 7, (-8, 7), (0,))
"""Three inputs of four bits, two classes whose scores are max(S, 0)."""


def test_two_small_classes_by_hand():
    # Class 0: x0 + (x1 & 0b0011), 5 bits. Columns 0 and 1: two bits, half adder; two and a carry, full adder; then
    # one bit and a carry in columns 2 and 3: half adders; the last carry is column 4.
    # Class 1: x2, a wire of 4 bits. Comparison: 4 bits of both words, one of class 0 alone. The one bit of the
    # class is the verdict itself.
    genes = [1, 15, 0, 1, 3, 0, 1, 0, 0, 0, *(1, 0, 0, 1, 0, 0, 1, 15, 0, 0)]
    assert counts(PLAIN, genes) == {"half": 3, "full": 1, "compare": 4, "compare_one": 1}


def test_a_subtraction_and_a_rectified_leader_by_hand():
    # Class 0: x0 - (x1 & 0b0001) is -1 .. 15, 5 bits: not x1[0] in column 0 and a constant -1, ones in all columns.
    # Column 0: two bits and a one, half adder; columns 1 to 3: a bit, a carry and a one; column 4: the carry and a
    # one, an inverter. Rectified: 4 gates. Class 1: x2, 4 bits.
    genes = [1, 15, 0, -1, 1, 0, 1, 0, 0, 0, *(1, 0, 0, 1, 0, 0, 1, 15, 0, 0)]
    assert counts(PLAIN, genes) == {"inverter": 2, "half": 4, "and_gate": 4, "compare": 4}
    # With class 1 fixed at 3 it is still compared, bit by bit with a constant.
    genes[16:] = [1, 0, 0, 3]
    assert counts(PLAIN, genes) == {"inverter": 2, "half": 4, "and_gate": 4, "compare_one": 4}


def test_a_class_that_cannot_win_costs_nothing():
    genes = [1, 15, 0, 1, 15, 0, 1, 15, 0, 7, *(-1, 15, 0, -1, 15, 0, -1, 15, 0, 7)]
    assert counts(PLAIN, genes) == {}


def test_bits_that_no_mask_keeps_cost_nothing():
    layout = GenomeLayout((2, 1, 2), 4, (QReLU(0, 7),), 7, (-128, 127), (0, 0))
    adder = [1, 15, 0, 1, 15, 0, 0]
    whole, low_bit = ([*adder, 1, mask, 0, 0, 1, 0, 0, 9] for mask in (31, 1))
    assert counts(layout, whole) == {"half": 1, "full": 3, "compare_one": 5}
    # A score of 0 or 8 against a constant: one bit varies.
    assert counts(layout, [*adder, 1, 1, 3, 1, 1, 0, 0, 8]) == {"half_sum": 1, "compare_one": 1}
    assert counts(layout, low_bit) == {}  # the score 1 never exceeds 9


@given(layouts(), st.floats(0, 1), st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_bounds_equal_the_definition(layout, sparsity, seed):
    for genes in sparse(layout, 4, sparsity, np.random.default_rng(seed)):
        scratch = np.full(scratch_size(layout), -7, dtype=np.int64)
        find_bounds(genes, area_form(layout), scratch)
        n, first = sum(layout.topology), layout.topology[0]
        rows = {row: scratch[row * n + first : (row + 1) * n].tolist() for row in (LOW, HIGH, SUM_LOW, SUM_HIGH)}
        intervals = layout.decode(genes).intervals()
        assert list(zip(rows[SUM_LOW], rows[SUM_HIGH], strict=True)) == [s for i in intervals for s in i.sums]
        assert list(zip(rows[LOW], rows[HIGH], strict=True)) == [o for i in intervals for o in i.outputs]


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
@settings(max_examples=200, deadline=None)
def test_masked_ranges(mask, a, b):
    low, high = min(a, b), max(a, b)
    values = [x & mask for x in range(low, high + 1)]
    varying = filled(low ^ high)
    assert (masked_low(mask, low, varying), masked_high(mask, high, varying)) == (min(values), max(values))


@given(layouts(), st.floats(0, 1), st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_adders_are_those_of_the_emitted_heaps(layout, sparsity, seed):
    flat = replace(layout, topology=layout.topology[-2:], activations=(), bias_shifts=layout.bias_shifts[-1:])
    for genes in sparse(flat, 4, sparsity, np.random.default_rng(seed)):
        assert adders(counts(flat, genes)) == emitted_adders(flat.decode(genes))


def adders(found):
    two = sum(found.get(name, 0) for name in ("half", "half_sum"))
    return two, sum(found.get(name, 0) for name in ("full", "full_sum"))


def emitted_adders(model):
    two = three = 0
    if len(possible_winners(model.intervals()[-1].outputs)) > 1:
        for neuron in Classifier(model).neurons.values():
            bits = neuron.summands
            tree = reduce_columns([bit.column for bit in bits.bits], bits.constant, bits.width)
            two += sum(len(adder.operands) == 2 for adder in tree.adders)
            three += sum(len(adder.operands) == 3 for adder in tree.adders)
    return two, three


def test_removing_a_connection_hardly_ever_costs():
    layout = GenomeLayout.uniform((8, 4, 3))
    rng = np.random.default_rng(3)
    model = AreaModel(layout, AreaUnits.of(EGFET))
    genes = sparse(layout, 400, 0.3, rng)
    fewer = genes.copy()
    masks = np.flatnonzero(layout.kinds == MASK)
    fewer[np.arange(400), rng.choice(masks, 400)] = 0
    assert model.areas(fewer).mean() < model.areas(genes).mean()


def test_wide_sums_do_not_wrap():
    layout = GenomeLayout((4, 3, 3), 16, (QReLU(20, 40),), 31, (-128, 127), (20, 31))
    areas = AreaModel(layout, AreaUnits.of(EGFET)).areas(layout.random(50, np.random.default_rng(0)))
    assert np.isfinite(areas).all()
    assert areas.max() > 100
    assert areas.min() >= 0


def test_units_are_those_of_the_technology():
    units = AreaUnits.of(EGFET)
    assert units.full == pytest.approx(2.231, abs=1e-3)
    assert units.inverter == EGFET.cell("INVX1").area_mm2
    assert len(units.array()) == N_UNITS == len(NAMES)


def test_a_technology_without_a_nand_is_refused():
    cells = {name: cell for name, cell in EGFET.cells.items() if cell.truth_table != 0b0111}
    with pytest.raises(ConfigError, match="NAND"):
        AreaUnits.of(replace(EGFET, cells=cells))


def test_genes_out_of_range_are_refused():
    model = AreaModel(GenomeLayout.uniform((2, 1, 2)), AreaUnits.of(EGFET))
    with pytest.raises(ModelError, match="gene 2: value 40"):
        model.areas(np.array([[1, 1, 40, 1, 0, 0, 0, *[1, 0, 0, 0] * 2]]))
