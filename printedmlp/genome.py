"""A classifier as a flat vector of integers, so that genetic operators and kernels work on plain arrays.

One chromosome holds, neuron after neuron and layer after layer, the discrete parameters of Afentaki, Hefenbrock,
Zervakis, Tahoori, "Embedding Hardware Approximations in Discrete Genetic-based Training for Printed MLPs",
DATE 2024:

    sign, mask, exponent   of input 0
    sign, mask, exponent   of input 1
    ...
    bias

A sign is -1 or +1; a mask of 0 removes the connection, whatever its sign and exponent say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from printedmlp.errors import ConfigError, ModelError
from printedmlp.model import MAX_WIDTH, DiscreteMLP, Layer, Neuron, QReLU, Scores, Term

SIGN, MASK, EXPONENT, BIAS = range(4)
"""Gene kinds, as in `GenomeLayout.kinds`."""
GENES_PER_INPUT = 3
MAX_GENE_BITS = 31

Genes = NDArray[np.int32]


def as_genes(values: ArrayLike) -> Genes:
    """Integers of any width, in an array of any shape, as contiguous int32.

    Raises
    ------
    ModelError : for anything but integers, and for one that needs more than 32 bits.
    """
    given = np.asarray(values)
    if given.dtype != np.int32 and given.size:
        if given.dtype.kind not in "iu":
            raise ModelError(f"genes must be integers, not {given.dtype}")
        limits = np.iinfo(np.int32)
        outside = (given < limits.min) | (given > limits.max)
        if outside.any():
            raise ModelError(f"gene {given[outside][0]} needs more than 32 bits")
    return np.ascontiguousarray(given, dtype=np.int32)


@dataclass(frozen=True)
class GenomeLayout:
    """Which gene means what, and what it may be; the same for every individual of a search.

    Parameters
    ----------
    topology : layer sizes from the inputs to the classes, such as (16, 5, 10).
    input_bits : bits of each input, 1 to 16.
    activations : one `QReLU` per hidden layer; it decides the mask width of the next layer.
    max_exponent : largest exponent of a power-of-two weight, 0 to 31.
    bias_range : smallest and largest bias gene.
    bias_shifts : left shift of the bias, one per layer of neurons.
    signed_scores : whether the output keeps negative scores (see `Scores`).

    Raises
    ------
    ConfigError : naming the field and the value out of range.
    """

    topology: tuple[int, ...]
    input_bits: int
    activations: tuple[QReLU, ...]
    max_exponent: int
    bias_range: tuple[int, int]
    bias_shifts: tuple[int, ...]
    signed_scores: bool = False

    @classmethod
    def uniform(
        cls,
        topology: Sequence[int],
        *,
        input_bits: int = 4,
        lsb: int = 4,
        msb: int = 11,
        max_exponent: int = 7,
        bias_bits: int = 8,
    ) -> GenomeLayout:
        """The layout with the same QReLU in every hidden layer and a bias as fine as the activation can tell.

        Hidden biases are shifted by `lsb`: anything finer is truncated away. Output biases are shifted by the
        width of a hidden value, which makes the largest one as heavy as half a full-scale connection.
        """
        hidden = QReLU(lsb, msb)
        shifts = (lsb,) * (len(topology) - 2) + (hidden.width if len(topology) > 2 else input_bits,)
        half = 1 << (bias_bits - 1)
        activations = (hidden,) * (len(topology) - 2)
        return cls(tuple(topology), input_bits, activations, max_exponent, (-half, half - 1), shifts)

    def __post_init__(self) -> None:
        _check_sizes(self)
        _check_ranges(self)
        if self.largest_sum >= 1 << MAX_WIDTH:
            raise ConfigError(f"layout: a sum may need more than {MAX_WIDTH} bits; lower max_exponent or widths")

    @property
    def input_widths(self) -> tuple[int, ...]:
        """Bits of each layer's inputs, which are the bits of its masks."""
        return (self.input_bits, *(activation.width for activation in self.activations))

    @cached_property
    def largest_sum(self) -> int:
        """A bound on |S| of every neuron of every individual."""
        bias = max(abs(value) for value in self.bias_range)
        bounds = [
            n_inputs * (((1 << width) - 1) << self.max_exponent) + (bias << shift)
            for n_inputs, width, shift in zip(self.topology, self.input_widths, self.bias_shifts, strict=False)
        ]
        return max(bounds)

    @cached_property
    def size(self) -> int:
        """Number of genes G."""
        return sum((GENES_PER_INPUT * a + 1) * b for a, b in zip(self.topology, self.topology[1:], strict=False))

    @cached_property
    def kinds(self) -> NDArray[np.int8]:
        """Kind of every gene, (G,): SIGN, MASK, EXPONENT or BIAS."""
        return self._per_gene(lambda layer: (SIGN, MASK, EXPONENT), lambda layer: BIAS).astype(np.int8)

    @cached_property
    def lower(self) -> Genes:
        """Smallest value of every gene, (G,)."""
        return self._per_gene(lambda layer: (-1, 0, 0), lambda layer: self.bias_range[0])

    @cached_property
    def upper(self) -> Genes:
        """Largest value of every gene, (G,)."""
        widths = self.input_widths
        return self._per_gene(
            lambda layer: (1, (1 << widths[layer]) - 1, self.max_exponent), lambda layer: self.bias_range[1]
        )

    @cached_property
    def neurons(self) -> NDArray[np.int32]:
        """Number of the neuron every gene belongs to, (G,), counted over all layers from 0."""
        blocks = [np.full(stop - start, n) for n, (_, start, stop) in enumerate(self.blocks())]
        return np.concatenate(blocks).astype(np.int32)

    def blocks(self) -> Iterator[tuple[int, int, int]]:
        """(layer, start, stop) of every neuron's genes, in order."""
        start = 0
        for layer, (n_inputs, n_neurons) in enumerate(zip(self.topology, self.topology[1:], strict=False)):
            for _ in range(n_neurons):
                stop = start + GENES_PER_INPUT * n_inputs + 1
                yield layer, start, stop
                start = stop

    def random(self, size: int, rng: np.random.Generator) -> Genes:
        """Individuals with every gene uniform in its range and signs -1 or +1, (size, G)."""
        genes = rng.integers(self.lower, self.upper, size=(size, self.size), endpoint=True, dtype=np.int32)
        signs = self.kinds == SIGN
        genes[:, signs] = rng.integers(0, 2, size=(size, int(signs.sum())), dtype=np.int32) * 2 - 1
        return genes

    def canonical(self, genes: Genes) -> Genes:
        """A copy, (..., G), in which removed connections read sign +1, mask 0, exponent 0.

        Two individuals are the same classifier, connection by connection, when their canonical genes are equal.
        """
        genes = genes.copy()
        mask_at = np.flatnonzero(self.kinds == MASK)
        removed = genes[..., mask_at] == 0
        genes[..., mask_at - 1] = np.where(removed, 1, genes[..., mask_at - 1])
        genes[..., mask_at + 1] = np.where(removed, 0, genes[..., mask_at + 1])
        return genes

    def check(self, genes: Genes) -> None:
        """Raise ModelError, naming individual and gene, unless `genes` (P, G) are all in range."""
        if genes.ndim != 2 or genes.shape[1] != self.size:
            raise ModelError(f"genes of shape {genes.shape}, expected (individuals, {self.size})")
        bad = (genes < self.lower) | (genes > self.upper) | ((self.kinds == SIGN) & (genes == 0))
        if bad.any():
            row, gene = np.argwhere(bad)[0]
            raise ModelError(f"individual {row}, gene {gene}: value {genes[row, gene]} is out of range")

    def decode(self, genes: Genes) -> DiscreteMLP:
        """The classifier that one chromosome, (G,), stands for; removed connections have no term."""
        layers: list[list[Neuron]] = [[] for _ in self.bias_shifts]
        for layer, start, stop in self.blocks():
            layers[layer].append(_decode_neuron(genes[start:stop].tolist()))
        activations: tuple[QReLU | Scores, ...] = (*self.activations, Scores(self.signed_scores))
        return DiscreteMLP(
            self.topology[0],
            self.input_bits,
            tuple(
                Layer(tuple(neurons), shift, activation)
                for neurons, shift, activation in zip(layers, self.bias_shifts, activations, strict=True)
            ),
        )

    def encode(self, model: DiscreteMLP) -> Genes:
        """Canonical genes, (G,), of a classifier with at most one term per connection; inverse of `decode`.

        Raises
        ------
        ModelError : where the classifier does not fit this layout.
        """
        _check_same_form(self, model)
        genes = np.zeros(self.size, dtype=np.int32)
        neurons = [neuron for layer in model.layers for neuron in layer.neurons]
        for number, (neuron, (layer, start, stop)) in enumerate(zip(neurons, self.blocks(), strict=True)):
            bias = _rescaled_bias(neuron.bias, model.layers[layer].bias_shift, self.bias_shifts[layer], number)
            genes[start:stop] = _encode_neuron(neuron, bias, self.topology[layer], number)
        self.check(genes[None, :])
        return genes

    def _per_gene(self, of_connection, of_bias) -> Genes:  # type: ignore[no-untyped-def]
        values: list[int] = []
        for layer, start, stop in self.blocks():
            n_inputs = (stop - start) // GENES_PER_INPUT
            values += [*of_connection(layer)] * n_inputs
            values.append(of_bias(layer))
        return np.array(values, dtype=np.int32)


