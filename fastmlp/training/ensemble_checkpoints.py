"""The checkpoints of an ensemble: a folder for each model."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import Any

from ..base.folders import make_folder
from .checkpoints import Checkpoints, check_no_files


class EnsembleCheckpoints:
    """Checkpoints of the models of an ensemble, each in a folder of its own, ``model-N``.

    The models are independent, so that each is resumed from its own newest checkpoint. Parameters
    and errors as for :class:`~fastmlp.training.checkpoints.Checkpoints`.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        every: int | str | None,
        identity: dict[str, Any],
        resume: bool = False,
    ):
        n_models = identity["settings"]["n_models"]
        with ExitStack() as failing:
            own = make_folder(folder, "checkpoint_dir")
            check_no_files(own, identity, resume)
            self._of_models: list[Checkpoints] = []
            for number in range(1, n_models + 1):
                settings = {**identity["settings"], "model": number}
                checkpoints = Checkpoints(
                    own / f"model-{number}", every, {**identity, "settings": settings}, resume
                )
                failing.callback(checkpoints.close)
                every = checkpoints.interval.text  # of the resumed run, for models not begun yet
                self._of_models.append(checkpoints)
            self._open = failing.pop_all()

    def of_model(self, number: int) -> Checkpoints:
        """Return the checkpoints of a model, numbered from 1."""
        return self._of_models[number - 1]

    def close(self) -> None:
        """Unlock the folders."""
        self._open.close()
