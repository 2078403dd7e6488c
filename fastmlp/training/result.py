"""The result of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .._version import __version__
from ..base.notebook import html_of
from ..model.predictor import Predictor
from .config import TrainConfig
from .history import History
from .plan import Plan


@dataclass(frozen=True, eq=False)
class TrainResult:
    """A trained model and the record of its training.

    Attributes
    ----------
    predictor : Predictor
        Scaling, network and classes: predicts from raw features.
    config : TrainConfig
        The settings used; only options for reading a table may be ``auto``.
    history : History
        A row per epoch: ``history["validation_loss"]`` is a list.
    iterations : History
        A row every ``log_every`` updates.
    metrics : dict
        Loss and accuracy on the training part (running mean over the epoch whose weights are kept),
        the validation part and the test part; None for missing parts, and for parts that an
        interrupted run did not evaluate. Also the metrics asked for, as ``validation_roc_auc``
        and ``test_roc_auc``. ``metrics["sets"]["test"]`` has all metrics of the test part, such as
        R2 and MAE in the units of the targets; they are computed when first asked for.
    timings : dict
        Seconds: prepare, compile, step, train, predict; and samples_per_second.
    phase_seconds : dict
        Parts of ``timings["step_seconds"]`` by phase of a step: gather, forward, loss, backward,
        update, and wait (for other threads), as counted by the first thread of the team. The rest
        is between slices of an epoch. Empty for the per-sample step, which is one loop, and on
        machines without a counter.
    layer_seconds : list of dict
        A layer's name, and its seconds in ``forward``, ``backward`` and ``update``: parts of these
        phases, for each layer. Empty where ``phase_seconds`` is.
    data : dict
        Name and sizes of the data.
    plan : Plan
        The compiled step used, and why.
    best_epoch : int or None
        The epoch with the best monitored value.
    kept_epoch : int or None
        The epoch whose weights the predictor has: the best one if there is a validation set and
        ``restore_best`` is on, else the last one. None for weights within an epoch, after an
        interruption, and for the initial weights.
    updates_run : int
        Updates of the weights.
    status : {"finished", "stopped early", "stopped", "interrupted", "diverged", "failed"}
    models : tuple of TrainResult
        Of an ensemble: the result of each model, as of a run of its own with its seed. The
        ensemble's ``metrics`` are those of the averaged prediction, also on the training part; its
        ``history`` and ``iterations`` are means over the models, with a column ``n_models``; steps
        and updates are sums; ``best_epoch`` and ``kept_epoch`` are None. Empty for one model.
    """

    predictor: Predictor
    config: TrainConfig
    history: History
    iterations: History
    metrics: dict[str, Any]
    timings: dict[str, float | None]
    phase_seconds: dict[str, float]
    layer_seconds: list[dict[str, Any]]
    data: dict[str, Any]
    plan: Plan
    best_epoch: int | None
    kept_epoch: int | None
    updates_run: int
    status: str
    models: tuple[TrainResult, ...] = ()

    @property
    def epochs_run(self) -> int:
        """Complete epochs; of an ensemble, those of the model that trained longest."""
        return len(self.history)

    def is_averaged(self, model: TrainResult) -> bool:
        """Whether one of ``models`` is part of the averaged prediction."""
        return any(model.predictor.network is network for network in self.predictor.networks)

    def model_rows(self) -> list[dict[str, Any]]:
        """Return seed, epochs, status and metrics of each model of an ensemble."""
        return [
            {
                "seed": model.config.seed,
                "status": model.status,
                "averaged": self.is_averaged(model),
                "epochs_run": model.epochs_run,
                "best_epoch": model.best_epoch,
                "kept_epoch": model.kept_epoch,
                **model.metrics,
            }
            for model in self.models
        ]

    def model_facts(self) -> dict[str, Any]:
        """Return layers, their sizes, and numbers of parameters.

        ``layer_sizes`` are the number of features, and of the units or filters of each layer with
        weights. ``layers`` are all layers, each with its output shape.
        """
        network = self.predictor.network
        return {
            "input_shape": list(network.input_shape),
            "layers": network.layer_facts(),
            "layer_sizes": list(network.layer_sizes),
            "n_weights": network.n_weights,
            "n_biases": network.n_biases,
            "n_parameters": network.n_weights + network.n_biases,
            "parameter_bytes": (network.n_weights + network.n_biases) * network.dtype.itemsize,
        }

    def to_dict(self) -> dict[str, Any]:
        """Return everything except the weights and the history, as printed by ``--json``."""
        return {
            "version": __version__,
            "config": self.config.to_dict(),
            "data": self.data,
            "model": self.model_facts(),
            "status": self.status,
            "epochs_run": self.epochs_run,
            "updates_run": self.updates_run,
            "best_epoch": self.best_epoch,
            "kept_epoch": self.kept_epoch,
            **self.metrics,
            **self.timings,
            "phase_seconds": self.phase_seconds,
            "layer_seconds": self.layer_seconds,
            **({"models": self.model_rows()} if self.models else {}),
        }

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{name}={value:.4f}" for name, value in self.metrics.items() if value is not None
        )
        of_models = f"of {self.predictor.n_models} models, " if self.models else ""
        return f"<TrainResult {of_models}{self.status} after {self.epochs_run} epochs: {shown}>"

    def _repr_html_(self) -> str:
        return html_of(self)
