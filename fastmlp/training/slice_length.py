"""The length of a slice: short enough to show progress and to handle Ctrl-C."""

from __future__ import annotations

_SECONDS = 0.04
# All weights are copied before and after a slice. With 10^8 weights this takes longer than a slice;
# slices are then longer, too, but not so long that Ctrl-C waits for half a second.
_COPIES = 4
_LONGEST_SECONDS = 0.4
_FIRST = 32  # blocks, fewer for a large network; later slices follow the clock
_FIRST_WORK = 5e8  # multiply-adds


class SliceLength:
    """How many blocks a slice has, according to the time that slices take.

    Parameters
    ----------
    work_of_block : int
        Multiply-adds of a block.
    grain : int
        Slices end after multiples of this number of blocks, so that bits do not depend on the
        clock.

    Attributes
    ----------
    blocks : int
        Of the next slice.
    """

    def __init__(self, work_of_block: int, grain: int):
        self._grain = grain
        self.blocks = max(1, min(_FIRST, int(_FIRST_WORK / work_of_block)))

    def end(self, block: int) -> int:
        """Return the end of the slice that starts with ``block``."""
        return (block // self._grain + max(1, self.blocks // self._grain)) * self._grain

    def observe(self, blocks: int, seconds: float, copying: float, is_whole: bool = True) -> None:
        """Record the seconds that a slice took, and those of copying weights besides.

        A slice that is not whole, which an epoch ended, makes the next ones longer only.
        """
        wanted = max(min(_COPIES * copying, _LONGEST_SECONDS), _SECONDS)
        ratio = min(max(wanted / max(seconds, 1e-9), 0.25), 4.0)
        self.blocks = max(1 if is_whole else self.blocks, int(blocks * ratio))
