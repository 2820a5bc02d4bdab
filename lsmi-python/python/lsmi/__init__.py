"""Redundancy, uniqueness and synergy of two modalities about a label, for every single sample (LSMI; Yang, Wang and Hu,
ICML 2025).

    >>> import lsmi
    >>> x1, x2, y, ids = lsmi.demo_data()
    >>> a = lsmi.analyze(x1, x2, y, ids=ids, repeats=1)
    >>> a.samples["s"].shape
    (1906,)

:func:`analyze` decomposes, :class:`Analysis` holds samples, summary, estimator and report, :class:`Estimator` scores new rows.
More than two modalities, targets that are numbers, several labels and lags of sequences have results of their own:
:class:`SeveralAnalysis`, :class:`ContinuousAnalysis`, :class:`LabelsAnalysis`, :class:`LagsAnalysis`.
:mod:`lsmi.ray` and :mod:`lsmi.spark` score and embed on many machines. :mod:`lsmi.torch`, :mod:`lsmi.hf` and
:mod:`lsmi.lightning` steer training; :mod:`lsmi.guide` asks whether that helps.
All values are in nats.
"""

from . import errors, guide
from ._analysis import Analysis, Estimator, Samples, load
from ._analyze import analyze, check
from ._commands import Features, compare, demo_data, diff, discrete, embed, join, simulate
from ._encoders import Encoders
from ._handles import EstimatorFile
from ._lsmi import __version__
from ._partition import Partition, partition
from ._results.continuous import ContinuousAnalysis, Target
from ._results.labels import LabelsAnalysis
from ._results.lags import LagsAnalysis
from ._results.several import SeveralAnalysis, SeveralSplit
from ._sklearn import LSMI
from .errors import DataError, LsmiError, UsageError

__all__ = [
    "LSMI",
    "Analysis",
    "ContinuousAnalysis",
    "DataError",
    "Encoders",
    "Estimator",
    "EstimatorFile",
    "Features",
    "LabelsAnalysis",
    "LagsAnalysis",
    "LsmiError",
    "Partition",
    "Samples",
    "SeveralAnalysis",
    "SeveralSplit",
    "Target",
    "UsageError",
    "__version__",
    "analyze",
    "check",
    "compare",
    "demo_data",
    "diff",
    "discrete",
    "embed",
    "errors",
    "guide",
    "join",
    "load",
    "partition",
    "simulate",
]
