"""Prices of thresholds, by hand for the printed technology, and the trees that know them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp.errors import ConfigError
from printedmlp.priced_trees import Growth, TrainingRows, grown_with, priced_trees, small_branches, threshold_prices
from printedmlp.technology import load_technology
from printedmlp.threshold_prices import POWER_SHARES, ThresholdPrices, mm2_per_uw, power_shares
from printedmlp.tree_area import TreeUnits, tree_area_um2
from printedmlp.tree_genes import TreeEvaluator, TreeGenome
from printedmlp.tree_search import TreeSearchSettings, approximate_trees
from printedmlp.trees import grown
from tests.printedmlp.test_tree_search import random_genes
from tests.random_trees import trees

EGFET = load_technology("egfet")
AREA, JOINT, POWER = (ThresholdPrices.of(EGFET, 4, share) for share in (0.0, 0.5, 1.0))
# Any level from 3 to 12 of the one feature tells the classes apart.
X = np.array([[0], [2], [12], [15]])
Y = np.array([0, 0, 1, 1])


def test_the_prices_of_the_printed_comparators_by_hand():
    """NAND2: 0.248 mm2, about 0.4 uW in the three states of high output and 18.6 uW in the other one."""
    nand = EGFET.cell("NAND2X1")
    *high, low = nand.leakage_nw[1.0]
    uw = (sum(high) / 3 + low) / 2 / 1000
    assert uw == pytest.approx(9.48, abs=0.01)
    assert mm2_per_uw(EGFET) == pytest.approx(nand.area_mm2 / uw)
    assert AREA.levels_mm2 == pytest.approx((0.032,) * 15)
    assert AREA.first_mm2 == pytest.approx(0.176 - 0.032)
    assert POWER.levels_mm2[0] == pytest.approx(8.24 * nand.area_mm2 / uw)
    assert POWER.levels_mm2[14] == pytest.approx(57.8 * nand.area_mm2 / uw)
    assert POWER.first_mm2 == 0
    assert JOINT.levels_mm2[7] == pytest.approx((0.032 + 29.1 * nand.area_mm2 / uw) / 2)
    assert JOINT.first_mm2 == pytest.approx(0.072)


def test_fewer_bits_have_the_levels_that_are_left_of_the_ladder():
    assert ThresholdPrices.of(EGFET, 2, 1.0).levels_uw == (15.7, 29.1, 44.9)


def test_without_figures_there_is_no_price():
    with pytest.raises(ConfigError, match="no comparators for inputs of 5 bits"):
        ThresholdPrices.of(EGFET, 5, 0.5)
    with pytest.raises(ConfigError, match="no comparators for inputs of 4 bits"):
        ThresholdPrices.of(replace(EGFET, front_end=None), 4, 0.5)
    cells = {name: replace(cell, leakage_nw={}) for name, cell in EGFET.cells.items()}
    assert power_shares(EGFET) == POWER_SHARES
    assert power_shares(replace(EGFET, cells=cells)) == (0.0,)


def test_the_price_of_a_small_tree_by_hand():
    """x0 >= 5, x0 >= 9 and x1 >= 5, the first of them twice: three comparators on two features, and one gate."""
    tree = grown(2, 4, 2, (0, 5, (1, 5, 0, 1), (0, 9, 1, (1, 5, 1, 1))))
    units = TreeUnits.of(EGFET, AREA)
    assert tree_area_um2(tree.reduced(), units) == 2 * 32_000 + 2 * 144_000 + units.gate
    tree = grown(2, 4, 2, (0, 5, 0, (1, 9, 0, 1)))
    units = TreeUnits.of(EGFET, POWER)
    assert tree_area_um2(tree, units) == sum(round(POWER.levels_mm2[t - 1] * 1e6) for t in (5, 9)) + units.gate


@given(tree=trees(), seed=st.integers(0, 1 << 30), share=st.sampled_from(POWER_SHARES))
@settings(max_examples=60, deadline=None)
def test_the_kernel_prices_what_the_decoded_tree_costs(tree, seed, share):
    if tree.input_bits > 4:
        return
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 1 << tree.input_bits, (50, tree.n_features))
    units = TreeUnits.of(EGFET, ThresholdPrices.of(EGFET, tree.input_bits, share))
    weights, labels = np.ones(tree.n_classes, dtype=np.int64), rng.integers(0, tree.n_classes, 50)
    evaluator = TreeEvaluator(TreeGenome(tree), rows, labels, weights, units)
    genes = random_genes(evaluator.genome, 10, rng)
    objectives, _ = evaluator.score(genes)
    assert objectives[:, 1].tolist() == [tree_area_um2(evaluator.decoded(row), units) for row in genes]


def grown_at(prices, price):
    units = TreeUnits.of(EGFET, prices)
    rows = TrainingRows(X, Y, np.ones(2, dtype=np.int64), 4)
    return list(grown_with(rows, threshold_prices(units, 4, price), units, price).branches(8))


def test_a_tree_grows_on_the_low_level():
    assert grown_at(POWER, 0.01) == [0, (0, 3, 0, 1)]
    assert grown_at(replace(POWER, levels_mm2=POWER.levels_mm2[::-1]), 0.01) == [0, (0, 12, 0, 1)]


def searched(prices):
    """Levels of the trees without errors that the search ends with, from one of level 9."""
    found = approximate_trees(
        TreeSearchSettings(population=20, generations=40),
        [grown(1, 4, 2, (0, 9, 0, 1))],
        X,
        Y,
        technology=EGFET,
        rng=np.random.default_rng(0),
        thresholds=prices,
    )
    return [threshold for item in found if not item.errors for _, threshold in item.tree.thresholds]


def test_the_search_for_trees_moves_to_the_low_level():
    assert searched(POWER) == [3]


def test_with_flat_prices_the_search_has_no_reason_to():
    """Broken on purpose: under prices that are alike the level that was there first stays."""
    assert searched(replace(POWER, levels_mm2=(0.4,) * 15)) == [9]


def test_the_second_test_of_a_feature_saves_its_ladder_and_a_repeated_one_all():
    rows = TrainingRows(np.repeat(X, 2, axis=1), Y, np.ones(2, dtype=np.int64), 4)
    growth = Growth(rows, np.full(16, 0.02), first=0.1, again=0.01)
    before = growth.prices.copy()
    assert len(list(growth.branches(8))) == 2
    assert before[:, 1:] == pytest.approx(0.12)
    assert growth.prices[0, 3] == 0.01
    assert growth.prices[0, [1, 2, 4, 15]] == pytest.approx(0.02)
    assert (growth.prices[1] == before[1]).all()


def test_enumerated_trees_pay_for_the_level_too():
    units = TreeUnits.of(EGFET, POWER)
    rows = TrainingRows(X, Y, np.ones(2, dtype=np.int64), 4)
    assert small_branches(rows, threshold_prices(units, 4, 0.01)[None]) == [(0, 3, 0, 1)]


def test_priced_trees_tell_the_price_for_the_area():
    found = priced_trees(X, Y, n_classes=2, input_bits=4, technology=EGFET, thresholds=POWER)
    assert [(item.errors, round(item.area_mm2, 6)) for item in found] == [
        (0, round(POWER.levels_mm2[2], 6)),
        (2, 0.0),
    ]
