"""The comment at the head of every Verilog file: what the inputs mean and what the output answers."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from printedmlp.classifier import Classifier, description
from printedmlp.names import clean_text

WIDTH = 110


def header_lines(
    title: str, dataset: Mapping[str, Any], quantiser: Mapping[str, Any], model: Classifier
) -> list[str]:
    """Comment lines, without `//`, that make a Verilog file usable alone.

    Parameters
    ----------
    title : first line.
    dataset : the run's dataset.json.
    quantiser : the run's quantiser.json.
    model : the classifier; gives bits and topology.
    """
    bits = model.input_bits
    lines = [
        title,
        f"Data set {dataset['name']}, sha256 {dataset['sha256']}",
        f"{_form(model)}, inputs of {bits} bits, combinational",
        "A feature's code is the number of thresholds that its value reaches:",
    ]
    for index, feature in enumerate(quantiser["features"]):
        lines += _feature_lines(index, bits, feature["name"], feature["thresholds"])
    return lines + _output_lines(dataset)


def thermometer_header_lines(
    title: str, dataset: Mapping[str, Any], model: Classifier, places: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Comment lines, without `//`, of a circuit whose inputs are comparators' outputs.

    Parameters
    ----------
    title, dataset, model : as for `header_lines`.
    places : for each input bit "name", "level" and "at_least", as `hdl.thermometer` writes them.
    """
    lines = [
        title,
        f"Data set {dataset['name']}, sha256 {dataset['sha256']}",
        f"{_form(model)}, inputs are outputs of comparators, combinational",
    ]
    lines.append(
        "Of one feature's inputs a higher one is never 1 without the lower ones; other patterns do not occur."
    )
    lines += [f"inp[{i}] = 1: {_quoted(place['name'])} {_reached(place)}" for i, place in enumerate(places)]
    return lines + _output_lines(dataset)


def _reached(place: Mapping[str, Any]) -> str:
    value = place["at_least"]
    return (
        f"of code {place['level']} or more" if value is None else f">= {value:.9g} (code {place['level']} or more)"
    )


def _output_lines(dataset: Mapping[str, Any]) -> list[str]:
    lines = ["The output is the index of the class:"]
    return lines + [f"out = {index}: {_quoted(name)}" for index, name in enumerate(dataset["classes"])]


def _form(model: Classifier) -> str:
    form = description(model)
    return form.capitalize() if form else f"Topology {'-'.join(map(str, model.topology))}"


def _feature_lines(index: int, bits: int, name: str, thresholds: Sequence[float]) -> list[str]:
    place = f"inp[{bits * (index + 1) - 1}:{bits * index}] feature {index} {_quoted(name)}:"
    numbers = " ".join(f"{value:.9g}" for value in thresholds) or "constant in training, code 0"
    return [place, *("  " + line for line in textwrap.wrap(numbers, WIDTH - 4))]


def _quoted(name: str) -> str:
    # Whoever writes the comment escapes it; escaped twice, nobody can read it.
    return f'"{clean_text(name, 60)}"'
