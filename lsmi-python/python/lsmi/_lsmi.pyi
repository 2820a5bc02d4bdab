"""
The classes and functions that `python/lsmi` builds on.
"""

from _typeshed import Incomplete, SupportsGetItem
from os import PathLike
from typing import Any, Final, SupportsFloat, SupportsIndex, final

__all__ = ["__version__", "Analysis", "Batch", "ContinuousAnalysis", "Encoders", "Ensemble", "Estimator", "Guide", "LabelsAnalysis", "LagsAnalysis", "SampleTable", "SeveralAnalysis", "Table", "analyze", "analyze_continuous", "analyze_labels", "analyze_lags", "analyze_several", "check", "check_encoder_options", "columns", "demo", "find_model", "partition", "run"]

__version__: Final[str]
"""
The version of the package.
"""

@final
class Analysis:
    """
    Scored samples with their summary: of an analysis, or of rows that an estimator scored.
    """
    def arrow_stream(self, /) -> Any:
        """
        The samples as a stream of Arrow's C interface.
        """
    def columns(self, /) -> dict:
        """
        The samples as a dictionary of NumPy arrays and lists.
        """
    def estimator(self, /) -> Estimator:
        """
        The estimator that scored the samples, or that the analysis leaves.
        """
    def is_of_training_rows(self, /) -> bool:
        """
        Whether a split has the very rows that the estimator was fitted on.
        """
    def report(self, /) -> str:
        """
        The page `report.html`, from memory.
        """
    def summary(self, /) -> str:
        """
        The content of `summary.json`.
        """
    def write(self, /, directory: str | PathLike[str]) -> None:
        """
        Writes samples, summary and estimator to a directory, as `lsmi analyze` does.
        """
    def write_samples(self, /, path: str | PathLike[str], format: str) -> None:
        """
        Writes the samples to a file, as `lsmi score` does.
        """

@final
class Batch:
    """
    Rows for whatever takes `__arrow_c_array__`, such as `pyarrow.record_batch`.
    """
    def __arrow_c_array__(self, /, requested_schema: Any | None = None) -> tuple[Any, Any]:
        """
        Exports the columns and the rows; another schema that is asked for is not heeded, as the interface allows.
        """
    def __arrow_c_schema__(self, /) -> Any:
        """
        Exports the columns.
        """

@final
class ContinuousAnalysis:
    """
    Scored samples with continuous targets, with their summary.
    """
    def samples(self, /, decomposition: SupportsIndex) -> SampleTable:
        """
        The samples of all splits, of the decomposition at a place.
        """
    def summary(self, /) -> str:
        """
        The content of `summary.json`.
        """
    def write(self, /, directory: str | PathLike[str]) -> None:
        """
        Writes samples, summary and estimator to a directory, as `lsmi analyze` does.
        """

@final
class Encoders:
    """
    Encoders of some columns.
    """
    def __new__(cls, /, models: SupportsGetItem[int, tuple[str, str, str]], options: dict) -> Encoders:
        """
        Loads encoders: `models` lists modality, column and model of each, `options` has everything else.
        """
    def embed_batch(self, /, rows: Any) -> Batch:
        """
        Embeds the rows of a record batch.
        """
    def embedded_columns(self, /, schema: Any) -> Batch:
        """
        The columns that `embed_batch` gives for rows with the columns of a schema: a batch without rows.
        """
    def provenance(self, /) -> str:
        """
        What made the vectors, as JSON: a list, in the order of the encoders.
        """

@final
class Ensemble:
    """
    Fitted weights of an ensemble's members.
    """
    @staticmethod
    def fit(members: dict, interactions: dict, labels: Incomplete, groups: SupportsGetItem[int, str] | None = None, folds: SupportsIndex = 5, seed: SupportsIndex = 0) -> Ensemble:
        """
        Fits weights to samples that the members have not learned from.

        `members` has the logits or log-probabilities of each, float64 `[n, K]` by name; `interactions` has `r`, `u1`, `u2` and
        `s`, float64 `[n]`, expected without the label.
        """
    @staticmethod
    def of_json(text: str) -> Ensemble:
        """
        Reads fitted weights from JSON.
        """
    @property
    def penalty(self, /) -> float | None:
        """
        The penalty that cross-validation chose; None where weights are those of stacking, the same for all samples.
        """
    def to_json(self, /) -> str:
        """
        The fitted weights as JSON.
        """
    def weights(self, /, members: dict, interactions: dict) -> Any:
        """
        Returns the weight of every member for every sample, `[n, M]`, in the order of the members.
        """

