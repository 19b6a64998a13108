"""Figures and reports of a run, drawn from its tables and models; nothing here simulates."""

from isfray.visual.activations import plot_activations
from isfray.visual.currents import plot_currents
from isfray.visual.dendrogram import plot_dendrogram
from isfray.visual.histogram import plot_psth
from isfray.visual.morphology import plot_morphology
from isfray.visual.raster import plot_raster
from isfray.visual.report import write_report
from isfray.visual.traces import plot_voltage

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
