"""How many exact networks have a textbook form whose sums are proved by the route without Verilog.

    python -m benchmarks.textbook_sums [--seeds 10] [--restarts 6] [--limit 300] [--json FILE] [DATASET ...]

Of every split and training seed the exact network of `flows.design`; of its textbook form the reference circuit
that follows Yosys's adders, and all pieces of its proof: masked shifts, sums, activations, the choice of the class.
Without names: every table that ships, and those of the catalogue that the folder PRINTEDMLP_DATA holds.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.tables import table
from flows.config import make_config
from flows.design import design
from hdl.neuron_proof import unproved_piece
from hdl.word_adders import textbook_reference
from printedmlp.errors import ToolError
from printedmlp.model import DiscreteMLP
from printedmlp.registry import DATA_VARIABLE, NAMES

SHIPPED = ("balance", "iris", "wine", "breast_cancer_diagnostic", "digits")


def at_hand() -> list[str]:
    """Names of the tables that need no download."""
    folder = Path(os.environ.get(DATA_VARIABLE) or os.devnull)
    return [name for name in NAMES if name in SHIPPED or (folder / f"{name}.csv").is_file()]


def exact_network(dataset: str, seed: int, restarts: int) -> DiscreteMLP:
    """The exact network of a design run with this seed."""
    config = make_config(None, {"dataset": dataset, "seed": seed, "budget": "quick", "restarts": restarts})
    with tempfile.TemporaryDirectory() as folder:
        run = design(config, Path(folder) / "run", until="exact", quiet=True)
        found = json.loads((run / "search" / "exact.json").read_text(encoding="utf-8"))
    return DiscreteMLP.from_json(found["model"])


def open_piece(model: DiscreteMLP, limit_s: float) -> str | None:
    """What of the textbook form's proof stays open, in words; None where all of it is proved."""
    end = time.monotonic() + limit_s
    try:
        with tempfile.TemporaryDirectory() as folder:
            reference = textbook_reference(model, Path(folder), timeout_s=limit_s)
        return unproved_piece(model, reference, lambda: end - time.monotonic())
    except ToolError as error:
        return str(error)


def row(dataset: str, found: Sequence[str | None]) -> list[str]:
    """One data set's line: networks, how many are proved, and what stays open of which seed."""
    left = [f"seed {seed}: {piece}" for seed, piece in enumerate(found) if piece is not None]
    return [dataset, str(len(found)), str(len(found) - len(left)), "; ".join(left) or "–"]


def main() -> None:
    """Print the table and the count over all data sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", nargs="*", metavar="DATASET")
    parser.add_argument("--seeds", type=int, default=10, help="splits and trainings of each data set, from seed 0")
    parser.add_argument("--restarts", type=int, default=6, help="float trainings of each network")
    parser.add_argument("--limit", type=float, default=300, help="seconds for each proof")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results: dict[str, list[str | None]] = {}
    for name in options.datasets or at_hand():
        networks = (exact_network(name, seed, options.restarts) for seed in range(options.seeds))
        results[name] = [open_piece(model, options.limit) for model in networks]
        print(" | ".join(row(name, results[name])), flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print("\n" + summary(results))


def summary(results: dict[str, list[str | None]]) -> str:
    """The table, and one line of counts."""
    every: list[Any] = [piece for found in results.values() for piece in found]
    lines = table(["data set", "networks", "proved", "open"], [row(*item) for item in results.items()])
    return (
        f"{lines}\n\n{every.count(None)} of {len(every)} exact networks: every piece of the textbook form is proved"
    )


if __name__ == "__main__":
    main()
