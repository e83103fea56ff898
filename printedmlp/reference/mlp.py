"""The plain multilayer perceptron: what every paper of the suite is compared with.

Z <- act(Z W + b) for each hidden layer, logits = Z W + b. F. Rosenblatt's layers trained by back-propagation:
Rumelhart, Hinton, Williams, Nature 323 (1986) 533, eqs. 1 to 4. Left out: nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "leaky_relu": lambda: nn.LeakyReLU(0.1),
    "identity": nn.Identity,
}


@dataclass(frozen=True)
class Config:
    """Sizes of a network.

    Attributes
    ----------
    n_inputs, n_outputs : values of a sample, logits.
    hidden : neurons of each hidden layer; () is linear.
    activation : one of `ACTIVATIONS`.
    bias : whether layers have one.
    """

    n_inputs: int
    n_outputs: int
    hidden: tuple[int, ...] = (64,)
    activation: str = "gelu"
    bias: bool = True


class MLP(nn.Module):
    """Linear layers with an activation between them, PyTorch's default start."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        sizes = (config.n_inputs, *config.hidden, config.n_outputs)
        self.linears = nn.ModuleList(nn.Linear(n, m, bias=config.bias) for n, m in pairwise(sizes))
        self.activation = ACTIVATIONS[config.activation]()

    def forward(self, x: Tensor) -> Tensor:
        """Logits (batch, n_outputs) of inputs (batch, ...) that are flattened."""
        return self.features(x)[-1]

    def features(self, x: Tensor) -> list[Tensor]:
        """What every hidden layer gives after its activation, (batch, size) each, and the logits last."""
        values: list[Tensor] = []
        z = x.flatten(1)  # (batch, n_inputs)
        for number, linear in enumerate(self.linears, start=1):
            z = linear(z)  # (batch, size of the layer)
            z = z if number == len(self.linears) else self.activation(z)  # (batch, size of the layer)
            values.append(z)
        return values


def tabular_model(n_features: int, n_classes: int) -> nn.Module:
    """The network for a plain feature vector: two hidden layers of 64."""
    return MLP(Config(n_features, n_classes, hidden=(64, 64)))
