"""Mapping of Verilog to the cells of a technology: several recipes, and the smallest proved netlist is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hdl.blif import parse_mapped_blif
from hdl.cells import genlib_text
from hdl.equivalence import counterexample, equivalent
from hdl.frontend import Aig, compile_verilog
from hdl.recipes import Recipe, recipes_for
from hdl.structural import is_mapped, netlist_verilog, read_netlist
from hdl.tools import run_abc
from printedmlp.circuit import Netlist
from printedmlp.errors import ToolError, VerificationError
from printedmlp.technology import Technology

__all__ = ["MappedCircuit", "equivalent", "is_mapped", "map_verilog", "netlist_verilog", "read_netlist"]


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
    (work_dir / "cells.genlib").write_text(genlib_text(technology), encoding="utf-8")
    log = [f"{top}: {aig.n_inputs} input bits, {aig.n_outputs} output bits, {aig.n_ands} and-gates"]
    results, areas = _run_recipes(recipes_for(effort, aig.n_ands), aig, technology, work_dir)
    log += [f"{name}: {areas[name]:.6f} cm2, {len(netlist.instances)} cells" for name, netlist in results.items()]
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
) -> tuple[dict[str, Netlist], dict[str, float]]:
    results: dict[str, Netlist] = {}
    areas: dict[str, float] = {}
    previous = ""
    for recipe in recipes:
        begin = {"source": "", "previous": previous, "smallest": _smallest(areas) if areas else ""}[recipe.start]
        results[recipe.name] = _run_recipe(recipe, begin, aig, technology, work_dir)
        areas[recipe.name] = results[recipe.name].area_cm2(technology)
        previous = recipe.name
    return results, areas


def _run_recipe(recipe: Recipe, begin: str, aig: Aig, technology: Technology, work_dir: Path) -> Netlist:
    """Run one recipe on the graph, or on the netlist that the recipe ``begin`` left."""
    mapped = work_dir / f"{recipe.name}.blif"
    read = f"read_blif {begin}.blif" if begin else f"read_aiger {aig.path.name}"
    commands = ["read_library cells.genlib", read, *recipe.script.split("; "), f"write_blif {mapped.name}"]
    run_abc(commands, work_dir, name=recipe.name)
    netlist = parse_mapped_blif(mapped.read_text(encoding="utf-8"), technology)
    if (netlist.n_inputs, len(netlist.outputs)) != (aig.n_inputs, aig.n_outputs):
        raise ToolError(
            f"recipe '{recipe.name}' lost ports: {netlist.n_inputs} inputs, {len(netlist.outputs)} outputs"
        )
    return netlist


def _prove(aig: Aig, netlist: Netlist, technology: Technology, work_dir: Path, recipe: str) -> None:
    difference = counterexample(aig, netlist, technology, work_dir)
    if difference is not None:
        word = sum(bit << i for i, bit in enumerate(difference))
        raise VerificationError(f"recipe '{recipe}' changed the function: inp = {len(difference)}'h{word:x}")
