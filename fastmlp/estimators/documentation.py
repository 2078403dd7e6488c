"""The parts of the docstrings that both estimators share."""

from __future__ import annotations

import inspect
import textwrap
from typing import TypeVar

T = TypeVar("T")

_PARTS = {
    "parameters": """\
hidden_layer_sizes : array-like of shape (n_layers - 2,), default=(100,)
    Units of each hidden layer.
activation : str or list of str, default="relu"
    Of the hidden layers: ``identity``, ``logistic``, ``tanh``, ``relu``, or another of
    fastmlp's such as ``gelu`` and ``leaky_relu(0.02)``; a list gives each layer its own.
solver : str, default="adam"
    ``lbfgs``, ``sgd`` and ``adam`` as in scikit-learn, which take their settings from the
    parameters below; or another of fastmlp's optimizers with its own settings, such as
    ``adamw(weight_decay=0.05)`` and ``rmsprop``.
alpha : float, default=0.0001
    Strength of the L2 penalty, alpha / (2 rows of the batch) Σ w².
batch_size : int, default="auto"
    Rows of an update; auto: 200, or all where there are fewer. Not for lbfgs.
learning_rate : {"constant", "invscaling", "adaptive"}, default="constant"
    How the rate of sgd changes; see ``schedule`` for other solvers.
learning_rate_init : float, default=0.001
    The rate at the start. Not for lbfgs.
power_t : float, default=0.5
    The exponent of invscaling.
max_iter : int, default=200
    Maximum number of epochs; for lbfgs, of iterations.
shuffle : bool, default=True
    Whether each epoch has an order of its own.
random_state : int, RandomState instance or None, default=None
    Source of initial weights, held-out rows and the order of rows; the same as in scikit-learn.
tol : float, default=1e-4
    Smallest change of the best loss, or score, that counts as an improvement.
verbose : bool, default=False
    Whether to print losses to stdout.
warm_start : bool, default=False
    Whether ``fit`` starts from the weights of the previous fit.
momentum : float, default=0.9
    Of sgd.
nesterovs_momentum : bool, default=True
    Whether it is Nesterov's.
early_stopping : bool, default=False
    Whether to stop by the score on held-out rows instead of the training loss, and to keep the
    weights with the best score.
validation_fraction : float, default=0.1
    Share of the rows held out, unless ``fit`` is given ``X_val``.
beta_1, beta_2, epsilon : float, default=0.9, 0.999, 1e-8
    Of adam.
n_iter_no_change : int, default=10
    Stop after more than this number of consecutive epochs without improvement.
max_fun : int, default=15000
    Maximum number of evaluations, for lbfgs.
""",
    "further_parameters": """\
schedule : str or None, default=None
    A schedule of fastmlp's, such as ``cosine(warmup=2)`` or ``plateau(patience=3)``, in place
    of ``learning_rate`` and with every solver but lbfgs.
dropout : float or list of float, default=0.0
    Share of the hidden units dropped in training, of all layers or of each. Not with lbfgs.
weight_init, bias_init : str or None, default=None
    An initializer of fastmlp's, such as ``he_normal``; None: as in scikit-learn.
layers : str, list of str or of records, or None, default=None
    All layers before the output layer, in place of ``hidden_layer_sizes`` and ``dropout``, such
    as ``"conv2d(32, 3), max_pool2d(2), dense(64)"``.
input_shape : (int, int, int) or None, default=None
    Height, width and channels of the images that ``layers`` take; None: the shape of ``X``,
    which may then be (n, height, width) or (n, height, width, channels).
scale : str or None, default=None
    How features are scaled, by the statistics of the first fit: ``standard``, ``minmax`` or another
    of fastmlp's scalers; None: not at all, as in scikit-learn, except for the numbers beside
    categories of a table, which are then standardised.
categorical_features : "from_dtype", array-like of bool, int or str, or None, default="from_dtype"
    The columns of ``X`` that are categories, by a mask, indices or names. from_dtype: of a frame,
    those of texts and of categorical types; dates become parts, and beside such columns numbers
    are standardised and may have gaps. None: all columns are numbers.
min_frequency : int, default=5
    Training rows that a level must have for a feature of its own; rarer ones are merged.
recipe : str or None, default=None
    Settings that come with fastmlp, such as ``"tabular"``, for the parameters that are None; see
    ``from_recipe``.
n_models : int, default=1
    Models to train side by side, each with a random state of its own, and to average: their
    probabilities, or the numbers that they predict. The first is the model of ``random_state``.
n_threads : int or None, default=None
    Maximum number of threads; None: all CPUs that the process may use. Changes no result.
callbacks : list or None, default=None
    Of ``fastmlp.Callback``, or of scikit-learn's protocol as ``set_callbacks`` takes them.
""",
    "attributes": """\
coefs_, intercepts_ : list of ndarray
    Weights, shape (n_in, n_out), and biases, shape (n_out,), of each layer that has them; of a
    convolution, shape (height * width * channels, filters).
loss_, best_loss_ : float
    The last and the lowest training loss, penalty included; ``best_loss_`` is None with early
    stopping.
loss_curve_ : list of float
    The training loss of each epoch; of lbfgs, of each iteration.
best_validation_score_ : float or None
n_iter_, t_ : int
    Epochs of the last fit, and the total number of samples processed.
estimators_ : list of estimator
    With ``n_models`` of 2 or more, the model of each random state. The attributes above are those
    of the first one.
n_layers_, n_outputs_ : int
    Number of layers with weights plus one, and number of outputs.
out_activation_ : str
n_features_in_ : int
feature_names_in_ : ndarray of str
    Where X has such names.
predictor_ : Predictor
    The model of a fit with a recipe, in place of ``coefs_``, ``intercepts_``, ``n_layers_`` and
    ``t_``.
""",
}


def documented(estimator: type[T]) -> type[T]:
    """Complete an estimator's docstring with the shared parts; a class decorator.

    They replace lines such as ``{parameters}``.
    """
    text = inspect.getdoc(estimator) or ""
    for name, part in _PARTS.items():
        text = text.replace(f"{{{name}}}\n", part)
    estimator.__doc__ = textwrap.indent(text, "    ")
    return estimator
