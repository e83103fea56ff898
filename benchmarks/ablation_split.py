"""Everything that the ablation compares, on one split: searches, refinements and the choice for power."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from flows.mapping import spread
from hdl.emit import classifier_verilog
from hdl.forest import map_forest
from hdl.power import static_power_mw
from hdl.synthesis import map_verilog
from hdl.tree import tree_verilog
from printedmlp.anneal import AnnealSettings, anneal
from printedmlp.area import AreaModel, AreaUnits
from printedmlp.baseline import exact_baseline
from printedmlp.circuit import Netlist, classes, input_bits_of, simulate
from printedmlp.circuit.care import CareSet, copies_for, jittered
from printedmlp.circuit.refine import MOVE_WEIGHTS, Evolution, Goal, Refined
from printedmlp.circuit.sweep import SweepSettings, save_power, sweep
from printedmlp.classifier import Classifier
from printedmlp.cost import Cost, PopulationCost
from printedmlp.dataset import load_dataset
from printedmlp.evaluate import PopulationEvaluator
from printedmlp.forests import forests
from printedmlp.genome import GenomeLayout
from printedmlp.moves import MoveShares
from printedmlp.pareto import non_dominated
from printedmlp.preparation import prepare
from printedmlp.priced_trees import priced_trees
from printedmlp.search import SearchSettings, evolve
from printedmlp.starts import KINDS, start_point
from printedmlp.technology import Technology, load_technology
from printedmlp.topology import default_hidden
from printedmlp.tree_area import TreeUnits

INPUT_BITS = 4
PARTS = ("validation", "train")
"""Rows on which circuits are compared."""
LOSSES = (0, 1, 2, 3, 4)
"""The levels: percentage points of accuracy below the exact baseline, on the same rows."""
ROUNDING = 1e-9
RESTARTS = 6
POPULATION = 100
STARTS = 9
"""Start points of NSGA-II, of the same kinds as annealing's."""
ANNEALING = AnnealSettings(chains=8, rounds=1, levels=4)
FORESTS = 4
"""Forests among the starts of refinement, at most."""
COPIES = 8
"""Noisy copies of each training row, fewer for large tables."""
MM2_PER_CM2 = 100
SLACK = 0.03
ONE_GENE = ("flip_bit", "slide_exponent", "flip_sign", "step_bias")
"""Moves that change one gene of a connection or a neuron."""

NSGA, FULL_ADDERS = "NSGA-II, closed-form area", "full-adder count"
ANNEALED, NARROW = "annealing", "literature's width"
BITS, GENES = "flips of mask bits", "changes of one gene"
ALONE = "{} starts alone"
REFINED, UNREFINED = "refinement", "not refined"
COLD, CLEAN, NO_SUBSTITUTES = "zero temperature", "no noisy copies", "no substitutes"
FROM_NETWORKS, FROM_TREES, NO_FORESTS = "from networks alone", "from trees alone", "no forests"
PLAIN_POWER, SAME_AREA, MORE_AREA = "power as refined", "polarity, same area", "polarity, 3 % more area"

Level = float | None
"""Area or power of what a row has at a level, None where it has nothing."""


@dataclass(frozen=True)
class Spend:
    """What every row may spend.

    evaluations : of NSGA-II, or proposals of annealing.
    moves : of refinement at each of a sweep's levels, in all starts together, and of each choice for
        power.
    """

    evaluations: int
    moves: int


@dataclass(frozen=True)
class Circuit:
    """A netlist with its accuracy by part and its area in mm2."""

    netlist: Netlist
    accuracies: dict[str, float]
    area_mm2: float


class Frozen(Evolution):
    """Evolution that accepts nothing worse, whatever the goal's temperatures are."""

    def run(self, netlist: Netlist, goal: Goal, moves: int, rng: np.random.Generator) -> Refined:
        """As `Evolution.run`, at zero temperature."""
        return super().run(netlist, replace(goal, hot=0.0, cold=0.0), moves, rng)


