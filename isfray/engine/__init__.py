"""Engines: what they are given, what they record, and the tables of a trial that are made of it."""

from isfray.engine.engine import Engine, Recorded, Task
from isfray.engine.kinds import ENGINES
from isfray.engine.result import TrialResult
from isfray.engine.simulator import Simulator

__all__ = ["ENGINES", "Engine", "Recorded", "Simulator", "Task", "TrialResult"]
