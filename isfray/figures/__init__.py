"""Figures and reports of a run, drawn from its tables and models; nothing here simulates."""

from isfray.figures.activations import plot_activations
from isfray.figures.currents import plot_currents
from isfray.figures.dendrogram import plot_dendrogram
from isfray.figures.histogram import plot_psth
from isfray.figures.morphology import plot_morphology
from isfray.figures.raster import plot_raster
from isfray.figures.report import write_report
from isfray.figures.traces import plot_voltage

__all__ = [
    "plot_activations",
    "plot_currents",
    "plot_dendrogram",
    "plot_morphology",
    "plot_psth",
    "plot_raster",
    "plot_voltage",
    "write_report",
]
