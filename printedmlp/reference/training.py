"""One small training loop for all papers: seeded, best on validation rows, learning curves, cpu or cuda."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import SGD, AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR, OneCycleLR

from printedmlp.errors import ConfigError

Loss = Callable[[nn.Module, Tensor, Tensor], Tensor]
"""(model, x, y) to a scalar, so that a method may add a penalty on the model."""
Augment = Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]]
"""(x, y, generator) of a training batch to the x and y that are trained on; the generator lives on the cpu."""
MakeOptimiser = Callable[[nn.Module, "Settings"], Optimizer]

SCHEDULES = ("constant", "cosine", "one_cycle")
OPTIMISERS = ("adamw", "sgd", "lbfgs")
LBFGS_ITERATIONS = 5
"""Iterations of a step; its history outlives the step."""
LBFGS_EVALUATIONS = 25
"""Most evaluations of the loss in an iteration. The line search needs several, or training stalls."""
EVALUATION_ROWS = 4096


class Tensors(NamedTuple):
    """Inputs (n, ...) and targets: (n,) int64 classes or (n, ...) float values."""

    x: Tensor
    y: Tensor

    def to(self, device: str | torch.device) -> Tensors:
        """The same on a device."""
        return Tensors(self.x.to(device), self.y.to(device))

    def rows(self, chosen: Tensor) -> Tensors:
        """Some of the rows."""
        return Tensors(self.x[chosen], self.y[chosen])


@dataclass(frozen=True)
class Settings:
    """How a model is trained.

    Attributes
    ----------
    epochs : passes over the training rows; with "lbfgs" steps of 5 iterations on all of them.
    batch_size : rows of a step; 0 takes all of them.
    learning_rate : the peak one, if a schedule changes it.
    weight_decay : decoupled with "adamw", on weights of two or more dimensions only; L2 on everything with "sgd".
    schedule : "constant", "cosine" to 0, or "one_cycle", step by step.
    optimiser : "adamw", "sgd" with `momentum`, or "lbfgs" with strong Wolfe line search and no schedule.
    clip : largest norm of the gradient; 0 for none.
    device : see `pick_device`.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float = 0.0
    schedule: str = "constant"
    optimiser: str = "adamw"
    momentum: float = 0.0
    clip: float = 0.0
    device: str = "cpu"

    def __post_init__(self) -> None:
        """Refuse unknown names and counts below zero."""
        if self.schedule not in SCHEDULES:
            raise ConfigError(f"schedule: {self.schedule!r} is not one of {', '.join(SCHEDULES)}")
        if self.optimiser not in OPTIMISERS:
            raise ConfigError(f"optimiser: {self.optimiser!r} is not one of {', '.join(OPTIMISERS)}")
        if self.epochs < 0 or self.batch_size < 0 or self.learning_rate <= 0:
            raise ConfigError(f"epochs {self.epochs}, batch size {self.batch_size}, rate {self.learning_rate}")


@dataclass
class History:
    """Learning curves, one value an epoch.

    Attributes
    ----------
    losses : mean training loss of the epoch's batches, as they were met.
    validation_losses, validation_accuracies : after the epoch; empty without validation rows, the latter also for
        targets that are no classes.
    best_epoch : from 1, the one whose weights the model has now; the last one without validation rows.
    seconds : of training and validation.
    """

    losses: list[float] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)
    validation_accuracies: list[float] = field(default_factory=list)
    best_epoch: int = 0
    seconds: float = 0.0


def fit(
    model: nn.Module,
    loss: Loss,
    train: Tensors,
    validation: Tensors | None,
    settings: Settings,
    *,
    seed: int,
    augment: Augment | None = None,
    make_optimiser: MakeOptimiser | None = None,
    after_step: Callable[[int], None] | None = None,
    after_epoch: Callable[[int], None] | None = None,
) -> History:
    """Train a model in place and put back the weights of the epoch that was best on the validation rows.

    For classes the best epoch has the highest accuracy, ties to the lower loss and then to the earlier epoch; for
    other targets it has the lowest loss. Test rows have no business here.

    Parameters
    ----------
    seed : decides batches, augmentation and what the model draws while it trains (dropout).
    augment : changes each training batch.
    make_optimiser : takes the place of `settings.optimiser`.
    after_step, after_epoch : called with the number of steps or epochs done, from 1, the model in training mode.
    """
    started = time.perf_counter()
    device = pick_device(settings.device)
    model.to(device)
    train, validation = train.to(device), validation and validation.to(device)
    optimiser = (make_optimiser or _optimiser)(model, settings)
    step = _Step(model, loss, optimiser, _schedule(optimiser, settings, len(train.x)), settings.clip)
    history, best = History(), _Best(model)
    generator, done = seeded(seed), 0
    with _torch_seed(seed):
        for epoch in range(1, settings.epochs + 1):
            model.train()
            losses = []
            for rows in _batches(len(train.x), settings, generator):
                batch = train.rows(rows.to(device))
                losses.append(step(*(augment(*batch, generator) if augment else batch)))
                done += 1
                if after_step:
                    after_step(done)
            history.losses.append(float(torch.stack(losses).mean()))
            if after_epoch:
                after_epoch(epoch)
            if validation:
                best.offer(epoch, _validated(model, loss, validation, history))
    best.put_back()
    history.best_epoch = best.epoch if validation else settings.epochs
    history.seconds = time.perf_counter() - started
    return history


