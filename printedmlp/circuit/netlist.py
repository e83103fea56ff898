"""A mapped circuit as data: a list of cell instances in topological order.

Nets are integers. 0 and 1 are the constants, 2 to 1 + n_inputs are the input bits (``inp[0]`` first), and net
2 + n_inputs + k is driven by instance k, so an instance may read any net below its own.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from printedmlp.errors import ConfigError
from printedmlp.technology import Technology

CONSTANT_0 = 0
CONSTANT_1 = 1
FIRST_INPUT = 2


@dataclass(frozen=True)
class Instance:
    """One placed cell: ``inputs`` are nets in the cell's pin order."""

    cell: str
    inputs: tuple[int, ...]


@dataclass(frozen=True)
class Netlist:
    """Instances in topological order between input bits and output nets (``out[0]`` first).

    Raises ConfigError when an instance reads a net that is not driven before it, or an output names no net.
    """

    n_inputs: int
    instances: tuple[Instance, ...]
    outputs: tuple[int, ...]

    def __post_init__(self) -> None:
        for k, instance in enumerate(self.instances):
            for net in instance.inputs:
                if not 0 <= net < self.first_driven + k:
                    raise ConfigError(
                        f"instance {k} ({instance.cell}) reads net {net}, which is not driven before it"
                    )
        for bit, net in enumerate(self.outputs):
            if not 0 <= net < self.n_nets:
                raise ConfigError(f"output bit {bit} is net {net}, but there are {self.n_nets} nets")

    @property
    def first_driven(self) -> int:
        """The net driven by instance 0."""
        return FIRST_INPUT + self.n_inputs

    @property
    def n_nets(self) -> int:
        """Number of nets: two constants, the inputs and one net for each instance."""
        return self.first_driven + len(self.instances)

    def check(self, technology: Technology) -> None:
        """Raise ConfigError at the first instance whose cell is unknown or has another number of inputs."""
        for k, instance in enumerate(self.instances):
            expected = len(technology.cell(instance.cell).inputs)
            if len(instance.inputs) != expected:
                raise ConfigError(
                    f"instance {k}: {instance.cell} has {expected} inputs, not {len(instance.inputs)}"
                )

    def cell_counts(self) -> dict[str, int]:
        """Number of instances by cell name, in alphabetical order."""
        return dict(sorted(Counter(instance.cell for instance in self.instances).items()))

    def area_cm2(self, technology: Technology) -> float:
        """Sum of the cells' areas in cm2, without routing."""
        counts = self.cell_counts().items()
        return sum(count * technology.cell(name).area_mm2 for name, count in counts) / 100

    def driven(self) -> Iterator[tuple[int, Instance]]:
        """Every instance with the net it drives."""
        return enumerate(self.instances, start=self.first_driven)
