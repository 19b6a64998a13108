"""From a catalog to an answer: spikes, histograms, responses, inputs and voltages of a run.

Every function takes a catalog and the name of a run, or tables by name, and returns a LazyFrame where it can. Trials
without spikes count in every denominator.
"""

from isfray.analysis.activation import activation_counts, activation_psth, mean_activation, soma_distance
from isfray.analysis.compare import Comparison, compare_psth, compare_responses
from isfray.analysis.confidence import bootstrap, mcnemar, newcombe, wilson
from isfray.analysis.grouping import signs
from isfray.analysis.interchange import isf_wide_batches, neo_batches, to_isf_wide, to_neo
from isfray.analysis.intervals import bursts, interspike_intervals
from isfray.analysis.nwb import to_nwb
from isfray.analysis.psth import psth
from isfray.analysis.response import Response, response, responses
from isfray.analysis.run_tables import RunTables, Source, run_tables
from isfray.analysis.space_time import space_time
from isfray.analysis.spikes import detect_spikes
from isfray.analysis.voltage import MeanVoltage, VoltageDensity, mean_voltage, voltage_density, voltage_statistics

__all__ = [
    "Comparison",
    "MeanVoltage",
    "Response",
    "RunTables",
    "Source",
    "VoltageDensity",
    "activation_counts",
    "activation_psth",
    "bootstrap",
    "bursts",
    "compare_psth",
    "compare_responses",
    "detect_spikes",
    "interspike_intervals",
    "isf_wide_batches",
    "mcnemar",
    "mean_activation",
    "mean_voltage",
    "neo_batches",
    "newcombe",
    "psth",
    "response",
    "responses",
    "run_tables",
    "signs",
    "soma_distance",
    "space_time",
    "to_isf_wide",
    "to_neo",
    "to_nwb",
    "voltage_density",
    "voltage_statistics",
    "wilson",
]
