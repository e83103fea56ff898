import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp.errors import ConfigError
from printedmlp.genome import BIAS, EXPONENT, MASK, SIGN, GenomeLayout
from printedmlp.kernels import moves as kernel
from printedmlp.moves import MoveShares, move_form, mutate_structured, new_log, random_states
from tests.printedmlp.test_genome import layouts

LAYOUT = GenomeLayout.uniform((4, 3, 3))
KINDS = range(kernel.N_KINDS)


def make(kind, genes, *, layout=LAYOUT, seed=1):
    """One move of a kind on a copy; the new genes and how many changes were logged."""
    genes = genes.copy()
    log = new_log(layout)
    states = random_states(1, np.random.default_rng(seed))
    n = kernel.make_move(kind, genes, move_form(layout), states[0], log, 0)
    return genes, n, log


def only(**shares):
    return MoveShares(**{name: shares.get(name, 0) for name in MoveShares.__dataclass_fields__})


def individuals(layout, seed, size=8):
    rng = np.random.default_rng(seed)
    genes = layout.random(size, rng)
    genes[(layout.kinds == MASK) & (rng.random(genes.shape) < 0.5)] = 0
    return layout.canonical(genes)


def test_the_shares_are_in_the_order_of_the_kernel_kinds():
    names = [name.upper() for name in MoveShares.__dataclass_fields__]
    assert [getattr(kernel, name) for name in names] == list(KINDS)


@given(layouts(), st.integers(0, 2**32), st.sampled_from(KINDS))
@settings(max_examples=150, deadline=None)
def test_every_move_keeps_genes_in_range_and_canonical_and_can_be_undone(layout, seed, kind):
    for before in individuals(layout, seed):
        after, n, log = make(kind, before, layout=layout, seed=seed)
        layout.check(after[None, :])
        assert np.array_equal(layout.canonical(after), after)
        assert {*np.flatnonzero(after != before)} <= {*log[0, :n]}
        kernel.undo(after, log, n)
        assert np.array_equal(after, before)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_move_changes_something_now_and_then(kind):
    genes = individuals(LAYOUT, 3, size=200)
    if kind == kernel.CLONE_NEURON:
        unread = LAYOUT.canonical(np.where((np.arange(LAYOUT.size) >= 39) & (LAYOUT.kinds == MASK), 0, genes))
        genes = np.where(np.arange(LAYOUT.size) >= 39, unread, genes)
    changed = [make(kind, row, seed=seed)[1] for seed, row in enumerate(genes)]
    assert sum(n > 0 for n in changed) > 20


def difference(kind, genes, seed):
    after, n, _ = make(kind, genes, seed=seed)
    return np.flatnonzero(after != genes), after, n


@pytest.mark.parametrize("seed", range(30))
def test_small_moves_change_what_they_say(seed):
    genes = individuals(LAYOUT, seed, size=1)[0]
    kinds = LAYOUT.kinds
    at, after, _ = difference(kernel.FLIP_BIT, genes, seed)
    masks = [place for place in at if kinds[place] == MASK]
    assert len(masks) == 1
    assert int(genes[masks[0]] ^ after[masks[0]]).bit_count() == 1
    at, after, _ = difference(kernel.SLIDE_EXPONENT, genes, seed)
    assert len(at) <= 1
    assert all(kinds[place] == EXPONENT and abs(after[place] - genes[place]) == 1 for place in at)
    at, after, _ = difference(kernel.FLIP_SIGN, genes, seed)
    assert [kinds[place] for place in at] == [SIGN]
    at, after, _ = difference(kernel.TRADE_BIT, genes, seed)
    assert all(int(after[p]).bit_count() == int(genes[p]).bit_count() for p in at)
    at, after, _ = difference(kernel.STEP_BIAS, genes, seed)
    assert all(kinds[p] == BIAS and abs(int(after[p]) - int(genes[p])).bit_count() == 1 for p in at)
    at, after, _ = difference(kernel.SNAP_BIAS, genes, seed)
    assert len(at) <= 1
    at, after, _ = difference(kernel.DROP_CONNECTION, genes, seed)
    assert sum(kinds[place] == MASK and after[place] == 0 for place in at) == 1


