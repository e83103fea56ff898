"""Settings of a design run: defaults by budget, a TOML file, the command line, in this order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from flows.settings_file import place_of, read_settings
from printedmlp.errors import ConfigError
from printedmlp.front import Limits
from printedmlp.metrics import METRICS
from printedmlp.objective import check_weights
from printedmlp.power_sources import CAPACITIES_MAH, DEFAULT_RATE_HZ, RATES_HZ, VOLTAGES_V, Use, use_of
from printedmlp.search import SearchSettings

BUDGETS: dict[str, dict[str, Any]] = {
    "quick": {
        "restarts": 6,
        "population": 100,
        "generations": 2000,
        "chains": 4,
        "proposals": 20_000,
        "tree_generations": 60,
        "candidates": 8,
        "refine_starts": 8,
        "refine_moves": 200_000,
        "power_moves": 50_000,
        "effort": "quick",
    },
    "standard": {
        "restarts": 16,
        "population": 200,
        "generations": 6000,
        "chains": 16,
        "proposals": 100_000,
        "tree_generations": 200,
        "candidates": 20,
        "refine_starts": 16,
        "refine_moves": 1_000_000,
        "power_moves": 200_000,
        "effort": "standard",
    },
    "thorough": {
        "restarts": 32,
        "population": 300,
        "generations": 30_000,
        "chains": 64,
        "proposals": 1_000_000,
        "tree_generations": 1000,
        "candidates": 48,
        "refine_starts": 32,
        "refine_moves": 20_000_000,
        "power_moves": 2_000_000,
        "effort": "thorough",
    },
}
THERMOMETER = "thermometer"
INPUTS = ("binary", THERMOMETER)
"""What a circuit's input bits are: of its features' codes, or also of a second form, comparators' outputs."""
CHOICES: dict[str, tuple[str, ...]] = {
    "budget": tuple(BUDGETS),
    "effort": ("quick", "standard", "thorough"),
    "metric": METRICS,
    "inputs": INPUTS,
    "missing": ("drop", "error"),
    "simulator": ("verilator", "icarus"),
}
RANGES: dict[str, tuple[float, float]] = {
    "seed": (0, 2**63 - 1),
    "input_bits": (1, 8),
    "restarts": (1, 1000),
    "population": (8, 100_000),
    "generations": (0, 10_000_000),
    "islands": (1, 64),
    "chains": (1, 10_000),
    "proposals": (1, 10**10),
    "tree_generations": (0, 10_000_000),
    "candidates": (1, 10_000),
    "refine_starts": (0, 10_000),
    "refine_moves": (0, 10**10),
    "jitter": (0, 1000),
    "power_moves": (0, 10**10),
    "teacher_copies": (1, 1000),
    "sample_rate": RATES_HZ,
    "battery_mah": CAPACITIES_MAH,
    "battery_v": VOLTAGES_V,
    "proof_time_limit": (0.0, 1e6),
    "fault_tolerance": (0.5, 1.0),
    "max_area": (0.0, 1e6),
    "max_power": (0.0, 1e6),
    "min_accuracy": (0.0, 1.0),
    "max_accuracy_loss": (0.0, 1.0),
    "crossover_rate": (0.0, 1.0),
    "mutations_per_child": (0.0, 1000.0),
    "removal_share": (0.0, 1.0),
    "nearly_exact_share": (0.0, 1.0),
    "random_vectors": (10_000, 10_000_000),
    "lsb": (0, 20),
    "msb": (0, 30),
}
PROOF_TIME_LIMIT_S = 600.0
MOST_HIDDEN = 16
AT_REST: dict[str, Any] = {
    "inputs": "binary",
    "islands": 1,
    "sample_rate": DEFAULT_RATE_HZ,
    "battery_mah": None,
    "battery_v": None,
    "proof_time_limit": PROOF_TIME_LIMIT_S,
    "fault_tolerance": None,
}
"""Settings that are not written while they have these values."""


