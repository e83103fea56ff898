"""Mapping of Verilog to the cells of a technology: several recipes, and the smallest proved netlist is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hdl.blif import mapped_blif, parse_mapped_blif
from hdl.cells import genlib_text
from hdl.composites import composites
from hdl.equivalence import counterexample, equivalent
from hdl.frontend import Aig, compile_verilog
from hdl.recipes import Recipe, recipes_for
from hdl.structural import netlist_if_mapped, netlist_verilog, read_netlist
from hdl.tools import run_abc
from printedmlp.circuit import Netlist, share_gates
from printedmlp.errors import ToolBrokenOffError, ToolError, ToolMissingError, VerificationError
from printedmlp.technology import Technology

__all__ = ["MappedCircuit", "equivalent", "map_verilog", "netlist_if_mapped", "netlist_verilog", "read_netlist"]


@dataclass(frozen=True)
class MappedCircuit:
    """The smallest netlist found, the recipe it comes from, and every recipe's area in cm2.

    ``log`` has one line for each step: what was compiled, each recipe's result, and the proof.
    """

    netlist: Netlist
    recipe: str
    area_by_recipe: dict[str, float]
    log: tuple[str, ...]


def map_verilog(
    verilog: str,
    technology: Technology,
    *,
    effort: str = "standard",
    top: str = "top",
    work_dir: Path,
    prove: bool = True,
) -> MappedCircuit:
    """Map the combinational module ``top`` (ports ``inp`` and ``out``) to cells and keep the smallest result.

    ``work_dir`` is created and receives scripts, logs and intermediate files. With ``prove`` the kept netlist is
    proved equal to the Verilog. Raises ToolError for unusable Verilog or a failing tool, VerificationError when a
    netlist is not the Verilog's function.
    """
    work_dir.mkdir(parents=True, exist_ok=True)
    aig = compile_verilog(verilog, work_dir, top=top)
    log = [f"{top}: {aig.n_inputs} input bits, {aig.n_outputs} output bits, {aig.n_ands} and-gates"]
    results, notes = _run_recipes(recipes_for(effort, aig.n_ands), aig, technology, work_dir)
    log += notes
    areas = {name: netlist.area_cm2(technology) for name, netlist in results.items()}
    best = _smallest(areas)
    if prove:
        _prove(aig, results[best], technology, work_dir, best)
        log.append(f"{best}: proved equal to the Verilog")
    return MappedCircuit(results[best], best, areas, tuple(log))


def _smallest(areas: Mapping[str, float]) -> str:
    """The recipe with the smallest area, the first one of equals."""
    return min(areas, key=lambda name: areas[name])


def _run_recipes(
    recipes: Sequence[Recipe], aig: Aig, technology: Technology, work_dir: Path
) -> tuple[dict[str, Netlist], list[str]]:
    """Every recipe's netlist, and a line about each; one that fails is left out, and ToolError if all do."""
    results: dict[str, Netlist] = {}
    areas: dict[str, float] = {}
    notes: list[str] = []
    for recipe in recipes:
        begin = _begin(recipe, list(results), areas)
        try:
            netlist = _run_recipe(recipe, begin, aig, technology, work_dir)
        except (ToolBrokenOffError, ToolMissingError):
            # Another try may succeed, and what it gave would then depend on the machine's state.
            raise
        except ToolError as error:
            notes.append(f"{recipe.name}: failed ({error})")
            continue
        results[recipe.name], areas[recipe.name] = netlist, netlist.area_cm2(technology)
        notes.append(f"{recipe.name}: {areas[recipe.name]:.6f} cm2, {len(netlist.instances)} cells")
    if not results:
        raise ToolError(f"no recipe gave a netlist; {_lack(technology) or notes[0]}")
    return results, notes


def _lack(technology: Technology) -> str:
    """What the cells lack that mapping cannot do without; empty where nothing is known to be missing."""
    inverter = technology.cells_with_function(1, 0b01)
    if inverter and any(technology.cells_with_function(2, table) for table in (0b0111, 0b0001, 0b1000, 0b1110)):
        return ""
    return f"technology '{technology.name}' needs an inverter and a two-input NAND, NOR, AND or OR among its cells"


def _begin(recipe: Recipe, done: Sequence[str], areas: Mapping[str, float]) -> str:
    """The recipe whose netlist this one starts from, empty for the source."""
    if recipe.start == "source" or not done:
        return ""
    return done[-1] if recipe.start == "previous" else _smallest(areas)


def _run_recipe(recipe: Recipe, begin: str, aig: Aig, technology: Technology, work_dir: Path) -> Netlist:
    """Run one recipe on the graph, or on the netlist that the recipe ``begin`` left in ``<begin>.blif``."""
    offered = composites(technology) if recipe.composites else {}
    library = "composites.genlib" if offered else "cells.genlib"
    genlib = genlib_text(technology, (composite.cell for composite in offered.values()))
    (work_dir / library).write_text(genlib, encoding="utf-8")
    read = f"read_blif {begin}.blif" if begin else f"read_aiger {aig.path.name}"
    raw = work_dir / f"{recipe.name}.raw.blif"
    commands = [f"read_library {library}", read, *recipe.script.split("; "), f"write_blif {raw.name}"]
    run_abc(commands, work_dir, name=recipe.name)
    netlist = share_gates(parse_mapped_blif(raw.read_text(encoding="utf-8"), technology, offered), technology)
    if (netlist.n_inputs, len(netlist.outputs)) != (aig.n_inputs, aig.n_outputs):
        raise ToolError(
            f"recipe '{recipe.name}' lost ports: {netlist.n_inputs} inputs, {len(netlist.outputs)} outputs"
        )
    (work_dir / f"{recipe.name}.blif").write_text(mapped_blif(netlist, technology), encoding="utf-8")
    return netlist


def _prove(aig: Aig, netlist: Netlist, technology: Technology, work_dir: Path, recipe: str) -> None:
    difference = counterexample(aig, netlist, technology, work_dir)
    if difference is not None:
        word = sum(bit << i for i, bit in enumerate(difference))
        raise VerificationError(f"recipe '{recipe}' changed the function: inp = {len(difference)}'h{word:x}")
