"""Single operations, compiled and warm, by shape and type. Seconds are those of one operation."""

from time import perf_counter

from ._cases import few, need_cpus
from ._convolutions import rate
from ._kernels import TIMES, operation


def _per_operation():
    """Return seconds divided by ``TIMES``, since each timed call runs ``TIMES`` operations."""
    return perf_counter() / TIMES


class _Operation:
    """Ten to thirty samples of a warm operation; asv calls ``setup`` before each."""

    repeat = (10, 30, 0.5)
    warmup_time = 0
    timer = staticmethod(_per_operation)
    name = ""

    def setup(self, *parameters):
        self.run = operation(self.name, *parameters)


class Forward(_Operation):
    """Z = X W for a block of 96 rows."""

    name = "forward"
    params = (few(["784x128", "128x64", "500x256"]), ["float32", "float64"])
    param_names = ("shape", "dtype")

    def time_dense(self, shape, dtype):
        self.run()


class Gradient(_Operation):
    """dW = X^T dZ for a block of 96 rows."""

    name = "gradient"
    params = (few(["784x128", "128x64", "500x256"]), ["float32", "float64"])
    param_names = ("shape", "dtype")

    def time_dense(self, shape, dtype):
        self.run()


class Update(_Operation):
    """New weights from gradients, for 784 x 128 of them."""

    name = "update"
    params = (few(["sgd", "sgd(momentum=0.9)", "adam"], "adam"), few(["float32", "float64"]))
    param_names = ("optimizer", "dtype")

    def time_update(self, optimizer, dtype):
        self.run()


class Activation(_Operation):
    """a = f(z) for 96 rows of 128."""

    name = "activation"
    params = (few(["relu", "tanh", "gelu", "softmax"], "gelu"), few(["float32", "float64"]))
    param_names = ("activation", "dtype")

    def time_activation(self, activation, dtype):
        self.run()


class Barrier(_Operation):
    """All threads of a team meet, a thousand times."""

    name = "barrier"
    params = [2]
    param_names = ("threads",)

    def setup(self, threads):
        need_cpus(threads)
        super().setup(threads)

    def time_thousand_meetings(self, threads):
        self.run()


class Convolution:
    """GFLOP/s of E3's convolutions for 32 images on one thread, with what they do besides.

    Products are counted as the direct form has them: with fewer, a rate can exceed the peak.
    """

    params = (few(["first", "second"], "second"), few(["forward", "inputs", "weights"], "weights"))
    param_names = ("layer", "product")
    unit = "GFLOP/s"

    def track_rate(self, layer, product):
        return rate(layer, product)
