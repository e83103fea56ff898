"""Bilinear MLP: a gated layer without non-linearity, so that its weights alone tell what it computes.

M. T. Pearce, T. Dooms, A. Rigg, J. Oramas and L. Sharkey, "Bilinear MLPs enable weight-based mechanistic
interpretability", ICLR 2025, arXiv:2410.08417; by their sections:

    e = E x,   y = U ((W e) * (V e))                                  the layer (section 2), no biases
    y_c = e^T B_c e,   B[c, i, j] = sum_o U[c, o] W[o, i] V[o, j]     the third-order tensor (2)
    Q_c = (B_c + B_c^T) / 2                                           interaction matrices (3): all that matters
    Q_c = sum_k lambda_k v_k v_k^T,   y_c = sum_k lambda_k (v_k . e)^2    eigenfeatures (3), seen as pixels E^T v_k

Few eigenfeatures carry a class; top ones look like what the class looks like. With D the top eigenvectors of all
classes as rows, the column of pinv(D) of one of them moves it and leaves the others still: an adversarial mask made
without data (4.4).

A bias is a constant 1 beside the input. Left out: stacks of layers, order by singular values of B for outputs
without names, language models.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from printedmlp.errors import ConfigError


@dataclass(frozen=True)
class BilinearConfig:
    """Sizes of a bilinear network.

    Attributes
    ----------
    n_inputs, hidden, n_classes : I values in, H wide, C logits.
    constant : add an input that is always 1, for tables; the n_inputs do not count it.
    noise : standard deviation of the Gaussian noise on the inputs while training.
    """

    n_inputs: int
    hidden: int
    n_classes: int
    constant: bool = False
    noise: float = 0.0

    def __post_init__(self) -> None:
        """Refuse noise below nothing."""
        if self.noise < 0:
            raise ConfigError(f"noise: {self.noise} is below 0")


class BilinearMLP(nn.Module):
    """y = U ((W E x) * (V E x))."""

    def __init__(self, config: BilinearConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Linear(config.n_inputs + config.constant, config.hidden, bias=False)
        self.left = nn.Linear(config.hidden, config.hidden, bias=False)
        self.right = nn.Linear(config.hidden, config.hidden, bias=False)
        self.head = nn.Linear(config.hidden, config.n_classes, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, C) of inputs (B, I)."""
        e = self.embed(x)  # (B, H)
        logits: Tensor = self.head(self.left(e) * self.right(e))  # (B, C)
        return logits

    def embed(self, x: Tensor) -> Tensor:
        """E x, (B, H), of inputs (B, I), with noise in training mode."""
        if self.training and self.config.noise:
            x = x + self.config.noise * torch.randn_like(x)  # (B, I)
        if self.config.constant:
            x = torch.cat([x, torch.ones_like(x[:, :1])], dim=1)  # (B, I + 1)
        embedded: Tensor = self.embedding(x)  # (B, H)
        return embedded


