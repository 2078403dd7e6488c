"""The dense layer: Z = X W + b, its gradients, and the copy of W^T that the backward pass reads.

``matmul`` takes flat arrays, each with an offset and the stride of a row, so that threads can be
given any range of rows: of a block in the forward and backward pass, of W (one row for each input)
in the gradient and the update.
"""

from .jit import kernel
from .tile import TILE_ROWS, VECTOR_BYTES, tile1, tile2, tile4, tile6
from .view import view


@kernel
def matmul(A, a, a_row, a_col, B, b, b_row, I, i, i_row, C, c, c_row, M, N, K):
    """Overwrite C with I + A B, where A is (M, K), B (K, N) and C (M, N).

    N is a whole number of vectors. ``i_row = 0`` repeats one row (a bias, or zeros); I may be C,
    which then accumulates. ``a_row`` and ``a_col`` are A's strides, so that A can be read
    transposed.
    """
    lanes = VECTOR_BYTES // A.itemsize
    for n in range(0, N, lanes):
        m = 0
        while m + TILE_ROWS <= M:
            tile6(A, a + m * a_row, a_row, a_col, B, b + n, b_row,
                  I, i + n + m * i_row, i_row, C, c + n + m * c_row, c_row, K)  # fmt: skip
            m += TILE_ROWS
        if m + 4 <= M:
            tile4(A, a + m * a_row, a_row, a_col, B, b + n, b_row,
                  I, i + n + m * i_row, i_row, C, c + n + m * c_row, c_row, K)  # fmt: skip
            m += 4
        if m + 2 <= M:
            tile2(A, a + m * a_row, a_row, a_col, B, b + n, b_row,
                  I, i + n + m * i_row, i_row, C, c + n + m * c_row, c_row, K)  # fmt: skip
            m += 2
        if m < M:
            tile1(A, a + m * a_row, a_row, a_col, B, b + n, b_row,
                  I, i + n + m * i_row, i_row, C, c + n + m * c_row, c_row, K)  # fmt: skip


@kernel
def add_rows(D, d, d_row, rows, db, overwrite):
    """db = sum_i dZ_i, the gradient of a bias. Accumulates into ``db``, or overwrites it."""
    if overwrite:
        for j in range(db.size):
            db[j] = 0
    for r in range(rows):
        dz = view(D, d + r * d_row, db.size)
        for j in range(db.size):
            db[j] += dz[j]


@kernel
def transpose_row(w, WT, t, t_row):
    """Overwrite one column of W^T with a row of W."""
    for j in range(w.size):
        view(WT, t + j * t_row, 1)[0] = w[j]
