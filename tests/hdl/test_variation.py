"""Spread of delay and power: an inverter chain by hand, the nominal print, and paths that a factor changes."""

import numpy as np
import pytest
from hypothesis import given, settings

from hdl.power import power_profile, static_power_mw
from hdl.timing import critical_path
from hdl.variation import delays_ms, log_normal_factors, static_powers_mw
from printedmlp.errors import ConfigError
from tests.netlists import EGFET, inverter_chain, random_netlists, two_gates


@settings(max_examples=25, deadline=None)
@given(random_netlists())
def test_without_spread_the_delay_is_the_nominal_one(netlist):
    ones = np.ones((2, len(netlist.instances)))
    nominal = critical_path(netlist, EGFET, 1.0).delay_ms
    assert delays_ms(netlist, EGFET, 1.0, ones) == pytest.approx([nominal, nominal])
    assert delays_ms(netlist, EGFET, 1.0, 3 * ones) == pytest.approx([3 * nominal] * 2)


def test_a_chains_delay_is_the_sum_of_its_cells():
    path = critical_path(inverter_chain(3), EGFET, 1.0)
    steps = np.diff([0.0, *(step.arrival_ms for step in path.path)])
    factors = np.array([[2.0, 1.0, 1.0], [1.0, 1.0, 5.0]])
    found = delays_ms(inverter_chain(3), EGFET, 1.0, factors)
    # The other edge may take over, so the path's own sum is a bound that is met where it stays the longest.
    assert (found >= factors @ steps - 1e-12).all()
    assert found[0] < found[1]


def test_power_is_the_sum_of_the_scaled_cells():
    codes = np.array([[0, 0], [1, 1], [0, 1]], dtype=np.uint8)
    profile = power_profile(two_gates(), EGFET, codes, 1)
    assert static_powers_mw(profile, 1.0, np.ones((1, 2)))[0] == pytest.approx(
        static_power_mw(two_gates(), EGFET, codes, 1)[1.0]
    )
    each = profile.static_nw[1.0] * 1e-6
    assert static_powers_mw(profile, 1.0, np.array([[2.0, 0.5]]))[0] == pytest.approx(2 * each[0] + 0.5 * each[1])


def test_factors_have_median_one_and_the_spread_that_was_asked_for():
    found = np.log(log_normal_factors(0.3, 4000, 3, np.random.default_rng(0)))
    assert np.median(found) == pytest.approx(0.0, abs=0.01)
    assert found.std() == pytest.approx(0.3, abs=0.01)
    assert (log_normal_factors(0.0, 2, 2, np.random.default_rng(0)) == 1).all()
    with pytest.raises(ConfigError, match="sigma: -1 is not a number of 0 or more"):
        log_normal_factors(-1, 1, 1, np.random.default_rng(0))