class ReLUMLP(nn.Module):
    """The ordinary network of the same embedding and as many hidden products: y = U relu(W E x + b) + c."""

    def __init__(self, config: BilinearConfig) -> None:
        super().__init__()
        self.noise = config.noise
        self.layers = nn.Sequential(
            nn.Linear(config.n_inputs, config.hidden),
            nn.Linear(config.hidden, 2 * config.hidden),
            nn.ReLU(),
            nn.Linear(2 * config.hidden, config.n_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, C) of inputs (B, I), with noise in training mode."""
        if self.training and self.noise:
            x = x + self.noise * torch.randn_like(x)  # (B, I)
        logits: Tensor = self.layers(x)  # (B, C)
        return logits


@torch.no_grad()
def tensor(model: BilinearMLP) -> Tensor:
    """B, (C, H, H): logit c of an embedded input e is e^T B[c] e."""
    return torch.einsum("co,oi,oj->cij", model.head.weight, model.left.weight, model.right.weight)  # (C, H, H)


def interactions(model: BilinearMLP) -> Tensor:
    """Q, (C, H, H): the symmetric part of the tensor, the only one that e^T B e feels."""
    B = tensor(model)  # (C, H, H)
    return (B + B.transpose(1, 2)) / 2  # (C, H, H)


@dataclass(frozen=True)
class Eigenfeatures:
    """Eigenvalues (C, H), ascending, and eigenvectors (C, H, H), [c, k] the unit vector of the k-th value."""

    values: Tensor
    vectors: Tensor

    def logits(self, embedded: Tensor) -> Tensor:
        """sum_k lambda_k (v_k . e)^2 of (B, H) embedded inputs: (B, C)."""
        along = torch.einsum("ckh,bh->bck", self.vectors, embedded)  # (B, C, K)
        return torch.einsum("ck,bck->bc", self.values, along**2)  # (B, C)

    def strongest(self, k: int) -> Eigenfeatures:
        """The k of each class with the largest |lambda|, largest first: (C, k) and (C, k, H)."""
        return self._chosen(self.values.abs().argsort(dim=1, descending=True, stable=True)[:, :k])

    def top(self, k: int) -> Eigenfeatures:
        """The k of each class that speak most for it, largest value first: (C, k) and (C, k, H)."""
        return self._chosen(self.values.argsort(dim=1, descending=True, stable=True)[:, :k])

    def effective_rank(self) -> Tensor:
        """(sum |lambda|)^2 / sum lambda^2 of each class, (C,): k values of one size count k."""
        return self.values.abs().sum(dim=1) ** 2 / (self.values**2).sum(dim=1)  # (C,)

    def _chosen(self, order: Tensor) -> Eigenfeatures:
        values = self.values.gather(1, order)  # (C, k)
        vectors = self.vectors.gather(1, order[:, :, None].expand(-1, -1, self.vectors.shape[2]))  # (C, k, H)
        return Eigenfeatures(values, vectors)


def eigenfeatures(Q: Tensor) -> Eigenfeatures:
    """Eigendecomposition of symmetric (C, H, H) interaction matrices."""
    assert torch.allclose(Q, Q.transpose(1, 2)), "eigh reads one triangle only: symmetrise first"
    values, columns = torch.linalg.eigh(Q)  # (C, H), (C, H, H)
    return Eigenfeatures(values, columns.transpose(1, 2))


@torch.no_grad()
def as_pixels(model: BilinearMLP, vectors: Tensor) -> Tensor:
    """E^T v of vectors (..., H): (..., I), their scalar product with an input is that of v with E x."""
    return vectors @ model.embedding.weight  # (..., I)


def masks(model: BilinearMLP, features: Eigenfeatures, k: int) -> Tensor:
    """Adversarial masks of the k top eigenfeatures of each class, (C, k, I), mean 0 and deviation 1 each.

    Raises
    ------
    ConfigError : C k is not below H; the listed vectors then span everything and cannot be told apart.
    """
    top = features.top(k).vectors  # (C, k, H)
    n_classes, _, hidden = top.shape
    if n_classes * k >= hidden:
        raise ConfigError(f"masks: {n_classes} classes x {k} eigenvectors need a hidden width above {hidden}")
    inverse = torch.linalg.pinv(top.flatten(0, 1))  # (H, C k)
    drawn = as_pixels(model, inverse.T.reshape(n_classes, k, hidden))  # (C, k, I)
    centred = drawn - drawn.mean(dim=-1, keepdim=True)
    return centred / centred.std(dim=-1, correction=0, keepdim=True)  # (C, k, I)


def opposed(mask: Tensor, others: Tensor) -> Tensor:
    """The mask (I,) or its negative, whichever agrees with most of what other classes' images (n, I) show."""
    return mask if float((others @ mask).sum()) >= 0 else -mask  # (I,)


def similarity(one: Tensor, other: Tensor) -> Tensor:
    """|cosine| of matching vectors (..., I): (...); the sign of an eigenvector means nothing."""
    return nn.functional.cosine_similarity(one, other, dim=-1).abs()  # (...)


def counted_parameters(config: BilinearConfig) -> int:
    """Trained numbers in closed form."""
    hidden = config.hidden
    return hidden * (config.n_inputs + config.constant) + 2 * hidden * hidden + config.n_classes * hidden


def tabular_model(n_features: int, n_classes: int) -> nn.Module:
    """A bilinear network with a constant input: (B, F) float32 of about unit range to (B, C) logits."""
    return BilinearMLP(BilinearConfig(n_features, 32, n_classes, constant=True))
