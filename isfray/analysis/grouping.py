"""Ways to group synapses and presynaptic cells: by type, place, or the receptors they act on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import polars as pl

from isfray.analysis.binning import RULES
from isfray.analysis.run_tables import RunTables
from isfray.check import number, one_of, words
from isfray.errors import InputError
from isfray.model.network import NetworkModel

Sign: TypeAlias = Literal["excitatory", "inhibitory"]
Signs: TypeAlias = NetworkModel | Mapping[str, str]

SYNAPSE_PLACES = ("section_id", "section_pt_id", "synapse_id", "dendrite_label", "proximity", "distance")
GROUPS = ("synapse_type", "celltype", "column", "sign", "cell_id", *SYNAPSE_PLACES)


def signs(network: Signs) -> dict[str, str]:
    """Return whether each population excites or inhibits, by the reversal potential of its receptors.

    Parameters
    ----------
    network : NetworkModel or mapping
        A mapping of population to "excitatory" or "inhibitory" is taken as it is.

    Returns
    -------
    mapping of str to str
        "excitatory" or "inhibitory", by population.

    Examples
    --------
    >>> sign = analysis.signs(network)
    >>> sign["VPM_C2"], sign["L1_C2"]
    ('excitatory', 'inhibitory')
    """
    if isinstance(network, Mapping):
        return dict(network)
    if not isinstance(network, NetworkModel):
        raise InputError("gives no signs", key="network", value=network, expected="a network model, or a mapping")
    return {p.name: "inhibitory" if p.is_inhibitory else "excitatory" for p in network.populations}


def group_columns(
    tables: RunTables,
    by: Sequence[str],
    *,
    table: str = "synapse_activation",
    network: Signs | None = None,
    proximal: float = 500.0,
    distance_bin: float = 50.0,
    rule: str = "isfray",
) -> dict[str, pl.Expr]:
    """Return an expression for each name in `by`.

    Parameters
    ----------
    tables : RunTables
    by : list of str
        Columns of the table, and: "sign" (excitatory or inhibitory), "proximity" (proximal or distal), "distance"
        (where the soma distance's bin begins, um).
    table : str
        `synapse_activation` or `cell_activation`; presynaptic cells have no place on the dendrite.
    network : NetworkModel or mapping, optional
        Gives the signs; by default the network of the run.
    proximal : float
        Soma distance (um) below which a synapse is proximal (docs/formats.md, Bins of ISF).
    distance_bin : float
        um.
    rule : str
        "isf" counts celltype L1 as excitatory, as ISF's list does (docs/formats.md, Bins of ISF), though its synapses
        are GABAergic.
    """
    proximal, distance_bin = number("proximal", proximal), number("distance_bin", distance_bin, above=0.0)
    one_of("rule", rule, RULES, "is no rule")
    one_of("table", table, ("synapse_activation", "cell_activation"), "is no table of events")
    known = [g for g in GROUPS if g not in (SYNAPSE_PLACES if table == "cell_activation" else ("cell_id",))]
    out: dict[str, pl.Expr] = {}
    for name in words("by", by, '["celltype"]'):
        if name not in known:
            raise InputError(f"is no grouping of {table}", key="by", value=name, expected="one of " + ", ".join(known))
        if name == "sign":
            out[name] = _sign_of(tables, table, network, rule)
        elif name == "proximity":
            near = pl.col("soma_distance") < proximal
            out[name] = pl.when(near).then(pl.lit("proximal")).otherwise(pl.lit("distal"))
        elif name == "distance":
            out[name] = (pl.col("soma_distance") / distance_bin).floor() * distance_bin
        elif name in ("synapse_type", "celltype", "column", "dendrite_label"):
            out[name] = pl.col(name).cast(pl.String)
        else:
            out[name] = pl.col(name)
    return out


def _sign_of(tables: RunTables, table: str, network: Signs | None, rule: str) -> pl.Expr:
    given = tables.network if network is None else network
    if given is None:
        expected = "a network model, or a mapping of population to 'excitatory' or 'inhibitory'"
        raise InputError("is missing", key="network", expected=expected)
    of = signs(given)
    if network is not None:
        _check_signs(of, tables, table)
    name = pl.col("synapse_type").cast(pl.String)
    # a mapping of values (`replace_strict`) would collect the whole table; comparisons stream
    sign = pl.lit(None, pl.String)
    for value in sorted(set(of.values())):
        sign = pl.when(name.is_in(sorted(p for p in of if of[p] == value))).then(pl.lit(value)).otherwise(sign)
    if rule == "isf":
        sign = pl.when(pl.col("celltype").cast(pl.String) == "L1").then(pl.lit("excitatory")).otherwise(sign)
    return sign


def _check_signs(of: Mapping[str, str], tables: RunTables, table: str) -> None:
    """Refuse a mapping without some of the populations that the run has."""
    names = pl.col("synapse_type").cast(pl.String).unique()
    there = tables.scan(table).select(names).collect(engine="streaming")["synapse_type"]
    if missing := sorted(set(there) - of.keys()):
        raise InputError("has no sign of a population", key="network", value=missing[0], expected="a sign for each")
