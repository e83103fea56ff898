"""The files of a comparison: page, picture, and both tables as data; the same comparison, the same bytes."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from markupsafe import Markup

from flows import compare_text as text
from flows.chosen_by import SYSTEM
from flows.compare_plot import key_of, picture_svg, shown_series
from flows.compared_panels import explorer_of
from flows.compared_row import ADDERS, FOREIGN, PUBLISHED, Row
from flows.comparison import PAGE, PICTURE, SHEET, TABLE, Comparison, series_name, short_name
from flows.explained import explained
from flows.explorer import PLOT_STYLE, render, text_of
from flows.run import json_text
from flows.wording import STAGE_WORDS, significant
from printedmlp.front import FRONT_ENDS

SERIES_WORDS = {
    "exact": "The exact bespoke network: 8-bit weights as signed digits, no approximation, in the smallest form "
    "known here.",
    "textbook": "The same exact network as multipliers by constants and sums, as a designer writes it without this "
    "flow.",
    **STAGE_WORDS,
    "ours": "Search and refinement together: what the whole flow finds, on one front.",
    ADDERS: "The weights of a network above as two-operand adders that neurons share, found by the library da4ml. "
    "Widths, activations, argmax, synthesis and cells are the same, so it differs in the sums alone.",
    FOREIGN: "Verilog that was given: mapped to the same cells unless it is mapped already, on the same test rows.",
    PUBLISHED: "Figures as others report them: other tools, other splits. They stand beside the rest and are not "
    "measured here.",
}


def page_files(found: Comparison, out: Path) -> dict[str, str]:
    """The text of every file by name; `out` is where they will lie, for the links."""
    return {
        PAGE: page_html(found, out),
        PICTURE: picture_svg(found, text_of(PLOT_STYLE)),
        TABLE: json_text(found.to_json()),
        SHEET: sheet_csv(found),
    }


def page_html(found: Comparison, out: Path) -> str:
    """Fill the page."""
    keys = shown_series(found)
    panels = [_panel(found, name, out) for name in found.data_sets]
    return render(
        "compare.html.j2",
        [panel["explorer"] for panel in panels],
        ("compare.css",),
        title=", ".join(found.data_sets),
        panels=panels,
        keys={series: Markup(key_of(series)) for series in keys},
        names={series: series_name(series) for series in keys},
        words={series: SERIES_WORDS[series] for series in keys},
        runs=found.runs,
        n_rows=len(found.rows),
        technology=found.technology.name.upper(),
        technology_source=found.technology.source,
        voltages=found.ends,
        front_ends=found.front_ends,
        library=found.library,
        by_system=found.chosen_by == SYSTEM,
        no_area=any(not row.area_cm2 for row in found.rows),
        several=any(found.n_splits(name) > 1 for name in found.data_sets),
        files={"sheet": SHEET, "table": TABLE, "picture": PICTURE},
        explained=explained(
            power=not found.technology.without_power,
            delay=not found.technology.without_delay,
            sensors=bool(found.front_ends),
            pictures=False,
        ),
    )


def _panel(found: Comparison, name: str, out: Path) -> dict[str, Any]:
    rows = found.of_data_set(name)
    levels = found.levels_of(name)
    return {
        "name": name,
        "counts": text.counts(found, name),
        "majority": text.majority(rows),
        "several": found.n_splits(name) > 1,
        "same_n": len({row.figures["n"] for row in rows if row.series != PUBLISHED}) == 1,
        "explorer": explorer_of(found, name, out),
        "rows": [_row(found, key, row) for key, row in found.keyed(name)],
        "levels": [
            {
                "loss": text.level_name(level.loss),
                "first": number == 0 or levels[number - 1].loss != level.loss,
                "series": level.series,
                "name": short_name(level.series),
                "variant": level.variant,
                "cells": cells[2:],
            }
            for number, (level, cells) in enumerate(zip(levels, text.level_cells(found, name)[1], strict=True))
        ],
        "adders": (text.adder_cells(rows) or ([], []))[1],
    }


def _row(found: Comparison, key: str, row: Row) -> dict[str, Any]:
    own = row.figures
    return {
        "key": key,
        "id": row.id,
        "series": row.series,
        "name": short_name(row.series),
        "variant": row.variant,
        "seed": row.seed,
        "form": row.form,
        "n": own["n"],
        "test": text.percent(own["accuracy"]),
        "interval": text.interval(own).replace("-", "–"),
        "balanced": text.percent(own["balanced_accuracy"]),
        "validation": text.percent(row.validation),
        "classes": own["classes_predicted"],
        "area": significant(own["area_cm2"]),
        "powers": [significant(text.power(own, voltage, found.nominal)) for voltage in found.ends],
        "total": significant(own["total_mw"][found.nominal]) if own["total_mw"] else text.NOTHING,
        "delay": significant(own["delay_ms"][found.nominal]) if own["delay_ms"] else text.NOTHING,
        "cells": text.NOTHING if own["cells"] is None else own["cells"],
        "systems": [significant(text.system_area(own, kind)) for kind in found.front_ends],
        "verdict": row.proof["verdict"] if row.proof else text.NOTHING,
        "proof": row.proof["words"] if row.proof else "as reported, not checked here",
        "source": row.source,
    }


def sheet_csv(found: Comparison) -> str:
    """All rows as CSV text; numbers read back to the same double, missing ones are empty cells."""
    written = io.StringIO()
    rows = [_sheet_row(found, row) for row in found.rows]
    writer = csv.DictWriter(written, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return written.getvalue()


def _sheet_row(found: Comparison, row: Row) -> dict[str, Any]:
    own = row.figures
    low, high = own["interval"] or (None, None)
    volts = [f"{voltage:g}" for voltage in found.technology.voltages]
    powers = {f"power_mw_{v}v": text.power(own, v, found.nominal) for v in volts}
    delays = {f"delay_ms_{v}v": own["delay_ms"][v] if own["delay_ms"] else None for v in volts}
    systems = {
        f"{kind}_{figure}": ((own["system"] or {}).get(kind) or {}).get(figure)
        for kind in FRONT_ENDS
        for figure in ("area_cm2", "power_mw")
    }
    return {
        **{
            key: getattr(row, key)
            for key in ("data_set", "series", "stage", "variant", "id", "form", "run", "seed", "split")
        },
        "n": own["n"],
        "accuracy": own["accuracy"],
        "low": low,
        "high": high,
        **{key: own[key] for key in ("balanced_accuracy", "macro_f1", "majority_accuracy", "classes_predicted")},
        "validation": row.validation,
        "merit": row.merit,
        "area_cm2": own["area_cm2"],
        "cells": own["cells"],
        **powers,
        "total_mw": own["total_mw"][found.nominal] if own["total_mw"] else None,
        **delays,
        **systems,
        "proof": row.proof["verdict"] if row.proof else None,
        "source": row.source,
        "netlist_sha256": row.sha256,
    }
