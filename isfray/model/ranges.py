"""Which values a model can mean: ranges of physical quantities, generous, so that what is outside is a slip.

A negative conductance or a time constant of zero has no meaning; a current of 1000 nA has one that nobody means. Each
range is what `isfray.check.number` takes, its unit said as a user should read it.
"""

from __future__ import annotations

from typing import Annotated, TypedDict

from pydantic import Field


class Range(TypedDict, total=False):
    """Bounds of a number; `above` is exclusive, `least` and `most` are inclusive."""

    above: float
    least: float
    most: float
    unit: str


POTENTIAL = Range(least=-1000.0, most=1000.0, unit="mV")
INITIAL_VOLTAGE = Range(least=-200.0, most=200.0, unit="mV")
TEMPERATURE = Range(least=-20.0, most=60.0, unit="degC (0 degC are 273.15 K)")
TIME_STEP = Range(above=0.0, most=2.5, unit="ms")  # beyond, CoreNEURON delivers no events
STOP = Range(above=0.0, most=1e8, unit="ms")
TIME = Range(least=-1e9, most=1e9, unit="ms")
DURATION = Range(least=0.0, most=1e9, unit="ms")
TIME_CONSTANT = Range(above=0.0, most=1e9, unit="ms")
CURRENT = Range(least=-100.0, most=100.0, unit="nA (1 nA are 1000 pA)")
WEIGHT = Range(least=0.0, most=1e5, unit="nS (1 nS are 1000 pS)")
DENSITY = Range(least=0.0, most=100.0, unit="S/cm2 (1 S/cm2 are 1000 mS/cm2)")
RESISTIVITY = Range(least=1e-3, most=1e5, unit="Ohm cm")
CAPACITANCE = Range(least=1e-3, most=1e3, unit="uF/cm2")
CONCENTRATION = Range(above=0.0, most=1e4, unit="mM")
LENGTH = Range(least=1e-3, most=1e5, unit="um")
DIAMETER_SCALE = Range(above=0.0, most=1e3)
SPINE_DENSITY = Range(least=0.0, most=1e3, unit="1/um")
SPINE_AREA = Range(least=0.0, most=1e3, unit="um2")
PLAIN = Range(least=-1e12, most=1e12)

MOST_CELLS = 10_000_000  # presynaptic cells of one population
SHORTEST_INTERVAL, HIGHEST_RATE = 1e-3, 1e6  # ms, Hz: beyond what any spike train does

_OF_UNIT = {
    "S/cm2": DENSITY,
    "mho/cm2": DENSITY,
    "nS": WEIGHT,
    "mV": POTENTIAL,
    "nA": CURRENT,
    "um": LENGTH,
    "mM": Range(least=0.0, most=1e4, unit="mM"),
    "/mV": Range(least=-1.0, most=1.0, unit="/mV"),
}


def of_parameter(name: str, unit: str, default: float) -> Range:
    """Return the range of a mechanism's parameter, by its unit in the NMODL file and its default.

    Parameters
    ----------
    name : str
        A slope divides, and cannot be zero.
    unit : str
        As the file has it; empty for a plain number, which is not negative where its default is not.
    default : float
        A time above zero is a time constant.
    """
    if unit == "ms":
        return TIME_CONSTANT if default > 0 else TIME
    if unit == "mV" and name.startswith("slope"):
        return Range(least=1e-3, most=1000.0, unit="mV")
    if unit:
        return _OF_UNIT.get(unit, PLAIN)
    return Range(least=0.0, most=1e12) if default >= 0 else PLAIN


def too_alike(rise: float, decay: float) -> bool:
    """Whether the difference of two exponentials, scaled to a peak of one, is lost in rounding."""
    return abs(decay - rise) < 1e-6 * max(rise, decay) or min(rise, decay) < 1e-12 * max(rise, decay)


Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Count = Annotated[int, Field(strict=True, ge=0, le=2**53)]
Time = Annotated[Number, Field(ge=TIME["least"], le=TIME["most"])]