@final
class Estimator:
    """
    An estimator, which scores new rows.
    """
    @property
    def classes(self, /) -> list[str]:
        """
        The names of the classes, in the order of their indices.
        """
    def description(self, /) -> str:
        """
        What is known of the fit, as JSON.
        """
    @staticmethod
    def of_bytes(bytes: bytes, name: str, device: str) -> Estimator:
        """
        Reads an estimator from the bytes of its file; `name` stands for it in messages.
        """
    @staticmethod
    def read(path: str | PathLike[str], device: str) -> Estimator:
        """
        Reads an estimator that was saved.
        """
    def save(self, /, path: str | PathLike[str]) -> None:
        """
        Writes its file.
        """
    def score(self, /, arrays: Any, options: dict, classes: str | None = None) -> Analysis:
        """
        Scores rows with labels, by the models of all folds.
        """
    def score_batch(self, /, rows: Any, measures: SupportsGetItem[int, str], label_free: bool) -> Batch:
        """
        Scores a record batch, on this thread: by its column `y`, or without labels.
        """
    def score_label_free(self, /, arrays: Any, options: dict) -> Analysis:
        """
        Scores rows without their labels: expectations over the labels that they could have.
        """
    def scored_columns(self, /, schema: Any, measures: SupportsGetItem[int, str], label_free: bool) -> Batch:
        """
        The columns that `score_batch` gives for rows with the columns of a schema: a batch without rows.
        """
    def to_bytes(self, /) -> bytes:
        """
        The bytes of its file.
        """

@final
class Guide:
    """
    A guide of `lsmi-guide`, asked for weights and told what a student makes of its batches.
    """
    def end_epoch(self, /, epoch: SupportsIndex) -> None:
        """
        Ends an epoch; a synchronous tracker estimates here.
        """
    @staticmethod
    def fixed(policy: str, samples: dict, options: dict) -> Guide:
        """
        Makes a guide by interactions that stay as they are.

        `samples` has `ids` (list of str), `labels` (int64), `prior` (float64 `[K]`), `h1`, `h2`, `i1`, `i2`, `i12` (float64),
        `confidence` (float64 or None) and `reference` (list of 1 or 2, of all samples and then of each class, or None);
        `options` has `rule`, `measure`, `seed`, `warm_up` and `smoothing`.
        """
    def history(self, /) -> list[dict]:
        """
        Returns what each estimation of a tracker found, in their order.
        """
    def identity(self, /) -> str:
        """
        Describes policy and settings as JSON, so that a state is not restored into another guide.
        """
    def interactions(self, /) -> dict | None:
        """
        Returns the interactions that the policy goes by: `ids`, `labels`, terms, and r, u1, u2 and s by the measure, raw and in
        nats; None where there are none yet.
        """
    @property
    def is_observing(self, /) -> bool:
        """
        Whether [`Self::observe`] looks at anything.
        """
    def logged(self, /) -> dict[str, float]:
        """
        Returns what to plot, by name: means of r, u1, u2 and s in nats, shares, and counts.
        """
    def observe(self, /, ids: SupportsGetItem[int, str], x1: Incomplete, x2: Incomplete, logits: Incomplete | None = None) -> None:
        """
        Takes what the student made of a batch: float32 features of x1 and x2, `[n, d1]` and `[n, d2]`, and joint logits
        `[n, K]`. Of a sample that comes twice the last row counts.
        """
    def plan(self, /) -> dict | None:
        """
        Returns the weights of all samples in this epoch, with their `ids`; None before the first epoch.
        """
    def report(self, /) -> dict | None:
        """
        Returns what happened beside the estimations of a tracker; None where there is no tracker.
        """
    def restore(self, /, state: dict) -> None:
        """
        Goes on from what [`Self::state`] gave.
        """
    def start_epoch(self, /, epoch: SupportsIndex) -> None:
        """
        Prepares for the batches of an epoch, counted from 0.
        """
    def state(self, /) -> dict:
        """
        Returns what must be kept to go on after a checkpoint: arrays of float32 and float64 by name.
        """
    @staticmethod
    def tracked(policy: str, samples: dict, options: dict) -> Guide:
        """
        Makes a guide by interactions that are estimated in the student while it learns.

        `samples` has `ids`, `labels`, `classes` (int), `groups` (list of str or None) and `confidence`; `options` those of
        [`Self::fixed`] and `mode`, `capacity`, `share`, `every`, `folds`, `kernels` and `rounds`.
        """
    def weights(self, /, ids: SupportsGetItem[int, str], per_batch: bool) -> dict:
        """
        Returns the weights of a batch by the name of the loss, in the order of the ids, which may repeat.

        Columns have a mean of one over the batch, or over all samples where `per_batch` is false.
        """

@final
class LabelsAnalysis:
    """
    Analyses of several labels, with a summary of all.
    """
    def analysis(self, /, place: SupportsIndex) -> Analysis:
        """
        The analysis of the label at a place.
        """
    def arrow_stream(self, /) -> Any:
        """
        The samples of all labels as a stream of Arrow's C interface.
        """
    def columns(self, /) -> dict:
        """
        The samples of all labels as a dictionary of NumPy arrays and lists.
        """
    def labels(self, /) -> list[str]:
        """
        The names of the labels, in the order of the columns.
        """
    def summary(self, /) -> str:
        """
        The content of `summary.json`.
        """
    def write(self, /, directory: str | PathLike[str]) -> None:
        """
        Writes samples, summary and the estimator of each label to a directory, as `lsmi analyze` does.
        """
    def write_samples(self, /, path: str | PathLike[str], format: str) -> None:
        """
        Writes the samples of all labels to a file.
        """