def cross_entropy(label_smoothing: float = 0.0) -> Loss:
    """Softmax cross entropy of the model's logits; y is (n,) classes or (n, n_classes) probabilities."""

    def loss(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        return functional.cross_entropy(model(x), y, label_smoothing=label_smoothing)

    return loss


def mean_squared_error(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Mean squared error over all rows and outputs; the shapes of output and y must agree."""
    output = model(x)
    assert output.shape == y.shape, f"output {tuple(output.shape)} against target {tuple(y.shape)}"
    return functional.mse_loss(output, y)


def outputs(model: nn.Module, x: Tensor) -> Tensor:
    """What the model answers in evaluation mode and without gradients, in pieces that fit into memory."""
    was_training = model.training
    model.eval()
    with torch.no_grad():
        device = next((p.device for p in model.parameters()), x.device)
        answers = torch.cat([model(piece.to(device)) for piece in x.split(EVALUATION_ROWS)])
    model.train(was_training)
    return answers


def accuracy(model: nn.Module, data: Tensors) -> float:
    """Share of rows whose largest output is their class, ties to the lower index."""
    answers = outputs(model, data.x).argmax(dim=1)
    return float((answers == data.y.to(answers.device)).double().mean())


def parameter_count(model: nn.Module) -> int:
    """Number of trained numbers; works on the meta device."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def seeded(seed: int) -> torch.Generator:
    """A generator on the cpu, which draws the same for every device."""
    return torch.Generator().manual_seed(seed)


def built(make: Callable[[], nn.Module], seed: int) -> nn.Module:
    """Make a model whose start the seed decides; PyTorch's own random state is left as it was."""
    with _torch_seed(seed):
        return make()


def pick_device(name: str) -> torch.device:
    """The device "cpu", "cuda" or "auto" (cuda where there is one); ConfigError for another or an absent one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name not in ("cpu", "cuda"):
        raise ConfigError(f"device: {name!r} is not one of cpu, cuda, auto")
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError("device: cuda is not available here; leave it out or say cpu")
    return torch.device(name)


def weights_and_others(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Parameters of two or more dimensions, and the biases, gains and scales that weight decay leaves alone."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return [p for p in trained if p.ndim > 1], [p for p in trained if p.ndim <= 1]


@contextmanager
def _torch_seed(seed: int) -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


Schedule = LambdaLR | OneCycleLR


class _Step:
    """One update of the model from one batch."""

    def __init__(
        self,
        model: nn.Module,
        loss: Loss,
        optimiser: Optimizer,
        schedule: Schedule | None,
        clip: float,
    ) -> None:
        self.model, self.loss, self.optimiser, self.schedule, self.clip = model, loss, optimiser, schedule, clip

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        """Update and return the loss before the update."""

        def closure() -> Tensor:
            self.optimiser.zero_grad()
            value = self.loss(self.model, x, y)
            value.backward()
            if self.clip:
                nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
            return value

        value = self.optimiser.step(closure)  # type: ignore[arg-type]
        if self.schedule:
            self.schedule.step()
        return torch.as_tensor(value).detach()


class _Best:
    """The weights with the highest key so far."""

    def __init__(self, model: nn.Module) -> None:
        self.model, self.epoch = model, 0
        self.key: tuple[float, ...] | None = None
        self.weights: dict[str, Tensor] = {}

    def offer(self, epoch: int, key: tuple[float, ...]) -> None:
        if self.key is None or key > self.key:
            self.epoch, self.key = epoch, key
            self.weights = copy.deepcopy(self.model.state_dict())

    def put_back(self) -> None:
        if self.weights:
            self.model.load_state_dict(self.weights)


def _validated(model: nn.Module, loss: Loss, validation: Tensors, history: History) -> tuple[float, ...]:
    """Add the epoch's validation figures to the history and return what the best epoch has most of."""
    model.eval()
    with torch.no_grad():
        value = float(loss(model, validation.x, validation.y))
    history.validation_losses.append(value)
    if validation.y.is_floating_point():
        return (-value,)
    history.validation_accuracies.append(accuracy(model, validation))
    return history.validation_accuracies[-1], -value


def _batches(n: int, settings: Settings, generator: torch.Generator) -> list[Tensor]:
    """Row numbers of an epoch's batches; all rows in their order where there is one batch."""
    if settings.batch_size == 0 or settings.optimiser == "lbfgs" or settings.batch_size >= n:
        return [torch.arange(n)]
    return list(torch.randperm(n, generator=generator).split(settings.batch_size))


def _optimiser(model: nn.Module, settings: Settings) -> Optimizer:
    rate, decay = settings.learning_rate, settings.weight_decay
    if settings.optimiser == "adamw":
        weights, others = weights_and_others(model)
        groups = [{"params": weights, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
        return AdamW([group for group in groups if group["params"]], lr=rate)
    if settings.optimiser == "sgd":
        return SGD(model.parameters(), lr=rate, momentum=settings.momentum, weight_decay=decay)
    return torch.optim.LBFGS(
        model.parameters(),
        lr=rate,
        max_iter=LBFGS_ITERATIONS,
        max_eval=LBFGS_EVALUATIONS * LBFGS_ITERATIONS,
        history_size=10,
        tolerance_grad=1e-32,
        tolerance_change=1e-32,
        line_search_fn="strong_wolfe",
    )


def _schedule(optimiser: Optimizer, settings: Settings, n: int) -> Schedule | None:
    if settings.schedule == "constant" or settings.optimiser == "lbfgs" or not settings.epochs:
        return None
    rows = settings.batch_size or n
    total = settings.epochs * max(1, -(-n // rows))
    if settings.schedule == "one_cycle":
        return OneCycleLR(optimiser, settings.learning_rate, total_steps=total)
    return LambdaLR(optimiser, lambda step: 0.5 * (1 + torch.cos(torch.tensor(torch.pi * step / total)).item()))