@pytest.mark.parametrize("seed", range(20))
def test_a_slide_of_mask_and_exponent_keeps_the_columns_of_the_kept_bits(seed):
    genes = individuals(LAYOUT, seed, size=1)[0]
    at, after, n = difference(kernel.SLIDE_BOTH, genes, seed)
    if n and not any(LAYOUT.kinds[p] == SIGN for p in at):
        mask = next(int(p) for p in at if LAYOUT.kinds[p] == MASK)
        before = int(genes[mask]) << int(genes[mask + 1])
        now = int(after[mask]) << int(after[mask + 1])
        assert now & before == now


def test_dropping_a_bit_clears_it_for_every_reader():
    genes = LAYOUT.canonical(LAYOUT.upper)
    for kind, n_readers in ((kernel.DROP_INPUT_BIT, 3), (kernel.DROP_HIDDEN_BIT, 3)):
        after, n, _ = make(kind, genes)
        assert n == n_readers
        cleared = {int(genes[p] ^ after[p]) for p in np.flatnonzero(after != genes)}
        assert len(cleared) == 1


def test_a_dropped_hidden_neuron_is_neither_fed_nor_read():
    genes = LAYOUT.canonical(LAYOUT.upper)
    for seed in range(40):
        after, _, _ = make(kernel.DROP_NEURON, genes, seed=seed)
        model = LAYOUT.decode(after)
        empty = [j for j, neuron in enumerate(model.layers[0].neurons) if not neuron.terms]
        for j in empty:
            assert all(term.input != j for neuron in model.layers[1].neurons for term in neuron.terms)
        assert len(empty) + sum(not neuron.terms for neuron in model.layers[1].neurons) == 1


def test_the_lowest_column_goes_from_one_neuron_or_from_all_outputs():
    genes = LAYOUT.canonical(LAYOUT.upper)
    touched = set()
    for seed in range(40):
        after, _, _ = make(kernel.DROP_COLUMN, genes, seed=seed)
        places = np.flatnonzero(after != genes)
        assert all(genes[p] - after[p] == 1 for p in places)
        touched.add(len(places))
    assert touched == {3, 4, 9}  # an output, a hidden neuron, all outputs


def test_swapping_neurons_everywhere_with_their_genes_would_keep_the_function():
    genes = individuals(LAYOUT, 5, size=1)[0]
    for seed in range(60):
        after, _, _ = make(kernel.SWAP_NEURONS, genes, seed=seed)
        readers, now = genes[39:].reshape(3, 10), after[39:].reshape(3, 10)
        for old, new in zip(readers, now, strict=True):
            assert sorted(map(tuple, old[:9].reshape(3, 3))) == sorted(map(tuple, new[:9].reshape(3, 3)))


def test_the_operator_leaves_its_argument_alone_and_repeats_with_its_generator():
    genes = individuals(LAYOUT, 1, size=50)
    before = genes.copy()
    first = mutate_structured(genes, np.random.default_rng(2), layout=LAYOUT)
    assert np.array_equal(genes, before)
    assert np.array_equal(first, mutate_structured(genes, np.random.default_rng(2), layout=LAYOUT))
    assert not np.array_equal(first, mutate_structured(genes, np.random.default_rng(3), layout=LAYOUT))
    LAYOUT.check(first)
    assert (first != genes).any(axis=1).mean() > 0.7


def test_shares_decide_what_is_proposed():
    genes = individuals(LAYOUT, 1, size=200)
    after = mutate_structured(genes, np.random.default_rng(2), layout=LAYOUT, shares=only(flip_sign=1))
    assert {*LAYOUT.kinds[np.nonzero(after != genes)[1]]} == {SIGN}
    assert after.shape == genes.shape
    assert len(mutate_structured(genes[:0], np.random.default_rng(2), layout=LAYOUT)) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"flip_bit": -1}, "move share flip_bit must be 0 or more, not -1"),
        ({"rewire": float("nan")}, "move share rewire"),
        (dict.fromkeys(MoveShares.__dataclass_fields__, 0), "all 0"),
    ],
)
def test_shares_out_of_range_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        MoveShares(**change)


def test_fewer_than_one_move_a_child_is_refused():
    with pytest.raises(ConfigError, match="moves_per_child must be at least 1"):
        mutate_structured(LAYOUT.upper[None], np.random.default_rng(0), layout=LAYOUT, moves_per_child=0.5)
