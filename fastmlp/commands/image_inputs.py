"""Images and other arrays as a model was trained on them: range, background, bright and dark."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..base.errors import ConfigError
from ..data.inputs import Inputs
from ..model.features import FeatureInfo
from ..model.pixels import (
    BYTES,
    Images,
    Range,
    polarity,
    to_range,
    training_range,
    usual_range,
)
from ..model.predictor import Predictor

# From how many features on rows are taken for images where nothing else says so.
LEAST_PIXELS = 64

Notify = Callable[[str], None]


def fit_to_training(
    predictor: Predictor, inputs: Inputs, invert: str, notify: Notify
) -> np.ndarray:
    """Return the features of inputs, images brought to what the model was trained on.

    Bytes are brought to the range of the training images. Pictures that are dark where those for
    training are bright are inverted, and what is transparent becomes background.

    Parameters
    ----------
    predictor : Predictor
    inputs : Inputs
    invert : {"auto", "yes", "no"}
        Whether images are inverted; auto: pictures that are the opposite of the training images.
    notify : callable taking one str
        Told what was changed, and what does not look like the training data.

    Raises
    ------
    ConfigError
        If something that is no image would have to be inverted.
    DataError
        If images cannot be brought to a range.
    """
    if not inputs.are_images:
        if invert == "yes":
            raise ConfigError(
                "--invert yes goes with images (PNG, IDX, or arrays of uint8 of shape "
                "(n, height, width)), got other data; leave it out"
            )
        _tell_mismatch(predictor.features, inputs.X, notify)
        return inputs.X
    target = training_range(predictor.features, predictor.scaling)
    taken_as_they_are = _is_in_range(inputs.X, target)
    images = Images(inputs.X, inputs.opacity)
    if target is not None and taken_as_they_are:
        images = images._replace(white=target[1])
    pixels = _with_polarity(predictor.features, target, images, inputs, invert, notify)
    if target is None:
        notify("images: the model does not say which range it was trained on; taken as 0 to 255")
        return pixels
    if taken_as_they_are:
        if inputs.are_pictures:
            notify(f"images: no value is above {target[1]:g}, white in training: not scaled")
        return pixels
    if target != BYTES:
        notify(f"images: 0 to 255 brought to {_shown(target)}, the range in training")
    return to_range(pixels, target)


def _is_in_range(pixels: np.ndarray, target: Range | None) -> bool:
    """Whether bytes hold numbers of the training range, 0 to 16, say, and not of 0 to 255."""
    if target is None or target == BYTES or target[0] != 0:
        return False
    return 0 < int(pixels.max()) <= target[1]


def _with_polarity(
    features: FeatureInfo | None,
    target: Range | None,
    images: Images,
    inputs: Inputs,
    invert: str,
    notify: Notify,
) -> np.ndarray:
    known = polarity(features, target)
    inverted = np.full(len(images.pixels), invert == "yes")
    if invert == "auto" and inputs.are_pictures and known is not None:
        inverted = images.opposite(known)
        if inverted.any():
            bright = "dark on bright" if known.background == 0 else "bright on dark"
            notify(
                f"images: {np.count_nonzero(inverted)} of {len(inverted)} are {bright}, unlike "
                "those in training, and were inverted (to keep them: --invert no)"
            )
    return images.blended(inverted, 0 if known is None else known.background)


def _tell_mismatch(features: FeatureInfo | None, X: np.ndarray, notify: Notify) -> None:
    """Say so where most features lie far outside what was seen in training."""
    if features is None or not isinstance(X, np.ndarray) or X.dtype.kind not in "biuf":
        return
    if X.ndim != 2 or X.shape[1] != features.n_features or not len(X):
        return
    low, high = X.min(axis=0), X.max(axis=0)
    width = features.high - features.low
    is_far = (low < features.low - width) | (high > features.high + width)
    varies = width > 0
    n_far = np.count_nonzero(is_far & varies)
    seen = usual_range(features.low.min(), features.high.max())
    given = usual_range(low.min(), high.max())
    are_images = features.image_shape is not None or X.shape[1] >= LEAST_PIXELS
    if 2 * n_far > np.count_nonzero(varies):
        what = f"{n_far} of {features.n_features} features lie far outside their range in training"
    elif are_images and seen is not None and given is not None and seen != given:
        what = f"they seem to have the range {_shown(given)}, and those in training {_shown(seen)}"
    else:
        return
    notify(f"inputs: {what}; scale them as the training data were scaled")


def _shown(values: Range) -> str:
    return f"{values[0]:g} to {values[1]:g}"
