"""Figures and names as a person reads them on pages and in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from printedmlp.units import three

NOTHING = "–"
METRIC_NAMES = {"accuracy": "accuracy", "balanced_accuracy": "balanced accuracy", "macro_f1": "macro F1"}
STAGE_WORDS = {
    "paper": "The published method (Afentaki et al., DATE 2024): NSGA-II evolves masks, signs, power-of-two "
    "weights and biases of a small network against error and full adders.",
    "tree": "A bespoke decision tree: every node compares one feature with a constant, and a search thins out "
    "nodes, thresholds and bits. A rival of the networks, through the same synthesis, cells and proof.",
    "search": "Our search among the same masked power-of-two networks: trained starts of several widths, "
    "structured moves, and annealing under an error budget with the area of the whole circuit as cost.",
    "refine": "A circuit of another stage, or a few trees that vote, changed gate by gate: gates are rewired, "
    "retyped, merged or made constant within a budget of errors on the training rows and noisy copies of them, or "
    "at a price of area in errors, then exchanged for power. It is no longer literally a network or a tree: its "
    "gates alone say what it answers, and it may differ from what it came from wherever no training row looks. "
    "Only rows it was not trained on, validation and test, tell its worth.",
}


def significant(value: float | None) -> str:
    """Three significant digits, never in exponent form; a dash for no figure."""
    return NOTHING if value is None else three(value)


def factor(reference: float | None, value: float | None) -> str:
    """How many times smaller a value is than its reference; a dash where one is not known."""
    if reference is None or value is None:
        return NOTHING
    if value <= 0:
        return "∞" if reference > 0 else "1"
    ratio = reference / value
    return f"{ratio:,.0f}".replace(",", " ") if ratio >= 20 else f"{ratio:.1f}"


def interval_words(ends: tuple[float, float]) -> str:
    """Both ends of an interval of shares, in percent."""
    return f"{100 * ends[0]:.1f}–{ends[1]:.1%}"


def power_words(power_mw: float | None) -> str:
    """A power with its unit."""
    return "no power figures" if power_mw is None else f"{significant(power_mw)} mW"


def listed(words: Sequence[str]) -> str:
    """Words in a sentence: a, b and c."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
