"""The stages of a design run. Each reads the files of the ones before and returns the paths it wrote."""

from __future__ import annotations

from flows.ceiling import run_ceiling
from flows.chosen_by import CLASSIFIER, SYSTEM
from flows.chosen_by import KEY as CHOSEN_BY
from flows.config import config_toml
from flows.job import Job
from flows.levels import is_priced
from flows.mapping import BASELINES
from flows.pictures import report_pictures
from flows.report import report_html
from flows.report_defects import defect_records
from flows.run import json_text, write_text
from flows.searches import search_layout
from flows.teacher import teach
from printedmlp.baseline import exact_baseline
from printedmlp.front import FrontPoint, front_csv, reductions
from printedmlp.power_of_two import power_of_two_starts
from printedmlp.preparation import PARTS, Prepared, prepare
from printedmlp.vectors import vectors_csv


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
    return write_prepared(job, ready)


def write_prepared(job: Job, ready: Prepared) -> list[str]:
    """Write settings, table's record, quantiser and every part's rows; returns the files."""
    record = {
        **job.dataset.summary(),
        "n_classes": job.dataset.n_classes,
        "majority_class": ready.majority_class,
        "topology": list(job.topology),
        "split": {part: rows.tolist() for part, rows in zip(PARTS, ready.split, strict=True)},
    }
    texts = {f"vectors/{part}.csv": vectors_csv(vectors) for part, vectors in ready.parts()}
    texts["config.toml"] = config_toml(job.config)
    texts["dataset.json"] = json_text(record)
    texts["quantiser.json"] = json_text(ready.quantiser.to_json())
    for name, text in texts.items():
        write_text(job.run.path(name), text)
    return list(texts)


def exact(job: Job) -> list[str]:
    """Train the exact bespoke baseline, its restart chosen by validation accuracy, and the teacher if any."""
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
    return ["search/exact.json", *teach(job)]


def front(job: Job) -> list[str]:
    """Gather the figures: the front, what each stage has beside it, and the reductions at each loss level."""
    names = sorted(path.parent.name for path in job.run.path("designs").glob("*/measure.json"))
    measured = {name: job.run.read_json("designs", name, "measure.json") for name in names}
    exact_record, textbook_record = (measured.pop(name) for name in BASELINES)
    others = {name: measured.pop(name) for name in names if name in measured and not measured[name]["on_front"]}
    points = sorted(map(FrontPoint.from_json, measured.values()), key=lambda p: (p.chosen_area_cm2, p.id))
    exact_point = FrontPoint.from_json(exact_record)
    voltage = f"{job.technology.nominal_voltage:g}"
    record = {
        "exact": exact_record,
        "textbook": textbook_record,
        CHOSEN_BY: SYSTEM if is_priced(job) else CLASSIFIER,
        "front": [measured[point.id] for point in points],
        "others": list(others.values()),
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
    ceiling = run_ceiling(job.run.folder, job.dataset, job.config)
    words = ceiling.words if ceiling else None
    shown = ["exact", *(point["id"] for point in front_record["front"])]
    linked = ["textbook", *(point["id"] for point in front_record["others"])]
    pictures = report_pictures(job.run, shown, linked)
    defects = defect_records(job.run)
    page = report_html(front_record, dataset, quantiser, job.config, job.technology, words, pictures, defects)
    write_text(job.run.path("report.html"), page)
    return ["report.html"]
