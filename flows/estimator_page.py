"""The estimator's short page: the circuit that was chosen and the front it is from, on the rows of `fit`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from flows.printed_design import PrintedDesign
from flows.proofs import proof_words
from flows.wording import METRIC_NAMES, significant
from printedmlp.technology import Technology

TEMPLATES = Path(__file__).with_name("templates")


def page(
    front: Sequence[PrintedDesign],
    circuit: PrintedDesign,
    technology: Technology,
    metric: str,
    class_names: Sequence[str],
) -> str:
    """The page's HTML, self-contained; the same circuits, the same bytes."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template("estimator.html.j2").render(
        style=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),
        technology=technology.name.upper(),
        voltage=f"{technology.nominal_voltage:g}",
        metric=METRIC_NAMES[metric],
        class_names=list(class_names),
        features=circuit.model.n_features,
        bits=circuit.model.input_bits,
        chosen=_row(circuit),
        proof=proof_words(circuit.proof),
        vectors=circuit.vectors,
        rows=[_row(design) for design in front],
        answers=[list(row) for row in circuit.answers],
    )


def _row(design: PrintedDesign) -> dict[str, Any]:
    return {
        "id": design.id,
        "form": design.form,
        "merit": f"{design.merit:.1%}",
        "validation": f"{design.score:.1%}",
        "area": significant(design.area_cm2),
        "power": significant(design.power_mw),
        "delay": significant(design.delay_ms),
        "cells": design.cells,
        "proved": "proved" if design.proved else "not proved",
    }