def _decode_neuron(values: list[int]) -> Neuron:
    connections = zip(values[:-1:3], values[1:-1:3], values[2:-1:3], strict=True)
    terms = (Term(i, sign, mask, shift) for i, (sign, mask, shift) in enumerate(connections) if mask)
    return Neuron(tuple(terms), values[-1])


def _encode_neuron(neuron: Neuron, bias: int, n_inputs: int, number: int) -> list[int]:
    connections = [(1, 0, 0)] * n_inputs
    for term in neuron.terms:
        if connections[term.input][1]:
            raise ModelError(f"neuron {number}, input {term.input}: a chromosome holds one term per connection")
        if term.mask:
            connections[term.input] = (term.sign, term.mask, term.shift)
    return [value for connection in connections for value in connection] + [bias]


def _rescaled_bias(bias: int, shift: int, wanted: int, number: int) -> int:
    value = bias << shift
    if value % (1 << wanted):
        raise ModelError(f"neuron {number}: bias {value} is no multiple of 2^{wanted}")
    return value >> wanted


def _check_same_form(layout: GenomeLayout, model: DiscreteMLP) -> None:
    wanted = (layout.topology, layout.input_bits, (*layout.activations, Scores(layout.signed_scores)))
    found = (model.topology, model.input_bits, tuple(layer.activation for layer in model.layers))
    for name, a, b in zip(("topology", "input bits", "activations"), wanted, found, strict=True):
        if a != b:
            raise ModelError(f"classifier has {name} {b}, the layout {a}")


