"""What carries a circuit, in one line: only what its figures allow to be said."""

from flows.feasible import feasibility_table, feasibility_words
from printedmlp.power_sources import Battery, Use, feasibility

USE = Use(5.0, Battery(10.0, 1.5))


def words(*figures):
    return feasibility_words({"id": "x", "feasibility": feasibility(*figures)})


def test_a_quick_circuit():
    # 6 mW for 20 ms and 1 uJ are 121 uJ, five times a second 0.605 mW; 15 mWh last 15 / 6.005 h and 15 / 0.605 h.
    assert words(6.0, 20.0, USE, 1.0) == (
        "Zinergy printed battery, always on, up to 50 Hz; 121 uJ a classification; 0.605 mW if on only to classify "
        "at 5 Hz; 10 mAh at 1.5 V last 2.5 h always on, 24.8 h at 5 Hz"
    )


def test_a_slow_circuit_has_no_life_at_the_rate():
    text = words(6.0, 500.0, USE, 1.0)
    assert text.endswith("3000 uJ a classification; too slow for 5 Hz; 10 mAh at 1.5 V last 2.5 h")


def test_what_is_not_counted_is_said():
    assert words(40.0, 20.0, Use(5.0)).startswith(
        "no printed source carries it always on; 800 uJ a classification; "
    )
    assert words(40.0, 20.0, Use(5.0)).endswith("; static power only, switching is not known")
    assert "static power only" not in words(40.0, 20.0, Use(5.0), 0.0)
    assert words(6.0, None, USE) == (
        "Zinergy printed battery, always on; 10 mAh at 1.5 V last 2.5 h; static power only, switching is not known"
    )


def test_without_figures_nothing_is_said():
    assert words(None, 20.0, USE) == ""
    assert feasibility_table([{"id": "x", "feasibility": None}, {"id": "y"}], "1") == []
