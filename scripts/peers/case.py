"""What is compared: the record of a case."""

from __future__ import annotations

from dataclasses import dataclass

from fastmlp.ops.layer_lists import parse_layers
from fastmlp.ops.layers import Layer

TRAIN, PREDICT, TARGET = "train", "predict", "target"
FIT, START, READ = "fit", "start", "read"
GROUPS = {
    "dense": "networks of dense layers",
    "convolutional": "convolutional networks",
    "small": "estimators and files",
}


@dataclass(frozen=True)
class Case:
    """One piece of work for every contender that offers it.

    Parameters
    ----------
    name : str
        As ``--cases`` takes it.
    title : str
        As table and chart show it.
    kind : {"train", "predict", "target", "fit", "start", "read"}
        Throughput of training, of prediction, or the time to a test accuracy; an estimator's fit
        with all defaults, the same in a new process from its start, or reading a CSV file.
    table : (int, int) or None
        Features and classes of drawn rows, dense numbers; None for the images.
    estimator, dataset : str
        What fits what, for kinds fit and start: a class name, and one of scikit-learn's tables.
    fresh : bool
        Whether kernels have to be compiled first, for kind start.
    layers : str
        Hidden layers, as ``TrainConfig(layers=...)`` takes them. Those of images get the images
        of the data, in their shape.
    classes : tuple of str
        Train on the images of these classes only; default: all.
    batch_size : int
        Rows of an update; 0 for all of them.
    activation : {"relu", "tanh", "gelu"}
        Of the hidden layers.
    optimizer : {"sgd", "momentum", "adam", "adamw"}
        Momentum is 0.9, classical; Adam has its paper's parameters; AdamW a decay of 0.01 for
        weights, not biases.
    learning_rate : float
    scale : {"unit", "standard"}
        unit: the pixels' range becomes [0, 1], most of them 0. standard: each pixel gets mean 0 and
        variance 1, so that hardly a value is 0.
    from_images : bool
        Whether fastmlp gets the images as bytes and scales them itself, within the measured time
        (standardised by the rows it gets, which are fewer in the check of losses). The others
        always get scaled float32 rows. If false, fastmlp gets them, too: with scale standard
        hardly any of their values are 0.
    rows : int
        Most rows of a timed update; 0 for all that the data have. Of a prediction: its rows,
        which repeat if the data have fewer.
    check_rows, check_epochs : int
        How long all train alike before the loss is compared.
    target : float
        Test accuracy to reach.
    max_epochs : int
        When to give that up.
    in_chart : bool
    in_overview : bool
        Whether the small chart of the README has the case.
    """

    name: str
    title: str
    kind: str = TRAIN
    table: tuple[int, int] | None = None
    estimator: str = ""
    dataset: str = ""
    fresh: bool = False
    layers: str = "dense(128), dense(64)"
    classes: tuple[str, ...] = ()
    activation: str = "relu"
    batch_size: int = 32
    optimizer: str = "sgd"
    learning_rate: float = 0.1
    scale: str = "unit"
    from_images: bool = True
    rows: int = 0
    check_rows: int = 6000
    check_epochs: int = 2
    target: float = 0.98
    max_epochs: int = 40
    in_chart: bool = True
    in_overview: bool = False

    @property
    def hidden(self) -> tuple[Layer, ...]:
        """The hidden layers; none where no network is trained."""
        return parse_layers(self.layers) if self.layers else ()

    @property
    def layer_kinds(self) -> set[str]:
        """The names of the kinds of its layers."""
        return {"dense", *(layer.name for layer in self.hidden)}

    @property
    def takes_images(self) -> bool:
        """Whether the network has layers of images."""
        return any(not layer.takes_rows for layer in self.hidden)

    @property
    def group(self) -> str:
        """The group, a key of ``GROUPS``."""
        if not self.trains:
            return "small"
        return "convolutional" if self.takes_images else "dense"

    @property
    def trains(self) -> bool:
        """Whether contenders train and predict rows that they are given."""
        return self.kind in (TRAIN, PREDICT, TARGET)

    def batch_of(self, rows: int) -> int:
        """Return the rows of an update where there are ``rows`` in all."""
        return self.batch_size or rows

    def whole_batches(self, rows: int) -> int:
        """Return how many of ``rows`` fill batches; at least one batch."""
        batch = self.batch_of(rows)
        return max(1, rows // batch) * batch
