"""Images to predict from, converted to the range and background of the training images."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..base.csr import Features
from ..base.errors import ConfigError
from ..data.inputs import Inputs
from ..model.features import FeatureInfo
from ..model.pixels import BYTES, Images, Range, polarity, to_range, training_range, usual_range
from ..model.predictor import Predictor

# Rows of this many features may be images.
LEAST_PIXELS = 64

Notify = Callable[[str], None]


def fit_to_training(predictor: Predictor, inputs: Inputs, invert: str, notify: Notify) -> Features:
    """Return the features of inputs, images converted to the form of the training images.

    Bytes are scaled to the range of the training images. Pictures that are dark where training
    images are bright are inverted. Transparent pixels become background.

    Parameters
    ----------
    predictor : Predictor
    inputs : Inputs
    invert : {"auto", "yes", "no"}
        Whether to invert images; auto: pictures whose background is the opposite of training.
    notify : callable taking one str
        Called with each change, and with what differs from the training data.

    Raises
    ------
    ConfigError
        If ``invert`` is yes and the inputs are no images.
    DataError
        If there is no common range of the training images.
    """
    if not inputs.are_images:
        if invert == "yes":
            raise ConfigError(
                "--invert yes applies to images (PNG, IDX, or arrays of uint8 of shape "
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
        notify("images: the model does not hold the range of the training images; kept at 0 to 255")
        return pixels
    if taken_as_they_are:
        if inputs.are_pictures:
            notify(f"images: not scaled, since no value exceeds {target[1]:g}, white in training")
        return pixels
    if target != BYTES:
        notify(f"images: scaled from 0 to 255 to {_shown(target)}, the range in training")
    return to_range(pixels, target)


def _is_in_range(pixels: np.ndarray, target: Range | None) -> bool:
    """Whether bytes are in the training range, such as 0 to 16, instead of 0 to 255."""
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
    """Report features that lie far outside their range in training, if most do."""
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
