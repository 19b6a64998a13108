"""Draw the picture of the README from 2 x 100 trials of the built-in example: python docs/picture.py FOLDER."""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

import isfray
from isfray import edits

TRIALS = 100
LOOK = {"font.size": 8.0, "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.6}
DOCS = Path(__file__).resolve().parent


def main(folder: str) -> None:
    """Simulate into FOLDER/results what is not there yet, and draw."""
    cell, network = isfray.example()
    catalog = isfray.Catalog(Path(folder) / "results")
    networks = {"touch": network, "without VPM": edits.silence_populations(network, "VPM")}
    for name, of in networks.items():
        run = name.replace(" ", "_")
        isfray.simulate(cell, of, catalog, run=run, trials=TRIALS, seed=7, t_stop=300.0)
    with mpl.rc_context(LOOK):
        draw(catalog)


def draw(catalog: isfray.Catalog) -> None:
    """The cell with its active synapses, its voltage, and its response with and without the thalamus."""
    figure = Figure(figsize=(7.6, 3.9), layout="constrained", facecolor="white")
    panels = figure.subplot_mosaic([["cell", "voltage"], ["cell", "psth"]], width_ratios=[1.0, 1.9])
    isfray.plot_morphology(catalog, "touch", trial=0, ax=panels["cell"])
    isfray.plot_voltage(catalog, "touch", kind="lines", t_min=150.0, settling=None, ax=panels["voltage"])
    isfray.plot_psth(catalog, ["touch", "without_VPM"], t_min=150.0, settling=None, ax=panels["psth"])
    panels["voltage"].set_xlabel("")
    figure.savefig(DOCS / "overview.png", dpi=170)


if __name__ == "__main__":
    main(sys.argv[1])
