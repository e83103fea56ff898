"""The panels of a run's report, from the records of its circuits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flows.burns import power_words
from flows.chosen_by import system_area
from flows.defects_options import RECORD
from flows.panel import Check, Figure, Link, Panel, Share, Source, shares
from flows.report_choice import Choices
from flows.report_defects import prints_words, working_prints
from flows.report_rows import View
from flows.wording import METRIC_NAMES, factor, interval_words, significant
from hdl.proof import PROVED
from printedmlp.front import FRONT_ENDS, FrontPoint
from printedmlp.power_sources import duration, weakest_source
from printedmlp.units import three, with_unit

Figures = Mapping[str, Any]
FILES = {
    "netlist.v": "netlist in cells",
    "classifier.v": "Verilog",
    "model.json": "classifier",
    "quantiser.json": "quantiser",
    "measure.json": "all figures and the proof record",
}
SECOND_FILES = {
    "thermometer_netlist.v": "netlist on comparators' outputs",
    "thermometer.v": "its Verilog",
    "inputs.json": "its inputs",
}
NAMED_THRESHOLDS = 15
"""Thresholds of one feature that are written out; more are told by their ends."""


class Panels:
    """Fills panels.

    Parameters
    ----------
    view : voltages, metric and baseline.
    choices : what chose each circuit.
    quantiser : the run's quantiser.json.
    pictures : of the circuits by id, from `flows.pictures`.
    defects : likewise from `flows.report_defects`.
    """

    def __init__(
        self, view: View, choices: Choices, quantiser: Figures, pictures: Figures, defects: Figures
    ) -> None:
        self.view, self.choices, self.pictures, self.defects = view, choices, pictures, defects
        self.features: Sequence[Figures] = quantiser["features"]

    def of(self, record: Figures) -> Panel:
        """The panel of a circuit, from its entry in front.json; what an older record lacks is left out."""
        point, name = FrontPoint.from_json(record), record["id"]
        source = weakest_source(record["feasibility"]) if record.get("feasibility") else None
        power = record.get("power")
        return Panel(
            key=name,
            series=point.stage,
            title=name,
            form=point.form,
            summary=self._summary(point),
            chosen=tuple(self.choices.of(record)),
            headline=self._headline(point),
            figures=(*self._scores(point), *self._costs(record, point)),
            files=tuple(_files(record, defects=name in self.defects)),
            cell_types=_cell_types(record, self.view.nominal),
            parts=_parts(power, self.view.nominal),
            power=_sentence(power_words(power, self.view.nominal, micro="µ"), _matched(power)),
            carried=_carried(record.get("feasibility"), source),
            sources=_sources(record.get("feasibility")),
            path=_path(record.get("timing")),
            path_parts=_path_parts(record.get("timing")),
            sensors=_sensors(record),
            prints=prints_words(point, self.view.device_yield, self.defects.get(name)),
            working=working_prints(self.defects.get(name)),
            features=tuple(self._features(record.get("front_end"))),
            features_note=self._features_note(record.get("front_end")),
            checks=tuple(_checks(record)),
            picture=self.pictures.get(name),
        )

    def _summary(self, point: FrontPoint) -> str:
        power = point.power_at(self.view.nominal)
        figures = [f"test {point.test_score:.1%}", f"{significant(point.area_cm2)} cm²"]
        figures += [] if power is None else [f"{significant(power)} mW"]
        return " · ".join(figures)

    def _headline(self, point: FrontPoint) -> tuple[Figure, ...]:
        name, voltage = METRIC_NAMES[self.view.metric], self.view.nominal
        about = {"accuracy": "accuracy", "balanced_accuracy": "balanced", "macro_f1": "f1"}[self.view.metric]
        area, power, delay = point.area_cm2, point.power_at(voltage), point.delay_ms[voltage]
        smaller = factor(self.view.exact.area_cm2, area)
        less = factor(self.view.exact.power_at(voltage), power)
        interval = f"{interval_words(point.test.interval)}, n = {point.test.n}"
        found = [
            Figure(f"test {name}", f"{point.test_score:.1%}", interval if about == "accuracy" else "", about),
            Figure("cell area", f"{significant(area)} cm²", f"exact ÷ {smaller}", "area"),
        ]
        if self.view.thermometer and (system := system_area(point.system)) is not None:
            found.append(Figure("area with sensors", f"{significant(system)} cm²", "", "system"))
        if power is not None:
            found.append(
                Figure(f"static power, {voltage} V", f"{significant(power)} mW", f"exact ÷ {less}", "power")
            )
        if delay is not None:
            rate = f"at most {with_unit(point.max_rate_hz, 'Hz')}" if point.max_rate_hz else "never waits"
            found.append(Figure(f"delay, {voltage} V", with_unit(delay, "ms", micro="µ"), rate, "delay"))
        if self.view.device_yield is not None and point.printed_merit is not None:
            at = f"at device yield {self.view.device_yield:g}"
            found.append(Figure("merit of prints", f"{point.printed_merit:.1%}", at, "prints"))
        return tuple(found)

    def _scores(self, point: FrontPoint) -> list[Figure]:
        test, name = point.test, METRIC_NAMES[self.view.metric]
        accuracy = Figure("test accuracy", f"{test.accuracy:.1%}", interval_words(test.interval), "accuracy")
        return [
            *([] if self.view.metric == "accuracy" else [accuracy]),
            Figure("balanced accuracy", f"{test.balanced_accuracy:.1%}", "", "balanced"),
            Figure("macro F1", f"{test.macro_f1:.1%}", "", "f1"),
            Figure("classes answered", f"{test.classes_predicted} of {len(test.confusion)}", "", "classes"),
            Figure(f"validation {name}", f"{point.score:.1%}", "", "validation"),
            Figure("training accuracy", f"{point.train_accuracy:.1%}", "", "validation"),
            Figure("merit", f"{point.merit:.1%}", "", "merit"),
        ]

    def _costs(self, record: Figures, point: FrontPoint) -> list[Figure]:
        found = [Figure("cells", str(point.cells), "", "cells")]
        found += [
            Figure(f"static power, {v} V", f"{significant(point.power_mw[v])} mW", "", "power")
            for v in self.view.beside
            if point.power_mw[v] is not None
        ]
        return found + _energy(record.get("feasibility")) + _systems(point.system or {})

    def _features(self, front_end: Figures | None) -> list[Figure]:
        levels = front_end["levels"] if front_end and "levels" in front_end else []
        used = zip(self.features, levels, strict=False)
        return [_used(feature, own) for feature, own in used if own]

    def _features_note(self, front_end: Figures | None) -> str:
        if not front_end or "levels" not in front_end:
            return ""
        undecided = front_end["undecided"]
        doubt = f"; {undecided} of them count because no proof ended" if undecided else ""
        return (
            f"{front_end['inputs']} of {len(self.features)} features and {front_end['comparators']} thresholds "
            f"change its answer, found by simulation, the others proved not to{doubt}."
        )


def _used(feature: Figures, levels: Sequence[int]) -> Figure:
    thresholds = feature["thresholds"]
    return Figure(feature["name"], _values(thresholds, levels), f"{len(levels)} of {len(thresholds)}")


def _values(thresholds: Sequence[float], levels: Sequence[int]) -> str:
    """Values at which a feature's code reaches the levels, in the feature's own unit."""
    values = [f"{thresholds[level - 1]:.5g}" for level in levels if 0 < level <= len(thresholds)]
    return "  ".join(values) if len(values) <= NAMED_THRESHOLDS else f"{values[0]} … {values[-1]}"


def _sentence(*parts: str) -> str:
    told = "; ".join(part for part in parts if part)
    return f"{told}." if told else ""


def _files(record: Figures, *, defects: bool) -> list[Link]:
    names = {**FILES, **(SECOND_FILES if record.get("thermometer") else {})}
    names |= {RECORD: "printing defects"} if defects else {}
    return [Link(f"designs/{record['id']}/{file}", text) for file, text in names.items()]


def _cell_types(record: Figures, voltage: str) -> tuple[Share, ...]:
    """Cells by type with their areas and power, the largest area first; the bare counts of an older record."""
    power = record.get("power")
    if not power:
        counts = record.get("cell_counts") or {}
        return shares(list(counts), list(counts.values()), [[str(n)] for n in counts.values()])
    by_cell = sorted(power["by_cell"], key=lambda cell: (-cell["area_cm2"], cell["name"]))
    return shares(
        [cell["name"] for cell in by_cell],
        [cell["area_cm2"] for cell in by_cell],
        [(str(c["cells"]), f"{three(c['area_cm2'])} cm²", _milliwatts(c, voltage)) for c in by_cell],
    )


def _parts(power: Figures | None, voltage: str) -> tuple[Share, ...]:
    by_block = power["by_block"] if power else []
    return shares(
        [part["name"] for part in by_block],
        [part["static_mw"][voltage] for part in by_block],
        [(str(p["cells"]), f"{three(p['area_cm2'])} cm²", _milliwatts(p, voltage)) for p in by_block],
    )


def _milliwatts(part: Figures, voltage: str) -> str:
    return with_unit(part["static_mw"][voltage], "mW", micro="µ")


def _matched(power: Figures | None) -> str:
    matched = power["blocks_matched"] if power else None
    return "" if matched is None else f"{matched:.0%} of the cells were matched to their part by function"


def _energy(figures: Figures | None) -> list[Figure]:
    """What a use at the wished rate takes, as far as power and delay are known."""
    if not figures:
        return []
    rate, found = f"{figures['rate_hz']:g} Hz", []
    if figures["switching_mw"] is not None:
        drawn = with_unit(figures["power_mw"], "mW", micro="µ")
        found.append(Figure(f"power with switching at {rate}", drawn, "", "switching"))
    if figures["energy_uj"] is not None:
        found.append(
            Figure("energy of a classification", with_unit(figures["energy_uj"], "uJ", micro="µ"), "", "energy")
        )
    if figures["reaches_rate"]:
        mean = with_unit(figures["duty_cycled_mw"], "mW", micro="µ")
        found.append(Figure(f"mean power if on only to classify at {rate}", mean, "", "energy"))
    if battery := figures["battery"]:
        name = f"life of {battery['capacity_mah']:g} mAh at {battery['voltage']:g} V"
        found.append(Figure(name, duration(battery["always_on_hours"]), "", "source"))
    return found


def _systems(system: Figures) -> list[Figure]:
    """Area and power with every kind of sensor front end that is known."""
    found = [Figure("comparators", str(system["comparators"]), "", "comparators")] if system else []
    for kind in FRONT_ENDS:
        if own := system.get(kind):
            power = "" if own["power_mw"] is None else f"{three(own['power_mw'])} mW"
            least = " at least" if "most" in own else ""
            value = f"{three(own['area_cm2'])} cm²{least}"
            found.append(Figure(f"with {SENSOR_WORDS[kind]}", value, power, "system"))
    return found


SENSOR_WORDS = {"full": "full converters", "pruned": "pruned converters", "thermometer": "comparators alone"}


def _sensors(record: Figures) -> str:
    own = (record.get("system") or {}).get("pruned")
    if not own or own["power_mw"] is None:
        return ""
    return f"With pruned converters: {own.get('carried_by') or 'no printed source'}."


def _sources(figures: Figures | None) -> tuple[Source, ...]:
    return tuple(Source(s["name"], s["always_on"], _rate(s)) for s in figures["sources"]) if figures else ()


def _rate(source: Figures) -> str:
    if source["always_on"]:
        return f"up to {with_unit(source['always_on_hz'], 'Hz')}" if source["always_on_hz"] else "always on"
    hertz = source["duty_cycled_hz"]
    return f"up to {with_unit(hertz, 'Hz')} if on only to classify" if hertz else "does not carry it"


def _carried(figures: Figures | None, source: Figures | None) -> str:
    if not figures:
        return ""
    return f"Carried always on by a {source['name']}." if source else "No printed source carries it always on."


def _path(timing: Figures | None) -> str:
    return str(timing["path"]) if timing else ""


def _path_parts(timing: Figures | None) -> tuple[Share, ...]:
    sections = timing["path_blocks"] if timing else []
    return shares(
        [s["name"] for s in sections],
        [s["delay_ms"] for s in sections],
        [(str(s["cells"]), with_unit(s["delay_ms"], "ms", micro="µ")) for s in sections],
    )


def _checks(record: Figures) -> list[Check]:
    """What was shown of a circuit by which route, and what was not."""
    verification, proof = record["verification"], record.get("proof")
    wrong, vectors = sum(verification["mismatches"].values()), verification["vectors"]["total"]
    words = f"RTL and netlist beside the classifier on {vectors} vectors: {wrong} mismatches"
    found = [Check("simulated", not wrong, words), *(_proofs(proof) if proof else [NO_RECORD])]
    second = record.get("thermometer")
    if second:
        proved = bool(second["proved_equal_on_all_codes"])
        route = "ABC, on every code" if proved else "no answer in time"
        found.append(Check("on comparators' outputs = netlist", proved, route))
    return found


NO_RECORD = Check("proof", False, "this record has none; it was made without")


def _proofs(proof: Figures) -> list[Check]:
    verilog, integers = proof["verilog"], proof["integers"]
    proved = integers["verdict"] == PROVED
    route = f"{integers['route']} ({integers['solver']})" if proved else integers["reason"]
    return [
        Check("Verilog = netlist", verilog["verdict"] == PROVED, verilog["solver"]),
        Check("netlist = integers of the classifier", proved, route),
    ]
