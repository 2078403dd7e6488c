"""The time that the steps of a run take: in all, by phase and by layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..kernels.machine.phases import PARTS_OF_LAYER
from ..model.workspace import Workspace
from .checkpoint import checked_number
from .layer_seconds import checked, of_layers
from .phase_clock import PhaseClock


class StepSeconds:
    """Seconds of a run, those of earlier processes included.

    Parameters
    ----------
    workspace : Workspace
        In which kernels count ticks.

    Attributes
    ----------
    total : float
        Wall time spent in updates: shuffling, batch assembly and stepping.
    """

    def __init__(self, workspace: Workspace):
        self._workspace = workspace
        self.total = 0.0
        self._phases_before: dict[str, float] = {}
        n_layers = len(workspace.network.layers)
        self._layers_before: np.ndarray = np.zeros((n_layers, len(PARTS_OF_LAYER)))
        self._clock: PhaseClock | None = None

    def start_clock(self) -> None:
        """Start to measure phases; before, and for kernels that count none, they are empty."""
        self._clock = PhaseClock()

    def phases(self) -> dict[str, float]:
        """Return the part of ``total`` that each phase of the steps took since the clock started.

        Empty on machines without a counter.
        """
        now = {} if self._clock is None else self._clock.seconds(self._workspace.work.phases)
        before = self._phases_before
        return {name: before.get(name, 0.0) + now.get(name, 0.0) for name in {**before, **now}}

    def layers(self) -> np.ndarray:
        """Return the seconds of forward, backward and update of each layer; 0 without phases."""
        if self._clock is None:
            return self._layers_before
        ticks = of_layers(self._workspace.network, self._workspace.work.layer_ticks)
        seconds: np.ndarray = self._layers_before + self._clock.durations(ticks)
        return seconds

    def state(self) -> dict[str, Any]:
        """Return the times of the run so far, for :meth:`load` in a later process."""
        return {"step": self.total, "phases": self.phases(), "layers": self.layers().tolist()}

    def load(self, state: dict[str, Any]) -> None:
        """Restore times of :meth:`state`; ValueError if they are invalid."""
        self.total = checked_number(state["step"])
        phases = state["phases"].items() if isinstance(state["phases"], dict) else ()
        self._phases_before = {name: checked_number(value) for name, value in phases}
        self._layers_before = checked(state["layers"], self._workspace.network)
