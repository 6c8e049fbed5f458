"""Mingjian (明鉴): an expert-review workbench. Nothing here but the version and two settings of the process."""

import gc
import os

__version__ = "0.4.0"

# One thread for linear algebra, unless the operator says otherwise. All matrices here are small, and the
# threads of OpenBLAS spin while they wait: beside other work on two cores a fit of the rater model takes
# six times as long with two. It reads the variable once, when numpy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Half a million objects stay to the end (code, tables, addresses). Python looks for garbage after each 700 new
# ones, which took an eighth of a start and up to a fifth of the work that follows.
gc.set_threshold(50_000, 20, 20)
