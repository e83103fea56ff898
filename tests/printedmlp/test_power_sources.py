"""What carries a circuit: by hand, then that the record never promises more than its figures allow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from printedmlp.errors import ConfigError
from printedmlp.power_sources import (
    POWER_SOURCES,
    Battery,
    Use,
    duration,
    feasibility,
    use_of,
    weakest_source,
)


def test_a_circuit_by_hand():
    # 6 mW for 20 ms are 120 uJ: at 5 Hz 0.6 mW, and a harvester of 0.1 mW pays one every 1.2 s.
    found = feasibility(6.0, 20.0, Use(5.0, Battery(10.0, 1.5)))
    assert found is not None
    assert found["energy_uj"] == pytest.approx(120)
    assert found["max_rate_hz"] == pytest.approx(50)
    assert found["duty_cycled_mw"] == pytest.approx(0.6)
    molex, zinergy, spark, harvester = found["sources"]
    assert (molex["always_on"], zinergy["always_on"], spark["always_on"]) == (True, True, False)
    assert molex["always_on_hz"] == molex["duty_cycled_hz"] == pytest.approx(50)
    assert (spark["always_on_hz"], spark["duty_cycled_hz"]) == (0.0, pytest.approx(25))
    assert harvester["duty_cycled_hz"] == pytest.approx(1 / 1.2)
    assert name_of_weakest(found) == "Zinergy printed battery"
    # 10 mAh at 1.5 V are 15 mWh.
    assert found["battery"]["always_on_hours"] == pytest.approx(2.5)
    assert found["battery"]["duty_cycled_hours"] == pytest.approx(25)


def test_a_rate_beyond_the_delay_is_not_reached():
    found = feasibility(6.0, 500.0, Use(5.0))
    assert found is not None
    assert found["reaches_rate"] is False
    assert found["duty_cycled_mw"] == 6.0
    assert found["battery"] is None


def test_what_is_not_known_stays_unknown():
    assert feasibility(None, 3.0, Use()) is None
    found = feasibility(6.0, None, Use(5.0, Battery(10.0, 1.5)))
    assert found is not None
    assert (found["energy_uj"], found["max_rate_hz"], found["duty_cycled_mw"]) == (None, None, None)
    assert found["sources"][0]["always_on"]
    assert found["battery"] == {
        "capacity_mah": 10.0,
        "voltage": 1.5,
        "always_on_hours": 2.5,
        "duty_cycled_hours": None,
    }


def test_a_circuit_without_cells_lasts_as_long_as_a_battery_does():
    found = feasibility(0.0, 0.0, Use(5.0, Battery(10.0, 1.5)))
    assert found is not None
    assert found["battery"]["always_on_hours"] is None
    assert duration(None) == duration(1e9) == "over 10 years"
    assert name_of_weakest(found) == "printed energy harvester"


def test_switching_counts_with_every_sample():
    # 0.5 mW at rest and 1 mJ a sample: 3.5 mW at 3 Hz, of which a sample in 100 ms takes 0.05 + 1 mJ.
    found = feasibility(0.5, 100.0, Use(3.0, Battery(10.0, 1.5)), 1000.0)
    assert found is not None
    assert (found["power_mw"], found["switching_mw"]) == (pytest.approx(3.5), pytest.approx(3.0))
    assert (found["energy_uj"], found["duty_cycled_mw"]) == (pytest.approx(1050), pytest.approx(3.15))
    _, zinergy, spark, harvester = found["sources"]
    assert (zinergy["always_on"], zinergy["always_on_hz"]) == (True, pytest.approx(10))
    assert (spark["always_on"], spark["always_on_hz"]) == (False, pytest.approx(2.5))
    assert spark["duty_cycled_hz"] == pytest.approx(3 / 1.05)
    assert (harvester["always_on_hz"], harvester["duty_cycled_hz"]) == (0.0, pytest.approx(0.1 / 1.05))
    assert found["battery"]["always_on_hours"] == pytest.approx(15 / 3.5)


def test_a_circuit_too_slow_for_the_rate_switches_at_its_own():
    found = feasibility(0.5, 500.0, Use(5.0), 100.0)
    assert found is not None
    assert found["power_mw"] == found["duty_cycled_mw"] == pytest.approx(0.5 + 0.1 * 2)


@given(st.floats(1e-6, 1e4), st.floats(1e-3, 1e6), st.floats(1e-3, 1e6), st.floats(0, 1e6))
def test_no_source_gives_more_than_its_rating(static_mw, delay_ms, rate_hz, switching_uj):
    found = feasibility(static_mw, delay_ms, Use(rate_hz), switching_uj)
    assert found is not None
    assert found["duty_cycled_mw"] <= found["power_mw"]
    for source, told in zip(POWER_SOURCES, found["sources"], strict=True):
        assert found["energy_uj"] * told["duty_cycled_hz"] / 1000 <= source.power_mw * (1 + 1e-9)
        if told["always_on_hz"]:
            always_on_mw = static_mw + switching_uj * told["always_on_hz"] / 1000
            assert always_on_mw <= source.power_mw * (1 + 1e-9)
        assert max(told["always_on_hz"], told["duty_cycled_hz"]) <= found["max_rate_hz"] * (1 + 1e-9)


def name_of_weakest(figures):
    source = weakest_source(figures)
    return source and source["name"]


def test_half_a_battery_is_refused():
    with pytest.raises(ConfigError, match="battery_v: a battery needs it beside battery_mah"):
        use_of(5.0, 10.0, None)
    with pytest.raises(ConfigError, match="battery_mah: a battery needs it beside battery_v"):
        use_of(5.0, None, 1.5)
    with pytest.raises(ConfigError, match="must both be above 0"):
        Battery(-1.0, 1.5)


@pytest.mark.parametrize(
    ("hours", "text"), [(0.01, "0.6 min"), (1.5, "90 min"), (5.0, "5 h"), (60.0, "2.5 days"), (8766 * 3, "3 years")]
)
def test_times_in_words(hours, text):
    assert duration(hours) == text
