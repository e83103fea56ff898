"""The stages of a design run. Each reads the files of the ones before and returns the paths it wrote."""

from __future__ import annotations

import warnings

from flows.circuits import BASELINES
from flows.config import config_toml
from flows.job import Job
from flows.report import report_html
from flows.run import json_text, write_text
from printedmlp.baseline import exact_baseline
from printedmlp.cost import PopulationCost
from printedmlp.errors import PrintedMLPWarning
from printedmlp.evaluate import PopulationEvaluator
from printedmlp.front import FrontPoint, front_csv, reductions
from printedmlp.genome import GenomeLayout
from printedmlp.model import DiscreteMLP
from printedmlp.power_of_two import power_of_two_starts
from printedmlp.preparation import PARTS, prepare
from printedmlp.search import Generation, evolve
from printedmlp.vectors import vectors_csv

HISTORY = 200
"""About so many of the search's generations are kept in the run folder."""


def data(job: Job) -> list[str]:
    """Split the table, fit the quantiser on the training rows, and write every part as the circuit sees it."""
    config = job.config
    ready = prepare(
        job.dataset,
        seed=config.seed,
        input_bits=config.input_bits,
        official_split=config.official_split,
        group_duplicates=config.group_duplicates,
    )
    record = {
        **job.dataset.summary(),
        "n_classes": job.dataset.n_classes,
        "majority_class": ready.majority_class,
        "topology": list(job.topology),
        "split": {part: rows.tolist() for part, rows in zip(PARTS, ready.split, strict=True)},
    }
    texts = {f"vectors/{part}.csv": vectors_csv(vectors) for part, vectors in ready.parts()}
    texts["config.toml"] = config_toml(config)
    texts["dataset.json"] = json_text(record)
    texts["quantiser.json"] = json_text(ready.quantiser.to_json())
    for name, text in texts.items():
        write_text(job.run.path(name), text)
    return list(texts)


def exact(job: Job) -> list[str]:
    """Train the exact bespoke baseline; the restart is chosen by validation accuracy."""
    train, validation = job.vectors("train"), job.vectors("validation")
    baseline = exact_baseline(
        train.codes,
        train.y,
        validation.codes,
        validation.y,
        topology=job.topology[1:-1],
        input_bits=job.config.input_bits,
        n_classes=train.n_classes,
        restarts=job.config.restarts,
        rng=job.rng("exact"),
    )
    layout = search_layout(job)
    starts = power_of_two_starts(baseline, layout, train.codes, train.y, rng=job.rng("starts"))
    record = {
        "model": baseline.model.to_json(),
        "train_accuracy": baseline.accuracies.train,
        "validation_accuracy": baseline.accuracies.validation,
        "float_train_accuracy": baseline.accuracies.float_train,
        "float_validation_accuracy": baseline.accuracies.float_validation,
        "starts": [start.to_json() for start in starts],
    }
    job.run.write_json(record, "search", "exact.json")
    return ["search/exact.json"]


def search_layout(job: Job) -> GenomeLayout:
    """The genome of the genetic search for this run's topology and widths."""
    config = job.config
    return GenomeLayout.uniform(job.topology, input_bits=config.input_bits, lsb=config.lsb, msb=config.msb)


def paper(job: Job) -> list[str]:
    """Run the genetic trainer of DATE 2024; goes on from its checkpoint where one was left."""
    config, layout = job.config, search_layout(job)
    train, validation = job.vectors("train"), job.vectors("validation")
    exact_record = job.run.read_json("search", "exact.json")
    checkpoint = job.run.path("search", "paper.checkpoint.npz")
    with job.reporter.bar("genetic search", config.generations) as bar:
        result = evolve(
            config.search_settings,
            layout,
            PopulationEvaluator(layout, train.codes, train.y),
            PopulationCost(layout),
            reference_accuracy=exact_record["train_accuracy"],
            rng=job.rng("paper"),
            initial=[layout.encode(DiscreteMLP.from_json(start)) for start in exact_record["starts"]],
            on_generation=lambda g: bar.step(to=g.number, note=_note(g, len(train.y))),
            checkpoint=checkpoint,
        )
    if not len(result.genes):
        loss = f"{config.max_accuracy_loss:.0%} accuracy loss"
        warnings.warn(
            f"the search found no circuit within {loss}; the front is empty", PrintedMLPWarning, stacklevel=2
        )
    wrong = PopulationEvaluator(layout, validation.codes, validation.y).errors(result.genes)
    found = [
        {
            "model": layout.decode(genes).to_json(),
            "train_accuracy": 1 - int(errors) / len(train.y),
            "validation_accuracy": 1 - int(missed) / len(validation.y),
            "full_adders": int(adders),
        }
        for genes, errors, adders, missed in zip(result.genes, result.errors, result.costs, wrong, strict=True)
    ]
    history = result.history[:: max(1, len(result.history) // HISTORY)]
    job.run.write_json({"found": found, "history": history}, "search", "paper.json")
    checkpoint.unlink(missing_ok=True)
    return ["search/paper.json"]


def _note(generation: Generation, n_rows: int) -> str:
    return (
        f"error {generation.best_error / n_rows:.1%}, smallest {generation.smallest_cost} FA, "
        f"hypervolume {generation.hypervolume:.3f}"
    )


def front(job: Job) -> list[str]:
    """Gather the designs' figures: the front, the baseline, and the reductions at each loss level."""
    names = sorted(path.parent.name for path in job.run.path("designs").glob("*/measure.json"))
    measured = {name: job.run.read_json("designs", name, "measure.json") for name in names}
    exact_record, textbook_record = (measured.pop(name) for name in BASELINES)
    points = sorted(map(FrontPoint.from_json, measured.values()), key=lambda p: p.area_cm2)
    exact_point = FrontPoint.from_json(exact_record)
    voltage = f"{job.technology.nominal_voltage:g}"
    record = {
        "exact": exact_record,
        "textbook": textbook_record,
        "front": [measured[point.id] for point in points],
        "reductions": [r.to_json() for r in reductions(points, exact_point, voltage=voltage)],
    }
    job.run.write_json(record, "front.json")
    write_text(job.run.path("front.csv"), front_csv(points, exact_point, voltage=voltage))
    return ["front.json", "front.csv"]


def report(job: Job) -> list[str]:
    """Write the page."""
    front_record, dataset, quantiser = (
        job.run.read_json(f"{name}.json") for name in ("front", "dataset", "quantiser")
    )
    page = report_html(front_record, dataset, quantiser, job.config, job.technology)
    write_text(job.run.path("report.html"), page)
    return ["report.html"]
