"""The outputs of an estimator's models for rows to predict from."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from ..base.csr import canonical, is_sparse
from ..base.errors import ConfigError, DataError
from ..model.encoding import encode_for_outputs
from ..model.evaluator import borrowed
from ..ops.scalers import NO_SCALING
from .hidden import network_layout, rows_of
from .models import models_of
from .problem import team
from .rows import named_columns
from .tables import encoded_rows

# Bytes stay bytes, with an eighth of the memory; scikit-learn converts them to float64.
DTYPES = (np.float64, np.float32, np.uint8)


def outputs_of_models(estimator: Any, X: Any) -> list[np.ndarray]:
    """Return the outputs of each model, each of shape (n, n_outputs)."""
    is_plain = _is_plain(estimator, X)
    if not is_plain:
        X = _check_features(estimator, X)
    if estimator._encoding is not None:
        X = encoded_rows(estimator, X)
    layout = network_layout(estimator)
    n_features = math.prod(layout.input_shape)
    if X.shape[1] != n_features:
        raise ConfigError(
            f"coefs_[0] must have a row for each of X's {X.shape[1]} features, got "
            f"{n_features}; assign weights of that shape, or fit again"
        )
    scaling = NO_SCALING if estimator._scaling is None else estimator._scaling
    try:
        data = encode_for_outputs(
            X, scaling, layout.dtype, n_outputs=estimator.n_outputs_,
            needs_dense=layout.needs_dense_rows,
        )  # fmt: skip
        outputs = []
        with borrowed(layout, data) as evaluator:
            for model in models_of(estimator):
                # The weights as they are: users may have changed them.
                evaluator.take_weights(model.coefs_, model.intercepts_)
                network = evaluator.network
                work = network.multiply_adds if estimator._layers else network.params.size
                threads = team(estimator, float(X.shape[0]) * work)
                outputs.append(evaluator.run(data, threads, scaling).outputs)
        return outputs
    except DataError:
        if is_plain:
            _check_features(estimator, X)  # says it as scikit-learn does
        raise


def _is_plain(estimator: Any, X: Any) -> bool:
    """Whether all of scikit-learn's checks would give X back as it is, if it is finite.

    They take longer than a few rows through the network.
    """
    return (
        type(X) is np.ndarray
        and X.ndim == 2
        and X.dtype in DTYPES
        and hasattr(estimator, "coefs_")
        and estimator._encoding is None
        and not hasattr(estimator, "feature_names_in_")
        and X.shape[1] == estimator.n_features_in_
        and X.shape[0] > 0
    )


def _check_features(estimator: Any, X: Any) -> Any:
    """Return X as scikit-learn's checks give it back, a sparse one as CSR."""
    check_is_fitted(estimator)
    if estimator._encoding is not None:
        return X
    X = rows_of(estimator, X, "X", bool(estimator._layers))
    with named_columns(X, "X"):
        X = validate_data(estimator, X, accept_sparse=["csr", "csc"], dtype=DTYPES, reset=False)
    return canonical(X, "X") if is_sparse(X) else X
