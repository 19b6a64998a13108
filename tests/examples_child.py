"""Runs the examples of all public docstrings in the folder it is started in; prints what went wrong, by name.

NEURON and Ray run here, and not in the process of the tests.
"""

from __future__ import annotations

import doctest
import io
import json

import numpy as np
import polars as pl
import ray

import isfray
from isfray import analysis, edits
from tests.public import functions

OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def main() -> None:
    """Make what examples begin with (docs/api/index.md), and run them."""
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    cell, network = isfray.example()
    catalog = isfray.Catalog("results")
    run = isfray.simulate(cell, network, catalog, run="stim_C2", trials=8, seed=7, t_stop=300.0, progress=False)
    silent = edits.silence_populations(network, "VPM")
    variants = {"control": {}, "no_VPM": {"network": silent}, "longer": {"t_stop": 60.0}}  # those of `simulate`
    sweep = isfray.simulate(cell, network, "sweeps", run="touch", trials=2, t_stop=40.0, variants=variants)
    begin = {
        "isfray": isfray,
        "analysis": analysis,
        "edits": edits,
        "np": np,
        "pl": pl,
        "cell": cell,
        "network": network,
        "catalog": catalog,
        "run": run,
        "sweep": sweep,
    }
    told = {}
    for name, thing in functions().items():
        said = io.StringIO()
        runner = doctest.DocTestRunner(optionflags=OPTIONS, verbose=False)
        example = doctest.DocTestParser().get_doctest(thing.__doc__ or "", dict(begin), name, None, None)
        runner.run(example, out=said.write)
        skipped = [e.source for e in example.examples if doctest.SKIP in e.options]
        told[name] = {"ran": len(example.examples) - len(skipped), "wrong": said.getvalue() + "".join(skipped)}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
