"""The count of proved textbook forms: what is open is told, by seed, and a damaged proof is open."""

from benchmarks import textbook_sums
from benchmarks.textbook_sums import open_piece, row, summary
from printedmlp.model import DiscreteMLP, Layer, Neuron, QReLU, Scores, Term


def network():
    hidden = Layer((Neuron((Term(0, 1, 15, 1), Term(1, -1, 15, 0)), 3),), 0, QReLU(0, 3))
    output = Layer((Neuron((Term(0, 1, 15, 0),)), Neuron((Term(0, -1, 15, 0),), 9)), 0, Scores())
    return DiscreteMLP(2, 4, (hidden, output))


def test_a_small_network_is_proved():
    assert open_piece(network(), 60) is None


def test_an_arrangement_of_another_network_stays_open(monkeypatch):
    other = Layer((Neuron((Term(0, 1, 15, 1), Term(1, -1, 15, 0)), 4),), 0, QReLU(0, 3))
    wrong = DiscreteMLP(2, 4, (other, network().layers[1]))
    right = textbook_sums.textbook_reference
    monkeypatch.setattr(textbook_sums, "textbook_reference", lambda model, *a, **k: right(wrong, *a, **k))
    assert open_piece(network(), 60) == "sum of layer 0, neuron 0"


def test_the_count_names_what_is_open():
    results: dict[str, list[str | None]] = {"iris": [None, None], "balance": [None, "sum of layer 0, neuron 2"]}
    assert row("balance", results["balance"]) == ["balance", "2", "1", "seed 1: sum of layer 0, neuron 2"]
    assert summary(results).endswith("3 of 4 exact networks: every piece of the textbook form is proved")