@final
class LagsAnalysis:
    """
    Analyses of several lags, with a summary of all.
    """
    def analysis(self, /, place: SupportsIndex) -> Analysis:
        """
        The analysis of the lag at a place.
        """
    def lags(self, /) -> list[tuple[int, str]]:
        """
        The lags, the smallest first, with the name of the directory of each.
        """
    def summary(self, /) -> str:
        """
        The content of `summary.json`.
        """
    def write(self, /, directory: str | PathLike[str]) -> None:
        """
        Writes the summary of all and the files of every lag to a directory, as `lsmi analyze` does.
        """

@final
class SampleTable:
    """
    Samples whose columns depend on what was analysed.
    """
    def arrow_stream(self, /) -> Any:
        """
        The samples as a stream of Arrow's C interface.
        """
    def columns(self, /) -> dict:
        """
        The samples as a dictionary of NumPy arrays and lists.
        """
    def write_samples(self, /, path: str | PathLike[str], format: str) -> None:
        """
        Writes the samples to a file.
        """

@final
class SeveralAnalysis:
    """
    Scored samples of more than two modalities, with their summary.
    """
    def reading(self, /, split: str) -> str | None:
        """
        The lattice of a split in a sentence or two; None where there is no lattice.
        """
    def samples(self, /) -> SampleTable:
        """
        The samples of all splits.
        """
    def summary(self, /) -> str:
        """
        The content of `summary.json`.
        """
    def write(self, /, directory: str | PathLike[str]) -> None:
        """
        Writes samples, summary and estimator to a directory, as `lsmi analyze` does.
        """

@final
class Table:
    """
    Checked samples: for training, or to be scored by an estimator, with labels or without.
    """
    @property
    def classes(self, /) -> list[str]:
        """
        The names of the classes, in the order of their indices; empty where there are none.
        """
    def ids(self, /, split: str = "train") -> list[str] | None:
        """
        The ids of a split of two modalities with classes or without labels.
        """
    @property
    def notes(self, /) -> list[str]:
        """
        What is to be known of the data, in sentences.
        """
    @staticmethod
    def of_arrays(arrays: dict, options: dict | None = None) -> Table:
        """
        Reads arrays for training; `classes` and `labels` are their names, as JSON.
        """
    @staticmethod
    def of_file(path: str | PathLike[str], options: dict | None = None) -> Table:
        """
        Reads a feature file for training.
        """

def analyze(table: Table, options: dict, listener: Any | None = None) -> Analysis:
    """
    Analyses a table: fit, scores, intervals, and the tests and gates that were asked for.
    """

def analyze_continuous(table: Table, options: dict, listener: Any | None = None) -> ContinuousAnalysis:
    """
    Analyses a table with continuous targets.
    """

def analyze_labels(table: Table, options: dict, listener: Any | None = None) -> LabelsAnalysis:
    """
    Analyses a table of several labels.
    """

def analyze_lags(table: Table, options: dict, listener: Any | None = None) -> LagsAnalysis:
    """
    Analyses the samples of every lag of a table of sequences.
    """

def analyze_several(table: Table, options: dict, listener: Any | None = None) -> SeveralAnalysis:
    """
    Analyses a table of several modalities.
    """

def check(table: Table, options: dict, listener: Any | None = None) -> str:
    """
    Asks the gates about a table, without an analysis of it. Returns JSON.
    """

def check_encoder_options(options: dict) -> None:
    """
    Checks the options of encoders, before any is loaded.
    """

def columns(data: Any) -> dict:
    """
    Takes the columns of whatever has `__arrow_c_stream__` or `__arrow_c_array__`: NumPy arrays by name, lists of `str` where
    they are text, `[n, d]` where they are lists. A single array has the name "".
    """

def demo() -> tuple[bytes, bytes]:
    """
    The data of `lsmi demo`: a `.safetensors` file, and a table of its rows as CSV.
    """

def find_model(kind: str, model: str, has_pooling: bool) -> tuple[str, str]:
    """
    Finds a model, downloading what is not there. Returns its name with the commit, where it is of the hub, and the SHA-256 of
    its files.
    """

def partition(values: Incomplete, labels: Incomplete | None = None, fraction: SupportsFloat | SupportsIndex | None = None, threshold: tuple[SupportsFloat | SupportsIndex, SupportsFloat | SupportsIndex] | None = None) -> dict:
    """
    Splits samples by a value a sample, in each class by itself where there are labels: the highest and lowest `fraction`, or
    those beyond `threshold`, `(low, high)`. Returns the rows `high`, `middle` and `low`, their `bounds`, and `ties`.
    """

def run(arguments: SupportsGetItem[int, str]) -> int:
    """
    Runs the command and returns its exit status. The process is the command's from then on, its signals too: nothing else may
    run in it.
    """
