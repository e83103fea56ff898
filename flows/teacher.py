"""Distillation: the genetic trainers learn from a float network's answers beside the classes of the rows.

Every training row is given noisy copies, and each copy a class drawn from the teacher's class probabilities there.
A circuit that answers a on a copy x errs with probability 1 - p(a | x), so its expected number of errors on the
copies is the sum of 1 - p(a | x): what it loses against the teacher's soft labels, in the one currency, counted
errors, that the trainers deal in. With class weights w the expected weight is the sum of w_c p(c | x) over c != a.

Soft labels of a teacher: G. Hinton, O. Vinyals, J. Dean, "Distilling the Knowledge in a Neural Network", 2015,
arXiv:1503.02531. Rows made up beside the table and labelled by the larger model: C. Bucila, R. Caruana,
A. Niculescu-Mizil, "Model Compression", KDD 2006. Left out: the temperature, since classes can be drawn from
probabilities only, and the stage of decision trees, which would grow leaves for drawn classes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flows.job import Job
from flows.reference_teacher import OWN, Probabilities, learn
from flows.run import write_text
from printedmlp.circuit.care import copies_for, jittered
from printedmlp.vectors import Vectors, vectors_csv

PART = "teacher"
ROWS, RECORD = f"vectors/{PART}.csv", f"search/{PART}.json"


def teach(job: Job) -> list[str]:
    """Make the rows of the teacher that the settings ask for, and its record; returns the files, if any."""
    key = job.config.teacher
    if key is None:
        return []
    train, rng = job.vectors("train"), job.rng("teacher")
    n_copies = copies_for(len(train.y), job.config.teacher_copies, 1)
    noisy, classes = jittered(train.codes, train.y, n_copies, job.config.input_bits, rng)
    codes, own = noisy[len(train.y) :], classes[len(train.y) :]
    y, record = own, {"teacher": key, "copies": n_copies, "rows": len(own)}
    if key != OWN:
        teacher = learn(key, train, job.vectors("validation"), seed=job.config.seed)
        y = drawn(teacher.probabilities(codes), rng)
        record |= {**teacher.record, "relabelled": float(np.mean(y != own))}
        job.reporter.line(f"teacher: validation accuracy {record['validation_accuracy']:.1%}")
    job.run.write_json(record, RECORD)
    write_text(job.run.path(ROWS), vectors_csv(Vectors(codes, y, train.n_classes, train.majority_class)))
    return [ROWS, RECORD]


def training_rows(job: Job) -> Vectors:
    """What the genetic trainers learn from: the training rows, and after them those that a teacher labelled."""
    train = job.vectors("train")
    if job.config.teacher is None:
        return train
    extra = job.vectors(PART)
    codes, y = np.concatenate([train.codes, extra.codes]), np.concatenate([train.y, extra.y])
    return Vectors(codes, y, train.n_classes, train.majority_class)


def drawn(probabilities: Probabilities, rng: np.random.Generator) -> NDArray[np.int64]:
    """A class (n,) for each row of class probabilities (n, n_classes)."""
    edges = probabilities.cumsum(axis=1)
    places = rng.random((len(edges), 1)) * edges[:, -1:]
    return np.asarray((places >= edges[:, :-1]).sum(axis=1), dtype=np.int64)