@dataclass(frozen=True)
class DesignConfig:
    """Everything that decides the result of a design run.

    Attributes
    ----------
    dataset : name of a data set or path of a CSV file.
    label : name of the label column; None takes the last.
    missing : rows with missing cells are dropped with a warning ("drop") or refused ("error").
    seed : of the split, the training and the random vectors.
    official_split, group_duplicates : see `printedmlp.split`.
    metric : what circuits are chosen by on training and validation rows together: "accuracy",
        "balanced_accuracy" or "macro_f1".
    class_weights : weights of wrong training rows by class: "balanced", or a positive number for each class in the
        order of the output codes; None takes equal weights for accuracy and balanced ones for the other metrics.
    max_area, max_power : largest cell area in cm2 and static power in mW at the nominal voltage, on the rows that
        circuits are chosen by, of a circuit on the front; None sets no limit.
    min_accuracy : smallest validation value of the metric, 0 to 1, of a circuit on the front; None sets no limit.
    hidden : sizes of the hidden layers; None takes the literature's for a known data set.
    input_bits : bits of each quantised input.
    lsb, msb : window of the hidden QReLU.
    budget : "quick", "standard" or "thorough"; sets the numbers of the stages and the effort unless they are given.
    restarts : float trainings of the exact baseline.
    population, generations : of NSGA-II.
    islands : populations of NSGA-II, each of `population` networks, that exchange members of their fronts.
    crossover_rate, mutations_per_child, removal_share, nearly_exact_share : see `printedmlp.search.SearchSettings`.
    max_accuracy_loss : training-accuracy loss against the exact baseline beyond which a solution is infeasible.
    chains, proposals : annealing chains of the search, and proposals of each chain at each error level.
    tree_generations : generations of the search for decision trees.
    candidates : how many of the search's solutions are synthesised.
    refine_starts, refine_moves : netlists that are refined gate by gate, and moves of each at each error level.
    jitter : noisy copies of each training row in the care set of refinement; fewer for large tables.
    power_moves : moves of the choice of polarities and cells for power, for each netlist.
    teacher : architecture of the float suite that labels noisy copies of the training rows for the genetic
        trainers; "rows" lets the copies keep their rows' classes; None makes no copies.
    teacher_copies : noisy copies of each training row for the genetic trainers; fewer for large tables.
    effort : synthesis effort of the designs reported.
    technology : name of a built-in technology or path of a TOML file.
    liberty : path of a Liberty file used instead.
    inputs : "binary", or "thermometer" to write every circuit in a second form as well, which has one input bit for
        each threshold that it uses. Trees and refinement then know what a threshold's comparator costs. Circuits
        are chosen by area and power of this form with its comparators, and limits are limits of these.
    sample_rate : samples a second that are to be classified, for switching power and what power sources can do.
    battery_mah, battery_v : capacity and voltage of a battery whose life is told; both or neither.
    proof_time_limit : seconds after which a circuit is said not to be proved; 0 tries none.
    fault_tolerance : device yield, 0.5 to 1, that prints are expected to have. What they are then worth on average
        is an axis of the front beside merit, area and power, and refinement spends area on it; None for no axis.
    random_vectors : seeded random vectors each circuit is simulated with, at least 10,000.
    simulator : "verilator" or "icarus".
    """

    dataset: str
    label: str | None = None
    missing: str = "drop"
    seed: int = 0
    official_split: bool = False
    group_duplicates: bool = False
    metric: str = "accuracy"
    class_weights: str | tuple[float, ...] | None = None
    max_area: float | None = None
    max_power: float | None = None
    min_accuracy: float | None = None
    hidden: tuple[int, ...] | None = None
    input_bits: int = 4
    lsb: int = 4
    msb: int = 11
    budget: str = "standard"
    restarts: int = 0
    population: int = 0
    generations: int = -1
    islands: int = 1
    crossover_rate: float = SearchSettings.crossover_rate
    mutations_per_child: float = SearchSettings.mutations_per_child
    removal_share: float = SearchSettings.removal_share
    nearly_exact_share: float = SearchSettings.nearly_exact_share
    max_accuracy_loss: float = SearchSettings.max_accuracy_loss
    chains: int = 0
    proposals: int = -1
    tree_generations: int = -1
    candidates: int = 0
    refine_starts: int = -1
    refine_moves: int = -1
    jitter: int = 8
    power_moves: int = -1
    teacher: str | None = None
    teacher_copies: int = 8
    effort: str = ""
    technology: str = "egfet"
    liberty: str | None = None
    inputs: str = "binary"
    sample_rate: float = DEFAULT_RATE_HZ
    battery_mah: float | None = None
    battery_v: float | None = None
    proof_time_limit: float = PROOF_TIME_LIMIT_S
    fault_tolerance: float | None = None
    random_vectors: int = 10_000
    simulator: str = "verilator"

    def __post_init__(self) -> None:
        for key, value in asdict(self).items():
            if isinstance(value, str) and not is_text(value):
                raise ConfigError(f"{key}: {value!r} is not UTF-8 text")
        for key, allowed in CHOICES.items():
            if getattr(self, key) not in allowed:
                raise ConfigError(f"{key}: {getattr(self, key)!r} is not one of {', '.join(allowed)}")
        for key, (low, high) in RANGES.items():
            value = getattr(self, key)
            if value is not None and not low <= value <= high:
                raise ConfigError(f"{key}: {value} is not in {low:g}..{high:g}")
        if self.msb < self.lsb:
            raise ConfigError(f"msb: {self.msb} is below lsb {self.lsb}")
        if self.fault_tolerance is not None and self.inputs == THERMOMETER:
            raise ConfigError(f"fault_tolerance: {self.fault_tolerance} needs binary inputs, not {THERMOMETER}")
        if self.hidden is not None and not 1 <= len(self.hidden) <= MOST_HIDDEN:
            raise ConfigError(f"hidden: {len(self.hidden)} layers; there must be 1 to {MOST_HIDDEN}")
        if self.hidden is not None and not all(1 <= n <= 256 for n in self.hidden):
            raise ConfigError(f"hidden: {list(self.hidden)} must be layer sizes in 1..256")
        check_weights(self.class_weights)
        use_of(self.sample_rate, self.battery_mah, self.battery_v)

    @property
    def search_settings(self) -> SearchSettings:
        """The part of the settings that the genetic search takes, under the same names."""
        return SearchSettings(**{item.name: getattr(self, item.name) for item in fields(SearchSettings)})

    @property
    def limits(self) -> Limits:
        """What a circuit of the front must keep to."""
        return Limits(max_area_cm2=self.max_area, max_power_mw=self.max_power, min_score=self.min_accuracy)

    @property
    def use(self) -> Use:
        """How the user means to power a circuit."""
        return use_of(self.sample_rate, self.battery_mah, self.battery_v)

    def to_json(self) -> dict[str, Any]:
        """The settings as a JSON-ready dictionary, without those that are left at rest."""
        idle = {key for key, rest in AT_REST.items() if getattr(self, key) == rest}
        idle |= set() if self.teacher else {"teacher_copies"}
        values = {key: value for key, value in asdict(self).items() if key not in idle}
        return {key: list(v) if isinstance(v, tuple) else v for key, v in values.items()}


