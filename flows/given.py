"""Classifiers that a user gives a run to start from: in the run folder, as discrete networks and trees.

The searches take them into their first populations beside what they would have started from alone.
"""

from __future__ import annotations

from flows.job import Job
from printedmlp.float_mlp import FloatMLP
from printedmlp.genome import GenomeLayout
from printedmlp.model import DiscreteMLP
from printedmlp.power_of_two import starts_of_networks
from printedmlp.trees import DecisionTree

FILE = "search/given.json"


def write_given(job: Job, start: FloatMLP | DecisionTree, layout: GenomeLayout) -> list[str]:
    """Write what the user gave, a network rounded to powers of two and repaired on the training rows."""
    networks: list[DiscreteMLP] = []
    if isinstance(start, FloatMLP):
        train = job.vectors("train")
        networks = starts_of_networks([start], layout, train.codes, train.y, rng=job.rng("given"), n=1)
    trees = [start] if isinstance(start, DecisionTree) else []
    record = {"networks": [n.to_json() for n in networks], "trees": [t.to_json() for t in trees]}
    job.run.write_json(record, FILE)
    return [FILE]


def given_networks(job: Job) -> list[DiscreteMLP]:
    """Networks that the user gave, of the run's topology; none in most runs."""
    return [DiscreteMLP.from_json(record) for record in _given(job).get("networks", [])]


def given_trees(job: Job) -> list[DecisionTree]:
    """Trees that the user gave; none in most runs."""
    return [DecisionTree.from_json(record) for record in _given(job).get("trees", [])]


def _given(job: Job) -> dict[str, list[dict[str, object]]]:
    return dict(job.run.read_json(FILE)) if job.run.path(FILE).is_file() else {}