class Split:
    """One split of a data set with its exact baseline, and whatever is run on it."""

    def __init__(self, name: str, seed: int, spend: Spend) -> None:
        self.spend = spend
        self.technology: Technology = load_technology("egfet")
        self._seed = seed
        ready = prepare(load_dataset(name), seed=seed, input_bits=INPUT_BITS)
        self.train = ready.vectors("train")
        self._parts = {part: ready.vectors(part) for part in PARTS}
        self.hidden = default_hidden(name, self.train.n_classes)
        validation = self._parts["validation"]
        baseline = exact_baseline(
            self.train.codes,
            self.train.y,
            validation.codes,
            validation.y,
            topology=self.hidden,
            input_bits=INPUT_BITS,
            n_classes=self.train.n_classes,
            restarts=RESTARTS,
            rng=self._rng(0),
        )
        self.exact = {part: float(getattr(baseline.accuracies, part)) for part in PARTS}
        self._known: dict[str, Circuit] = {}

    def rows(self) -> dict[str, dict[str, list[Level]]]:
        """By part what every row has at every level."""
        pools = self._searched()
        pools |= self._refined(self._starts(pools[ANNEALED]), self._starts(self.trees()), self.forests())
        powers = self.powers(self._starts(pools[REFINED]))
        return {part: self._areas(part, pools) | powers for part in PARTS}

    def _areas(self, part: str, pools: dict[str, list[Circuit]]) -> dict[str, list[Level]]:
        smallest_cell = min(cell.area_mm2 for cell in self.technology.cells.values())
        rows: dict[str, list[Level]] = {}
        for row, pool in pools.items():
            chosen = [_smallest(pool, part, least) for least in self._levels(part)]
            rows[row] = [max(circuit.area_mm2, smallest_cell) if circuit else None for circuit in chosen]
        return rows

    def _searched(self) -> dict[str, list[Circuit]]:
        bits = dict.fromkeys(vars(MoveShares()), 0.0)
        genes = bits | {name: getattr(MoveShares(), name) for name in ONE_GENE}
        alone = {ALONE.format(kind): self.annealed(starts=(kind,)) for kind in KINDS}
        return {
            NSGA: self.evolved(AreaModel(self._layout, self._units)),
            FULL_ADDERS: self.evolved(PopulationCost(self._layout)),
            ANNEALED: self.annealed(),
            NARROW: self.annealed(widths=self.hidden),
            BITS: self.annealed(moves=MoveShares(**bits | {"flip_bit": 1.0})),
            GENES: self.annealed(moves=MoveShares(**genes)),
            **alone,
        }

    def _refined(
        self, networks: list[Circuit], trees: list[Circuit], forests: list[Circuit]
    ) -> dict[str, list[Circuit]]:
        rewire, retype, _, *others = MOVE_WEIGHTS
        weights = np.array([rewire, retype, 0.0, *others])
        starts = [*networks, *trees, *forests]
        return {
            UNREFINED: starts,
            REFINED: self.refined(starts),
            COLD: self.refined(starts, kind=Frozen),
            CLEAN: self.refined(starts, care=self.care_sets[0]),
            NO_SUBSTITUTES: self.refined(starts, move_weights=tuple(weights / weights.sum())),
            FROM_NETWORKS: self.refined(networks),
            FROM_TREES: self.refined(trees),
            NO_FORESTS: self.refined([*networks, *trees]),
        }

    def evolved(self, cost: Cost) -> list[Circuit]:
        """NSGA-II with the literature's width from start points of all kinds."""
        rng, kinds, layout = self._rng(1), list(KINDS), self._layout
        codes, y = self.train.codes, self.train.y
        starts = [start_point(kinds[k % len(kinds)], layout, codes, y, rng=rng) for k in range(STARTS)]
        generations = max(0, self.spend.evaluations // POPULATION - 1)
        found = evolve(
            SearchSettings(population=POPULATION, generations=generations),
            layout,
            PopulationEvaluator(layout, codes, y, threads=1),
            cost,
            reference_accuracy=self.exact["train"],
            rng=rng,
            initial=starts,
        )
        areas = AreaModel(layout, self._units).areas(found.genes)
        return self._mapped(classifier_verilog, zip(map(layout.decode, found.genes), areas, strict=True))

    def annealed(self, **changes: Any) -> list[Circuit]:
        """Annealing with some settings changed, the number of proposals being what may be spent."""
        settings = replace(ANNEALING, **changes)
        shares = settings.chains * (settings.learning + settings.levels * (1 + settings.rounds))
        found = anneal(
            replace(settings, proposals=max(1, round(self.spend.evaluations / shares))),
            self.train.codes,
            self.train.y,
            n_classes=self.train.n_classes,
            input_bits=INPUT_BITS,
            technology=self.technology,
            rng=self._rng(2),
            threads=1,
        )
        return self._mapped(classifier_verilog, ((network.model, network.area_mm2) for network in found))

    def trees(self) -> list[Circuit]:
        """Trees grown with prices."""
        n_classes = self.train.n_classes
        found = priced_trees(
            self.train.codes, self.train.y, n_classes=n_classes, input_bits=INPUT_BITS, technology=self.technology
        )
        return self._mapped(tree_verilog, ((tree.tree, tree.area_mm2) for tree in found))

    def forests(self) -> list[Circuit]:
        """Forests from all over the front of training errors and estimated area."""
        X, y, n_classes = self.train.codes, self.train.y, self.train.n_classes
        found = forests(X, y, n_classes=n_classes, input_bits=INPUT_BITS, rng=self._rng(6))
        units = TreeUnits.of(self.technology)
        areas = [forest.area_um2(units) for forest in found]
        errors = [int((forest.predict(X) != y).sum()) for forest in found]
        front = np.flatnonzero(non_dominated(np.array([errors, areas]).T)).tolist()
        chosen = [found[k] for k in spread(sorted(front, key=lambda k: areas[k]), FORESTS)]
        with tempfile.TemporaryDirectory() as folder:
            netlists = [
                map_forest(forest, self.technology, effort="quick", work_dir=Path(folder, str(k)))
                for k, forest in enumerate(chosen)
            ]
        return [self._measured(netlist) for netlist in netlists]

    def refined(
        self,
        starts: Sequence[Circuit],
        *,
        care: CareSet | None = None,
        kind: type[Evolution] = Evolution,
        move_weights: Sequence[float] = MOVE_WEIGHTS,
    ) -> list[Circuit]:
        """The starts and all they pass through when they are refined, on rows with noisy copies unless told."""
        rng, found = self._rng(3), list(starts)
        settings = SweepSettings(moves=self.spend.moves // len(starts))
        evolution = kind(care or self.care_sets[1], self.technology, move_weights=move_weights)
        for start in starts:
            found += [self._measured(r.netlist) for r in sweep(evolution, start.netlist, settings, rng)]
        return found

    @cached_property
    def care_sets(self) -> list[CareSet]:
        """The training rows, and they with noisy copies."""
        codes, y = self.train.codes, self.train.y
        noisy = jittered(codes, y, copies_for(len(y), COPIES, 1), INPUT_BITS, self._rng(4))
        sets = ((codes, y), noisy)
        return [CareSet.of(X, c, n_classes=self.train.n_classes, input_bits=INPUT_BITS) for X, c in sets]

    def powers(self, circuits: Sequence[Circuit]) -> dict[str, list[Level]]:
        """Power in mW of circuits as they are and with polarities chosen, each on its own; None without any."""
        rows: dict[str, list[Level]] = {PLAIN_POWER: [self._power(circuit.netlist) for circuit in circuits]}
        evolution = Evolution(self.care_sets[0], self.technology)
        for row, slack in ((SAME_AREA, 0.0), (MORE_AREA, SLACK)):
            rng, moves = self._rng(5), self.spend.moves
            saved = [save_power(evolution, c.netlist, moves, rng, area_slack=slack) for c in circuits]
            rows[row] = [self._power(found.netlist) for found in saved]
        return rows

    def _levels(self, part: str) -> list[float]:
        return [self.exact[part] - loss / 100 - ROUNDING for loss in LOSSES]

    def _starts(self, pool: Sequence[Circuit]) -> list[Circuit]:
        """The smallest circuits of each level of the training rows; the most accurate one where there are none."""
        chosen = [_smallest(pool, "train", least) for least in self._levels("train")]
        most = max(pool, key=lambda circuit: (circuit.accuracies["train"], -circuit.area_mm2))
        by_id = {id(circuit): circuit for circuit in chosen if circuit}
        return list(by_id.values()) or [most]

    def _mapped(self, verilog: Callable[..., str], candidates: Iterable[tuple[Any, float]]) -> list[Circuit]:
        """Circuits of the candidates (classifier, estimate) that look smallest at each level, and the best ones."""
        ranked = sorted(candidates, key=lambda candidate: candidate[1])
        wanted = []
        for part in PARTS:
            judged = [(self._accuracy(model, part), model) for model, _ in ranked]
            wanted += sorted(judged, key=lambda entry: -entry[0])[:1]
            for least in self._levels(part):
                wanted += [entry for entry in judged if entry[0] >= least][:1]
        return [self._circuit(verilog, model) for _, model in wanted]

    def _circuit(self, verilog: Callable[..., str], model: Any) -> Circuit:
        key = model.dumps()
        if key not in self._known:
            with tempfile.TemporaryDirectory(prefix="printedmlp-") as folder:
                mapped = map_verilog(
                    verilog(model), self.technology, effort="quick", work_dir=Path(folder), prove=False
                )
            self._known[key] = self._measured(mapped.netlist)
        return self._known[key]

    def _measured(self, netlist: Netlist) -> Circuit:
        accuracies = {}
        for part, rows in self._parts.items():
            values = simulate(netlist, self.technology, input_bits_of(rows.codes, INPUT_BITS), len(rows.y))
            accuracies[part] = float(np.mean(classes(netlist, values, len(rows.y)) == rows.y))
        return Circuit(netlist, accuracies, netlist.area_cm2(self.technology) * MM2_PER_CM2)

    def _accuracy(self, model: Classifier, part: str) -> float:
        rows = self._parts[part]
        return float(np.mean(model.predict(rows.codes) == rows.y))

    def _power(self, netlist: Netlist) -> Level:
        """Static power on the validation rows, mW; None of what has no gate."""
        codes = self._parts["validation"].codes
        power = static_power_mw(netlist, self.technology, codes, INPUT_BITS)
        return power[self.technology.nominal_voltage] or None

    def _rng(self, stream: int) -> np.random.Generator:
        return np.random.default_rng([self._seed, stream])

    @cached_property
    def _layout(self) -> GenomeLayout:
        return GenomeLayout.uniform((self.train.codes.shape[1], *self.hidden, self.train.n_classes))

    @cached_property
    def _units(self) -> AreaUnits:
        return AreaUnits.of(self.technology)


def _smallest(pool: Iterable[Circuit], part: str, least: float) -> Circuit | None:
    able = [circuit for circuit in pool if circuit.accuracies[part] >= least]
    return min(able, key=lambda circuit: circuit.area_mm2, default=None)