def setting_types() -> dict[str, str]:
    """By setting the type it is declared as."""
    return {item.name: str(item.type) for item in fields(DesignConfig)}


def make_config(file: Path | None, given: Mapping[str, Any]) -> DesignConfig:
    """Settings from an optional TOML file, overridden by those given on the command line, filled from the budget.

    Raises
    ------
    ConfigError : the file cannot be read, or a key or value is wrong; the message names it.
    """
    held = read_settings(file, "design", setting_types()) if file is not None else {}
    values = {**held, **{key: value for key, value in given.items() if value is not None}}
    if "dataset" not in values:
        raise ConfigError("dataset: none given; name a data set or a CSV file")
    try:
        budget = values.get("budget", "standard")
        if budget not in BUDGETS:
            raise ConfigError(f"budget: {budget!r} is not one of {', '.join(BUDGETS)}")
        return DesignConfig(**{**BUDGETS[budget], **values})
    except ConfigError as error:
        key = str(error).partition(":")[0]
        if file is None or held.get(key) is None or given.get(key) is not None:
            raise
        raise ConfigError(f"{place_of(file, key, 'design')}: {error}") from None


def with_hidden(config: DesignConfig, hidden: tuple[int, ...]) -> DesignConfig:
    """The settings with the hidden sizes filled in where they were left open."""
    return config if config.hidden is not None else replace(config, hidden=hidden)


def is_text(text: str) -> bool:
    """Whether a file of text can hold it and a path can be made of it; file names of other encodings cannot."""
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def config_toml(config: DesignConfig) -> str:
    """The settings as TOML; settings that are None are left out."""
    lines = [f"{key} = {_toml_value(value)}" for key, value in config.to_json().items() if value is not None]
    return "\n".join(lines) + "\n"


def _toml_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + "".join(f"\\u{ord(c):04x}" if ord(c) < 32 or ord(c) == 127 else c for c in escaped) + '"'
    if isinstance(value, list):
        return "[" + ", ".join(_toml_value(item) for item in value) + "]"
    return repr(value)
