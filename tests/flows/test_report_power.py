"""Power, delay, sources and sensors on the page and in the terminal."""

import re
from dataclasses import replace
from typing import Any

from flows.summary import summary_text
from printedmlp.power_sources import Battery, Use, feasibility
from printedmlp.technology import load_technology
from tests.flows.test_report import front, page, point, words

POWERED = {"feasibility": feasibility(0.12, 1.0, Use(5.0, Battery(10.0, 1.5)))}


def test_what_carries_a_circuit_and_for_how_long():
    data = front(point("paper-1", "paper", 0.04, 0.9, **POWERED), **POWERED)
    text = words(page(data, battery_mah=10, battery_v=1.5))
    # 15 mWh last 125 h at 0.12 mW; 5 of 1000 ms on, they last 200 times as long.
    assert "paper-1 0.12 mW 0.12 µJ 600 nW 1000 Hz 1000 Hz 1000 Hz 833 Hz 5.21 days 2.85 years" in text
    assert "10&nbsp;mAh, 1.5&nbsp;V" in text
    assert "10&nbsp;mAh" not in words(page(data))
    terminal = summary_text(data, load_technology("egfet"))
    assert "life of 10 mAh at 1.5 V; static power only" in terminal
    head, _, row = terminal[terminal.index("power source at 1 V") :].splitlines()[1:4]
    assert re.split("  +", head)[-2:] == ["life always on", "life at 5 Hz"]
    assert re.split("  +", row) == [
        "paper-1",
        "Blue Spark printed battery",
        "1000 Hz",
        "0.12 uJ",
        "600 nW",
        "5.21 days",
        "2.85 years",
    ]


def test_small_figures_have_small_units_and_slow_circuits_no_life_at_a_rate():
    small = {"feasibility": feasibility(0.005, 0.00155, Use(5.0, Battery(10.0, 1.5)), 2.25e-6)}
    slow = {"feasibility": feasibility(6.0, 500.0, Use(5.0, Battery(10.0, 1.5)), 1.0)}
    data = front(point("paper-1", "paper", 0.04, 0.9, **small), **slow)
    text = words(page(data, battery_mah=10, battery_v=1.5))
    # 5 uW for 1.55 us are 7.75 pJ, and 2.25 pJ are switching.
    assert "paper-1 5 µW 10 pJ 50 pW 645 kHz 645 kHz 645 kHz 645 kHz" in text
    assert "exact 6 mW 3000 µJ too slow 2 Hz 2 Hz 1 Hz 0.0333 Hz 2.5 h too slow" in text
    assert "e-0" not in text
    quick = {"delay_ms": {"0.6": 0.01, "0.8": 0.005, "1": 0.00155}, "max_rate_hz": 645_161.3}
    assert "1.55 µs at most 645 kHz" in words(page(front(point("paper-1", "paper", 0.04, 0.9, **quick))))
    wire = {"delay_ms": {"0.6": 0.0, "0.8": 0.0, "1": 0.0}, "max_rate_hz": None}
    assert "0 ms never waits" in words(page(front(point("paper-1", "paper", 0.04, 0.9, **wire))))
    terminal = summary_text(data, load_technology("egfet"))
    assert "static power only" not in terminal
    assert re.search(r"^exact +Zinergy printed battery +2 Hz +3000 uJ +too slow +2\.5 h +too slow$", terminal, re.M)


def test_columns_that_need_a_delay_are_left_out_without_one():
    still = {"feasibility": feasibility(0.12, None, Use(5.0, Battery(10.0, 1.5)))}
    terminal = summary_text(front(point("paper-1", "paper", 0.04, 0.9, **still), **still), load_technology("egfet"))
    title, head, row, _ = terminal[terminal.index("power source at") :].splitlines()
    assert "on only to classify" not in title
    assert re.split("  +", head) == ["circuit", "always on from", "life always on"]
    assert re.split("  +", row) == ["exact", "Blue Spark printed battery", "5.21 days"]


def test_without_figures_of_power_and_delay_the_page_says_so():
    cells = {n: replace(c, leakage_nw={}, arcs=()) for n, c in load_technology("egfet").cells.items()}
    bare = replace(load_technology("egfet"), cells=cells)
    none = {
        "power_mw": dict.fromkeys(("0.6", "0.8", "1")),
        "delay_ms": dict.fromkeys(("0.6", "0.8", "1")),
        "max_rate_hz": None,
        "choice_power_mw": None,
        "feasibility": None,
    }
    data = front(point("paper-1", "paper", 0.04, 0.9, **none), **none)
    html = page(data, technology=bare)
    assert "The technology has no power figures" in html
    assert "The technology has no delay figures" in html
    assert "What carries them" not in html
    assert "no other beats in merit and synthesised area." in words(html)
    assert html.count('<svg class="plot" viewBox="0 0 560') == 1
    assert "no power figures" in words(html)
    assert "delay, 1 V" not in words(html)
    terminal = summary_text(data, bare)
    assert "at 1 V" not in terminal
    row = next(line for line in terminal.splitlines() if line.startswith("paper-1"))
    assert row.split()[6:9] == ["–", "–", "7"]


SENSED: dict[str, Any] = {
    "front_end": {"inputs": 2, "comparators": 3, "undecided": 1},
    "system": {
        "comparators": 3,
        "full": {"area_cm2": 0.38, "power_mw": 0.78, "most": {"area_cm2": 0.54, "power_mw": 2.72}},
        "pruned": {"area_cm2": 0.05, "power_mw": 0.2, "carried_by": "Blue Spark printed battery"},
    },
}


def test_the_sensors_stand_beside_the_classifier():
    data = front(point("paper-1", "paper", 0.04, 0.9, **SENSED), **SENSED)
    text = words(page(data))
    assert "paper-1 2 3 (1 unproved) 0.04 0.12 0.38–0.54 0.78–2.72 0.05 0.2 Blue Spark printed battery" in text
    assert "thermometer" not in text
    terminal = summary_text(data, load_technology("egfet"))
    assert "paper-1    3 comparators; full 0.38 cm2, 0.78 mW at least; pruned 0.05 cm2, 0.2 mW (Blue" in terminal
    second = {"area_cm2": 0.03, "power_mw": 0.1, "carried_by": None, "gates": {"area_cm2": 0.01, "power_mw": 0.07}}
    unary = {**SENSED, "system": {**SENSED["system"], "thermometer": second}}
    sensed = front(point("paper-1", "paper", 0.04, 0.9, **unary), **SENSED)
    text = words(page(sensed, inputs="thermometer"))
    assert "area with sensors 0.03 cm²" in text
    assert "0.05 0.2 0.03 0.1 0.01 0.07 Blue Spark printed battery none" in text
    assert "exact 2 3 (1 unproved) 4 12 0.38–0.54 0.78–2.72 0.05 0.2 – – – – Blue Spark" in text
    assert "Area and power that decide are those of the circuit on comparators' outputs" in text
    terminal = summary_text(sensed, load_technology("egfet"))
    assert "thermometer 0.03 cm2, 0.1 mW, of it gates 0.01 cm2, 0.07 mW (no printed source)" in terminal
    assert "With the sensors" not in page(front(point("paper-1", "paper", 0.04, 0.9)))
