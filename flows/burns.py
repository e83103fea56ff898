"""Where a circuit's power goes and what its speed waits for: records for measure.json, and the same in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from hdl.blocks import Blocks, blocks_of
from hdl.paths import path_sections, path_text
from hdl.power import PowerProfile, power_profile
from hdl.timing import TimingReport, critical_path
from printedmlp.circuit import Netlist
from printedmlp.classifier import Classifier
from printedmlp.names import clean_text
from printedmlp.power_sources import DEFAULT_RATE_HZ
from printedmlp.technology import Technology
from printedmlp.units import three, with_unit
from printedmlp.vectors import Vectors

NAMED_BLOCKS = 4
NAME_WIDTH = 40
Record = dict[str, Any]
Timing = Mapping[float, TimingReport | None]


def power_and_timing(
    netlist: Netlist,
    technology: Technology,
    vectors: Vectors,
    input_bits: int,
    *,
    classifier: Classifier | None = None,
    feature_names: Sequence[str] | None = None,
    rate_hz: float = DEFAULT_RATE_HZ,
    timing: Timing | None = None,
    blocks: Blocks | None = None,
) -> Record:
    """Total power at a rate of rows, its split by cell and block, and the longest path; JSON-ready.

    A circuit too slow for the rate at some voltage is counted there at the highest rate it reaches. "power" is None
    where the technology has no figures of static power, "timing" where it has none of delays; then the rate is
    taken as it is.

    Parameters
    ----------
    vectors : rows in the order in which they reach the circuit.
    classifier : what the circuit computes; gives blocks their names. None for a stranger's circuit.
    feature_names : one for each feature; x0, x1, ... without.
    rate_hz : rows a second.
    timing : the longest path by voltage, as `timing_of` finds it; None to look for it.
    blocks : the parts of the netlist, as `hdl.blocks.blocks_of` finds them; None to look for them.
    """
    names = [clean_text(name, NAME_WIDTH) for name in _features(feature_names, vectors)]
    parts = blocks_of(netlist, technology, classifier) if blocks is None else blocks
    parts = parts.renamed(comparator_names(names))
    found = timing_of(netlist, technology) if timing is None else timing
    rates = {v: min(rate_hz, report.max_rate_hz) if report else rate_hz for v, report in found.items()}
    reports = {v: report for v, report in found.items() if report}
    power = None
    if not technology.without_power:
        profile = power_profile(netlist, technology, vectors.codes, input_bits)
        power = _power_record(netlist, technology, profile, rates, parts)
    nominal = technology.nominal_voltage
    return {
        "power": power,
        "timing": _timing_record(reports, nominal, parts, names, input_bits) if reports else None,
    }


def comparator_names(names: Sequence[str]) -> dict[str, str]:
    """Names of a tree's blocks of comparators: the feature's, in quotes; its number where names are alike."""
    return {f"feature {k}": f"'{name}'" for k, name in enumerate(names) if names.count(name) == 1}


def _features(given: Sequence[str] | None, vectors: Vectors) -> Sequence[str]:
    return given or [f"x{index}" for index in range(vectors.codes.shape[1])]


def timing_of(netlist: Netlist, technology: Technology) -> dict[float, TimingReport | None]:
    """The longest path by voltage; None where the technology does not know the delays of all cells."""
    if technology.without_delay:
        return dict.fromkeys(technology.voltages)
    return {voltage: critical_path(netlist, technology, voltage) for voltage in technology.voltages}


def _power_record(
    netlist: Netlist, technology: Technology, profile: PowerProfile, rates: Mapping[float, float], blocks: Blocks
) -> Record:
    powers = {v: profile.at(v, rate) for v, rate in rates.items()}
    energies = {v: profile.at(v, 1.0).switching_mw for v in rates}
    cells = [instance.cell for instance in netlist.instances]
    areas = [technology.cell(cell).area_mm2 / 100 for cell in cells]
    return {
        "sample_rate_hz": _by_voltage(rates),
        "static_mw": _by_voltage({v: power.static_mw for v, power in powers.items()}),
        "switching_mw": _by_voltage({v: power.switching_mw for v, power in powers.items()}),
        "load_mw": _by_voltage({v: power.load_mw for v, power in powers.items()}),
        "total_mw": _by_voltage({v: power.total_mw for v, power in powers.items()}),
        "leakage_share": _by_voltage({v: power.leakage_share for v, power in powers.items()}),
        # A milliwatt at one row a second is a millijoule a row.
        "switching_nj_per_row": _by_voltage({v: None if e is None else e * 1e6 for v, e in energies.items()}),
        "by_cell": _parts(profile, rates, cells, sorted(set(cells)), areas),
        "by_block": _parts(profile, rates, blocks.labels, blocks.names, areas),
        "blocks_matched": blocks.matched,
        "blocks_recovered": blocks.recovered,
    }


def _parts(
    profile: PowerProfile,
    rates: Mapping[float, float],
    labels: Sequence[str],
    names: Sequence[str],
    areas: Sequence[float],
) -> list[Record]:
    """Cells, area and power of each label that there is, in the order of `names`."""
    splits = {v: profile.split(labels, v, rate) for v, rate in rates.items()}
    return [
        {
            "name": name,
            "cells": labels.count(name),
            "area_cm2": sum(area for area, label in zip(areas, labels, strict=True) if label == name),
            "static_mw": _by_voltage({v: split[name].static_mw for v, split in splits.items()}),
            "switching_mw": _by_voltage({v: split[name].switching_mw for v, split in splits.items()}),
        }
        for name in names
        if name in labels
    ]


def _timing_record(
    timing: Mapping[float, TimingReport], nominal: float, blocks: Blocks, names: Sequence[str], input_bits: int
) -> Record:
    """Highest rates by voltage, and the longest path at the nominal one."""
    report = timing[nominal]
    sections = path_sections(report, blocks)
    return {
        "max_rate_hz": _by_voltage({v: _finite(report.max_rate_hz) for v, report in timing.items()}),
        "extrapolated": _by_voltage({v: report.extrapolated for v, report in timing.items()}),
        "path": path_text(report, blocks, names, input_bits),
        "path_blocks": [{"name": s.block, "cells": s.cells, "delay_ms": s.delay_ms} for s in sections],
        "input_bit": report.input_bit,
        "output_bit": report.output_bit,
    }


def _by_voltage(values: Mapping[float, Any]) -> Record:
    return {f"{voltage:g}": value for voltage, value in values.items()}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def power_words(record: Record | None, voltage: str, *, micro: str = "u") -> str:
    """Static and switching power in one sentence, from the "power" of a circuit's record; empty without figures.

    micro : how the prefix of units for millionths is written.
    """
    if record is None:
        return ""
    static, switching = with_unit(record["static_mw"][voltage], "mW", micro=micro), record["switching_mw"][voltage]
    if switching is None:
        return f"{static} static at {voltage} V; the technology has no figures for switching"
    share = record["leakage_share"][voltage]
    leakage = "" if share is None else f", {share:.1%} of it leakage"
    rate, total = record["sample_rate_hz"][voltage], with_unit(record["total_mw"][voltage], "mW", micro=micro)
    return f"{total} at {voltage} V and {three(rate)} rows a second{leakage}; {static} at rest"


def block_words(record: Record | None, voltage: str) -> str:
    """The blocks that draw most, with their shares of static power, and how sure that is; empty without cells."""
    if record is None:
        return ""
    powers = {part["name"]: part["static_mw"][voltage] for part in record["by_block"]}
    total = sum(powers.values())
    if not total:
        return ""
    largest = sorted(powers, key=lambda name: -powers[name])[:NAMED_BLOCKS]
    shares = ", ".join(f"{name} {powers[name] / total:.0%}" for name in largest)
    matched = record["blocks_matched"]
    return shares if matched is None else f"{shares} ({matched:.0%} of the cells matched by function)"
