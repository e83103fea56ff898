"""The classifier, to the bit: masked power-of-two networks with quantised ReLU.

`DiscreteMLP` is the one definition of the arithmetic. It is slow and obvious on purpose; the population kernel, the
RTL, the netlist and the simulator are all checked against it. The form (bit masks, power-of-two weights, integer
biases, QReLU) is that of Afentaki, Hefenbrock, Zervakis, Tahoori, "Embedding Hardware Approximations in Discrete
Genetic-based Training for Printed MLPs", DATE 2024; several terms per input make the exact 8-bit bespoke network
(canonical signed digits) the same object.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from printedmlp.errors import ModelError

FORMAT = "printedmlp.DiscreteMLP"
VERSION = 1
MAX_WIDTH = 62
"""Sums must fit this many bits, so that int64 arithmetic never wraps."""
MAX_FEATURES = 1 << 16
ENUMERATION_LIMIT = 1 << 12

Interval = tuple[int, int]


@dataclass(frozen=True)
class Term:
    """One summand of a neuron: `sign * ((x[input] & mask) << shift)`."""

    input: int
    sign: int
    mask: int
    shift: int


@dataclass(frozen=True)
class Neuron:
    """A sum of terms plus `bias << bias_shift` (the shift is the layer's)."""

    terms: tuple[Term, ...]
    bias: int = 0


@dataclass(frozen=True)
class QReLU:
    """Hidden activation: 0 if S < 0, else min(S, 2^(msb+1) - 1) >> lsb. `msb - lsb + 1` bits wide."""

    lsb: int = 4
    msb: int = 11

    @property
    def width(self) -> int:
        """Bits of the activated value."""
        return self.msb - self.lsb + 1

    def __call__(self, sums: NDArray[np.int64]) -> NDArray[np.int64]:
        """Activate sums of any shape, int64 in and out."""
        clipped = np.clip(sums, 0, (1 << (self.msb + 1)) - 1)
        return np.asarray(clipped >> self.lsb, dtype=np.int64)


@dataclass(frozen=True)
class Scores:
    """Output activation: max(S, 0), or S itself when `signed`."""

    signed: bool = False

    def __call__(self, sums: NDArray[np.int64]) -> NDArray[np.int64]:
        """Activate sums of any shape, int64 in and out."""
        return sums if self.signed else np.maximum(sums, 0)


@dataclass(frozen=True)
class Layer:
    """Neurons that share their inputs, a bias shift and an activation."""

    neurons: tuple[Neuron, ...]
    bias_shift: int
    activation: QReLU | Scores


@dataclass(frozen=True)
class LayerIntervals:
    """Integer bounds, inclusive, of one layer: of every neuron's sum S and of its activated value."""

    sums: tuple[Interval, ...]
    outputs: tuple[Interval, ...]


@dataclass(frozen=True)
class DiscreteMLP:
    """A feed-forward classifier on unsigned integer inputs.

    Parameters
    ----------
    n_features : number of inputs, each unsigned with `input_bits` bits.
    input_bits : 1 to 16.
    layers : hidden layers with `QReLU`, then one output layer with `Scores`.

    Raises
    ------
    ModelError : naming layer, neuron, term and value that is out of range.
    """

    n_features: int
    input_bits: int
    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        _check_shape(self)
        widths = self.input_widths
        for number, (layer, width) in enumerate(zip(self.layers, widths, strict=True)):
            _check_layer(layer, number, self.topology[number], width)
        self.intervals()  # refuses sums that are too wide

    @property
    def n_classes(self) -> int:
        """Number of output neurons."""
        return len(self.layers[-1].neurons)

    @property
    def topology(self) -> tuple[int, ...]:
        """Layer sizes from the inputs to the classes, such as (16, 5, 10)."""
        return (self.n_features, *(len(layer.neurons) for layer in self.layers))

    @property
    def input_widths(self) -> tuple[int, ...]:
        """Bits of each layer's inputs: `input_bits`, then the widths of the hidden activations."""
        hidden = (layer.activation for layer in self.layers[:-1])
        return (self.input_bits, *(a.width for a in hidden if isinstance(a, QReLU)))

    def sums(self, X: ArrayLike) -> list[NDArray[np.int64]]:
        """Every neuron's sum S, layer by layer.

        Parameters
        ----------
        X : (n_samples, n_features) integers in 0 .. 2^input_bits - 1.

        Returns
        -------
        One (n_samples, n_neurons) int64 array per layer.

        Raises
        ------
        ModelError : for a wrong shape, non-integers or a value out of range (row and column named).
        """
        values = _checked_inputs(X, self.n_features, self.input_bits)
        result = []
        for layer in self.layers:
            sums = np.zeros((len(values), len(layer.neurons)), dtype=np.int64)
            for j, neuron in enumerate(layer.neurons):
                sums[:, j] = neuron.bias << layer.bias_shift
                for term in neuron.terms:
                    sums[:, j] += term.sign * ((values[:, term.input] & term.mask) << term.shift)
            result.append(sums)
            values = layer.activation(sums)
        return result

    def scores(self, X: ArrayLike) -> NDArray[np.int64]:
        """Output values y, (n_samples, n_classes) int64, for X as in `sums`."""
        return self.layers[-1].activation(self.sums(X)[-1])

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Class index of each row, (n_samples,) int64: the largest score, ties to the lower index."""
        return np.asarray(np.argmax(self.scores(X), axis=1), dtype=np.int64)

    def intervals(self) -> tuple[LayerIntervals, ...]:
        """Bounds of every sum and activated value over all inputs; they decide every width in hardware.

        Sound always, and attained for the first layer: each input's contribution is ranged over the values it can
        take, all terms on that input together. Later layers take their inputs as independent.
        """
        inputs: tuple[Interval, ...] = ((0, (1 << self.input_bits) - 1),) * self.n_features
        result = []
        for number, layer in enumerate(self.layers):
            sums = tuple(_sum_interval(neuron, layer.bias_shift, inputs) for neuron in layer.neurons)
            if any(max(-low, high) >= 1 << MAX_WIDTH for low, high in sums):
                raise ModelError(f"layer {number}: a sum needs more than {MAX_WIDTH} bits")
            activated = layer.activation(np.array(sums, dtype=np.int64))
            inputs = tuple((int(low), int(high)) for low, high in activated)
            result.append(LayerIntervals(sums, inputs))
        return tuple(result)

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dictionary; `from_json` is its inverse."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "n_features": self.n_features,
            "input_bits": self.input_bits,
            "layers": [_layer_to_json(layer) for layer in self.layers],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> DiscreteMLP:
        """Rebuild a classifier from `to_json`'s dictionary; raises ModelError for anything else."""
        if not isinstance(data, Mapping) or data.get("format") != FORMAT or data.get("version") != VERSION:
            raise ModelError(f"model JSON: 'format' must be {FORMAT!r}, version {VERSION}")
        layers = tuple(
            _layer_from_json(layer, f"layers[{number}]")
            for number, layer in enumerate(_items(data, "layers", "model JSON"))
        )
        where = "model JSON"
        return cls(_integer(data, "n_features", where), _integer(data, "input_bits", where), layers)

    def dumps(self) -> str:
        """The JSON text, one term a line, same bytes for the same classifier."""
        return json.dumps(self.to_json(), indent=1, sort_keys=True) + "\n"


def input_coefficients(neuron: Neuron, n_inputs: int, width: int) -> list[list[int]]:
    """Weight of every input bit in a neuron's sum: entry [i][j] multiplies bit j of input i.

    A masked shift-add is linear in the bits of its inputs, whatever the number of terms.
    """
    weights = [[0] * width for _ in range(n_inputs)]
    for term in neuron.terms:
        for bit in range(width):
            if term.mask >> bit & 1:
                weights[term.input][bit] += term.sign << (term.shift + bit)
    return weights


def _sum_interval(neuron: Neuron, bias_shift: int, inputs: Sequence[Interval]) -> Interval:
    width = max((high.bit_length() for _, high in inputs), default=0)
    low = high = neuron.bias << bias_shift
    for weights, bounds in zip(input_coefficients(neuron, len(inputs), width), inputs, strict=True):
        smallest, largest = _input_range(weights, bounds)
        low += smallest
        high += largest
    return low, high


def _input_range(weights: Sequence[int], bounds: Interval) -> Interval:
    low, high = bounds
    reachable = weights[: high.bit_length()]
    full = low == 0 and high == (1 << high.bit_length()) - 1
    if full or high - low >= ENUMERATION_LIMIT:
        return sum(w for w in reachable if w < 0), sum(w for w in reachable if w > 0)
    values = [sum(w for bit, w in enumerate(reachable) if x >> bit & 1) for x in range(low, high + 1)]
    return min(values), max(values)


def _checked_inputs(X: ArrayLike, n_features: int, input_bits: int) -> NDArray[np.int64]:
    values = np.asarray(X)
    if values.ndim != 2 or values.shape[1] != n_features:
        raise ModelError(f"inputs of shape {values.shape}, expected (n_samples, {n_features})")
    if values.dtype.kind not in "uib":
        raise ModelError(f"inputs must be integers, not {values.dtype}")
    bad = (values < 0) | (values >= 1 << input_bits)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise ModelError(
            f"input row {row}, column {column}: {values[row, column]} is not in 0..{2**input_bits - 1}"
        )
    return values.astype(np.int64)


def _check_shape(model: DiscreteMLP) -> None:
    if not 1 <= model.n_features <= MAX_FEATURES:
        raise ModelError(f"n_features must be in 1..{MAX_FEATURES}, not {model.n_features}")
    if not 1 <= model.input_bits <= 16:
        raise ModelError(f"input_bits must be in 1..16, not {model.input_bits}")
    if not model.layers:
        raise ModelError("a classifier needs at least an output layer")
    for number, layer in enumerate(model.layers):
        wanted = Scores if number == len(model.layers) - 1 else QReLU
        if not isinstance(layer.activation, wanted):
            raise ModelError(f"layer {number}: activation must be {wanted.__name__}")
        if not layer.neurons:
            raise ModelError(f"layer {number}: has no neurons")


def _check_layer(layer: Layer, number: int, n_inputs: int, width: int) -> None:
    where = f"layer {number}"
    if not 0 <= layer.bias_shift <= 31:
        raise ModelError(f"{where}: bias_shift must be in 0..31, not {layer.bias_shift}")
    activation = layer.activation
    if isinstance(activation, QReLU) and not 0 <= activation.lsb <= activation.msb < MAX_WIDTH:
        raise ModelError(
            f"{where}: QReLU needs 0 <= lsb <= msb < {MAX_WIDTH}, not ({activation.lsb}, {activation.msb})"
        )
    for index, neuron in enumerate(layer.neurons):
        if abs(neuron.bias) >= 1 << 31:
            raise ModelError(f"{where}, neuron {index}: bias {neuron.bias} needs more than 32 bits")
        for term in neuron.terms:
            _check_term(term, f"{where}, neuron {index}", n_inputs, width)


def _check_term(term: Term, where: str, n_inputs: int, width: int) -> None:
    if not 0 <= term.input < n_inputs:
        raise ModelError(f"{where}: term on input {term.input}, which is not in 0..{n_inputs - 1}")
    if term.sign not in (-1, 1):
        raise ModelError(f"{where}, input {term.input}: sign must be -1 or 1, not {term.sign}")
    if not 0 <= term.mask < 1 << width:
        raise ModelError(f"{where}, input {term.input}: mask {term.mask} does not fit {width} bits")
    if not 0 <= term.shift <= 31:
        raise ModelError(f"{where}, input {term.input}: shift must be in 0..31, not {term.shift}")


def _layer_to_json(layer: Layer) -> dict[str, Any]:
    a = layer.activation
    activation: dict[str, Any] = (
        {"kind": "qrelu", "lsb": a.lsb, "msb": a.msb}
        if isinstance(a, QReLU)
        else {"kind": "scores", "signed": a.signed}
    )
    neurons = [
        {"bias": n.bias, "terms": [[t.input, t.sign, t.mask, t.shift] for t in n.terms]} for n in layer.neurons
    ]
    return {"activation": activation, "bias_shift": layer.bias_shift, "neurons": neurons}


def _layer_from_json(data: Any, where: str) -> Layer:
    neurons = tuple(
        _neuron_from_json(neuron, f"{where}.neurons[{index}]")
        for index, neuron in enumerate(_items(data, "neurons", where))
    )
    return Layer(neurons, _integer(data, "bias_shift", where), _activation_from_json(data, where))


def _activation_from_json(data: Mapping[str, Any], where: str) -> QReLU | Scores:
    activation = data.get("activation")
    where = f"{where}.activation"
    if not isinstance(activation, Mapping):
        raise ModelError(f"{where} must be an object, not {activation!r}")
    if activation.get("kind") == "qrelu":
        return QReLU(_integer(activation, "lsb", where), _integer(activation, "msb", where))
    if activation.get("kind") == "scores" and isinstance(activation.get("signed"), bool):
        return Scores(activation["signed"])
    raise ModelError(f"{where}.kind must be 'qrelu' or 'scores' with a boolean 'signed'")


def _neuron_from_json(data: Any, where: str) -> Neuron:
    terms = []
    for index, term in enumerate(_items(data, "terms", where)):
        if not (isinstance(term, Sequence) and len(term) == 4 and all(type(v) is int for v in term)):
            raise ModelError(
                f"{where}.terms[{index}] must be [input, sign, mask, shift] in integers, not {term!r:.60}"
            )
        terms.append(Term(*term))
    return Neuron(tuple(terms), _integer(data, "bias", where))


def _items(data: Any, key: str, where: str) -> list[Any]:
    items = data.get(key) if isinstance(data, Mapping) else None
    if not isinstance(items, list):
        raise ModelError(f"{where}: '{key}' must be a list")
    return items


def _integer(data: Mapping[str, Any], key: str, where: str) -> int:
    value = data.get(key)
    if type(value) is not int:
        raise ModelError(f"{where}: '{key}' must be an integer, not {value!r:.60}")
    return value
