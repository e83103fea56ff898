"""What annealing may spend and how it goes about it."""

from __future__ import annotations

from dataclasses import dataclass, field

from printedmlp.errors import ConfigError
from printedmlp.moves import MoveShares
from printedmlp.starts import KINDS


@dataclass(frozen=True)
class AnnealSettings:
    """What the annealing search may spend and how bold it is.

    Parameters
    ----------
    chains : chains of the first round and tasks of each later one.
    rounds : rounds after the first, each from the best circuits so far.
    widths : hidden widths that the chains take in turn.
    tops : highest bits of the hidden activations that they take in turn; lower ones make narrower hidden values.
    starts : kinds of start points (`printedmlp.starts.KINDS`) that they take in turn.
    levels : error budgets of each chain, closer together near the fewest errors.
    proposals : of each level; learning takes `learning` times as many.
    max_loss : share of the rows' weight between the first and the last budget.
    heat : temperature at the start of a level, as a share of the circuit's area.
    cooling : share of it that is left at the end.
    price : area that an error beyond the budget costs while a level is hot, as a multiple of the circuit's area
        over a tenth of the rows' weight.
    hard_share : share of a level, at its end, without any error beyond the budget.
    another_move : probability that a proposal has one more move.
    moves : how often each kind of move is proposed.
    keep : most circuits in the result.

    Raises
    ------
    ConfigError : naming the field and the value out of range.
    """

    chains: int = 8
    rounds: int = 2
    widths: tuple[int, ...] = (10, 6, 8, 4, 12, 3, 16, 2)
    tops: tuple[int, ...] = (11, 7, 9)
    starts: tuple[str, ...] = ("tree", "trained", "sparse")
    levels: int = 6
    proposals: int = 200_000
    learning: float = 2.0
    max_loss: float = 0.12
    heat: float = 0.01
    cooling: float = 0.06
    price: float = 2.0
    hard_share: float = 0.2
    another_move: float = 0.2
    moves: MoveShares = field(default_factory=MoveShares)
    keep: int = 200

    def __post_init__(self) -> None:
        for name, least in (("chains", 1), ("rounds", 0), ("levels", 1), ("proposals", 1), ("keep", 1)):
            if not getattr(self, name) >= least:
                raise ConfigError(f"{name} must be at least {least}, not {getattr(self, name)}")
        for name in ("max_loss", "hard_share", "another_move"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} must be in 0..1, not {getattr(self, name)}")
        for name in ("heat", "cooling", "price"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ConfigError(f"{name} must be above 0, not {getattr(self, name)}")
        if not 0 <= self.learning < float("inf"):
            raise ConfigError(f"learning must be 0 or more, not {self.learning}")
        _check_lists(self)


def _check_lists(settings: AnnealSettings) -> None:
    for name in ("widths", "tops", "starts"):
        if not getattr(settings, name):
            raise ConfigError(f"{name} must have at least one entry")
    for width in settings.widths:
        if not 1 <= width <= 64:
            raise ConfigError(f"widths must be in 1..64, not {width}")
    for kind in settings.starts:
        if kind not in KINDS:
            raise ConfigError(f"starts: no kind '{kind}'; there are {', '.join(KINDS)}")