def _check_sizes(layout: GenomeLayout) -> None:
    if len(layout.topology) < 2 or min(layout.topology) < 1:
        raise ConfigError(f"topology: needs at least inputs and classes, each 1 or more, not {layout.topology}")
    n_layers = len(layout.topology) - 1
    if len(layout.activations) != n_layers - 1:
        raise ConfigError(f"activations: {n_layers - 1} hidden layers, but {len(layout.activations)} given")
    if len(layout.bias_shifts) != n_layers:
        raise ConfigError(f"bias_shifts: {n_layers} layers, but {len(layout.bias_shifts)} given")


def _check_ranges(layout: GenomeLayout) -> None:
    if not 1 <= layout.input_bits <= 16:
        raise ConfigError(f"input_bits must be in 1..16, not {layout.input_bits}")
    for activation in layout.activations:
        if not (0 <= activation.lsb <= activation.msb < MAX_WIDTH and activation.width <= MAX_GENE_BITS):
            raise ConfigError(
                f"activations: 0 <= lsb <= msb < {MAX_WIDTH} and at most {MAX_GENE_BITS} bits, not {activation}"
            )
    if not 0 <= layout.max_exponent <= 31:
        raise ConfigError(f"max_exponent must be in 0..31, not {layout.max_exponent}")
    low, high = layout.bias_range
    if not -(1 << 31) < low <= high < 1 << 31:
        raise ConfigError(f"bias_range must be a pair of 32-bit numbers in order, not {layout.bias_range}")
    if any(not 0 <= shift <= 31 for shift in layout.bias_shifts):
        raise ConfigError(f"bias_shifts must be in 0..31, not {layout.bias_shifts}")
