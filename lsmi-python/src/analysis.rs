//! Analyses, their samples, and the estimators that they leave.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::RecordBatch;
use lsmi_candle::EstimatorError;
use lsmi_candle::analysis::labels::LabelsAnalysis;
use lsmi_candle::analysis::names::{Names, Words};
use lsmi_candle::analysis::summary::ExpectedSummary;
use lsmi_candle::analysis::{self, AnalysisError, Analyzer, LagAnalyses, pooling_difference};
use lsmi_candle::device::DeviceChoice;
use lsmi_candle::estimator;
use lsmi_candle::estimator::batch::{BatchError, score_batch_by};
use lsmi_candle::features::{FeatureSet, Split};
use lsmi_candle::files::write_atomically;
use lsmi_candle::gates::{self, CheckSummary, GateSettings};
use lsmi_candle::samples::{ExpectedSplit, ExtraColumns, Format, PartialSamples, ScoredSplit, parquet, write};
use lsmi_core::Measure;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::arrow::{self, Batch};
use crate::background;
use crate::error::{Class, Raised, failed, failed_at, usage};
use crate::samples;
use crate::settings::{self, option, parsed};
use crate::table::{Samples, Source, Table, Use, keys, misread};

/// Scored samples with their summary: of an analysis, or of rows that an estimator scored.
#[pyclass(frozen, module = "lsmi._lsmi")]
pub(crate) struct Analysis {
    scored: Arc<Scored>,
    estimator: Arc<estimator::Estimator>,
    /// Whether rows were scored that the estimator was fitted on.
    is_of_training_rows: bool,
}

enum Scored {
    Labelled(Box<analysis::Analysis>),
    /// One of several labels that were analysed together.
    OfLabel(Arc<LabelsAnalysis>, usize),
    /// One of several lags that were analysed together.
    OfLag(Arc<LagAnalyses>, usize),
    LabelFree {
        splits: Vec<ExpectedSplit>,
        summary: Box<ExpectedSummary>,
    },
}

impl Scored {
    /// Returns the analysis of labelled samples, or what was expected of samples without labels.
    fn analysis(&self) -> Result<&analysis::Analysis, (&[ExpectedSplit], &ExpectedSummary)> {
        match self {
            Self::Labelled(analysis) => Ok(analysis),
            Self::OfLabel(all, place) => Ok(&all.analyses()[*place].1),
            Self::OfLag(all, place) => Ok(&all.lags[*place].1),
            Self::LabelFree { splits, summary } => Err((splits, summary)),
        }
    }
}

/// Analyses a table: fit, scores, intervals, and the tests and gates that were asked for.
#[pyfunction]
#[pyo3(signature = (table, options, listener=None))]
pub(crate) fn analyze(
    py: Python<'_>,
    table: &Table,
    options: &Bound<'_, PyDict>,
    listener: Option<Py<PyAny>>,
) -> PyResult<Analysis> {
    let settings = settings::analysis(options)?;
    let (samples, encoders, pooling) = (Arc::clone(&table.samples), table.encoders.clone(), table.pooling);
    let analysis = background::run(py, listener, move |progress| {
        let Samples::Labelled(file) = &*samples else { return Err(misread()) };
        Ok(Analyzer::new(file, &settings).with_encoders(encoders).with_pooling(pooling).run(Some(progress))?)
    })?;
    Ok(Analysis::new(analysis))
}

/// Asks the gates about a table, without an analysis of it. Returns JSON.
#[pyfunction]
#[pyo3(signature = (table, options, listener=None))]
pub(crate) fn check(
    py: Python<'_>,
    table: &Table,
    options: &Bound<'_, PyDict>,
    listener: Option<Py<PyAny>>,
) -> PyResult<String> {
    let (strength, rows) = (option(options, "strength")?, option(options, "rows")?);
    let settings = GateSettings { strength, rows, estimator: settings::fit(options)? };
    let samples = Arc::clone(&table.samples);
    let summary = background::run(py, listener, move |progress| {
        let Samples::Labelled(file) = &*samples else { return Err(misread()) };
        let train = file.split("train").ok_or_else(misread)?;
        if let Some(split) = file.partial.first() {
            let (file, what) = (file.path.display().to_string(), "the gates");
            return Err(AnalysisError::Partial { file, what, rows: split.features.count() }.into());
        }
        let others = file.splits.iter().filter(|split| split.name != "train");
        let others: Vec<(&str, &FeatureSet)> = others.map(|split| (split.name.as_str(), &split.features)).collect();
        let gates = gates::check(train, &file.classes, &others, &settings, Some(progress))?;
        Ok(CheckSummary::new(train, &file.classes, settings.estimator.seed, gates))
    })?;
    serde_json::to_string(&summary).map_err(|error| failed(&error))
}

impl Analysis {
    fn new(analysis: analysis::Analysis) -> Self {
        let estimator = Arc::new(analysis.estimator().clone());
        Self { scored: Arc::new(Scored::Labelled(Box::new(analysis))), estimator, is_of_training_rows: false }
    }

    /// Returns the analysis of the label at a place, if there is one.
    pub(crate) fn of_label(all: &Arc<LabelsAnalysis>, place: usize) -> Option<Self> {
        let estimator = Arc::new(all.analyses().get(place)?.1.estimator().clone());
        Some(Self { scored: Arc::new(Scored::OfLabel(Arc::clone(all), place)), estimator, is_of_training_rows: false })
    }

    /// Returns the analysis of the lag at a place, if there is one.
    pub(crate) fn of_lag(all: &Arc<LagAnalyses>, place: usize) -> Option<Self> {
        let estimator = Arc::new(all.lags.get(place)?.1.estimator().clone());
        Some(Self { scored: Arc::new(Scored::OfLag(Arc::clone(all), place)), estimator, is_of_training_rows: false })
    }

    fn batch(&self) -> PyResult<RecordBatch> {
        let batch = match self.scored.analysis() {
            Ok(analysis) => analysis.samples(),
            Err((splits, _)) => {
                let extra = extra(splits);
                let classes = self.estimator.classes().names();
                let samples: Vec<_> = splits.iter().flat_map(|split| split.samples(classes, &extra)).collect();
                parquet::record_batch(&extra, &samples)
            }
        };
        batch.map_err(|error| failed(&error))
    }
}

fn extra(splits: &[ExpectedSplit]) -> ExtraColumns {
    let metadata = splits.iter().flat_map(|split| &split.metadata);
    let extra = ExtraColumns::new(Vec::new(), metadata.map(|column| (column.name.as_str(), column.values.kind())));
    if splits.iter().any(|split| split.partial.is_some()) { extra.with_presence() } else { extra }
}

#[pymethods]
impl Analysis {
    /// The content of `summary.json`.
    fn summary(&self) -> PyResult<String> {
        match self.scored.analysis() {
            Ok(analysis) => serde_json::to_string(analysis.summary()),
            Err((_, summary)) => serde_json::to_string(summary),
        }
        .map_err(|error| failed(&error))
    }

    /// Whether a split has the very rows that the estimator was fitted on.
    fn is_of_training_rows(&self) -> bool {
        self.is_of_training_rows
    }

    /// The samples as a dictionary of NumPy arrays and lists.
    fn columns<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        arrow::dictionary(py, &self.batch()?)
    }

    /// The samples as a stream of Arrow's C interface.
    fn arrow_stream<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(arrow::stream(py, self.batch()?)?.into_any())
    }

    /// The estimator that scored the samples, or that the analysis leaves.
    fn estimator(&self) -> Estimator {
        Estimator(Arc::clone(&self.estimator))
    }

    /// The page `report.html`, from memory.
    fn report(&self) -> PyResult<String> {
        match self.scored.analysis() {
            Ok(analysis) => lsmi_cli::report(analysis).map_err(|error| failed(&*error)),
            Err(_) => Err(usage("there is no report of samples that were scored without labels")),
        }
    }

    /// Writes samples, summary and estimator to a directory, as `lsmi analyze` does.
    fn write(&self, py: Python<'_>, directory: PathBuf) -> PyResult<()> {
        match self.scored.analysis() {
            Ok(analysis) => py.detach(|| analysis.write(directory)).map_err(|error| failed(&error)),
            Err(_) => Err(usage(
                "samples that were scored without labels have no estimator of their own; write them with samples.write(path)",
            )),
        }
    }

    /// Writes the samples to a file, as `lsmi score` does.
    fn write_samples(&self, py: Python<'_>, path: PathBuf, format: &str) -> PyResult<()> {
        let format: Format = parsed(format)?;
        py.detach(|| {
            samples::write(&path, |output| match self.scored.analysis() {
                Ok(analysis) => analysis.write_samples(output, format),
                Err((splits, _)) => {
                    let (extra, classes) = (extra(splits), self.estimator.classes().names());
                    let rows = splits.iter().flat_map(|split| split.samples(classes, &extra));
                    write::write(output, format, &extra, rows)
                }
            })
        })
    }
}

/// An estimator, which scores new rows.
#[pyclass(frozen, module = "lsmi._lsmi")]
pub(crate) struct Estimator(pub(crate) Arc<estimator::Estimator>);

#[pymethods]
impl Estimator {
    /// Reads an estimator that was saved.
    #[staticmethod]
    fn read(path: PathBuf, device: &str) -> PyResult<Self> {
        let bytes = fs::read(&path).map_err(|error| {
            let what = match error.kind() {
                ErrorKind::NotFound => "no such file; check the path".to_owned(),
                _ => error.to_string(),
            };
            Raised { message: format!("{}: {what}", path.display()), ..Raised::new(Class::Data, &error) }
        })?;
        Self::of_bytes(&bytes, &path.display().to_string(), device)
    }

    /// Reads an estimator from the bytes of its file; `name` stands for it in messages.
    #[staticmethod]
    fn of_bytes(bytes: &[u8], name: &str, device: &str) -> PyResult<Self> {
        let device: DeviceChoice = parsed(device)?;
        let estimator = estimator::Estimator::from_bytes(name, bytes, device).map_err(Raised::from)?;
        Ok(Self(Arc::new(estimator)))
    }

    /// The bytes of its file.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let estimator = Arc::clone(&self.0);
        let bytes = py.detach(move || estimator.to_bytes()).map_err(Raised::from)?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Writes its file.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let estimator = Arc::clone(&self.0);
        py.detach(move || {
            let bytes = estimator.to_bytes().map_err(Raised::from)?;
            write_atomically(&path, |file| file.write_all(&bytes)).map_err(|error| failed_at(&path, &error))
        })
    }

    /// The names of the classes, in the order of their indices.
    #[getter]
    fn classes(&self) -> Vec<String> {
        self.0.classes().names().to_vec()
    }

    /// What is known of the fit, as JSON.
    fn description(&self) -> PyResult<String> {
        serde_json::to_string(self.0.description()).map_err(|error| failed(&error))
    }

    /// Scores rows with labels, by the models of all folds.
    #[pyo3(signature = (arrays, options, classes=None))]
    fn score(
        &self,
        py: Python<'_>,
        arrays: Bound<'_, PyAny>,
        options: &Bound<'_, PyDict>,
        classes: Option<String>,
    ) -> PyResult<Analysis> {
        let table = self.table(&arrays, options, classes, false)?;
        let note = self.note_on_pooling(&table)?;
        let names: [String; 2] = option(options, "names")?;
        let names: Names = parsed(&names.join(","))?;
        let measures: Vec<String> = option(options, "measures")?;
        let measures = self::measures(&measures)?;
        let estimator = Arc::clone(&self.0);
        let (analysis, is_of_training_rows) = background::run(py, None, move |_| -> Result<_, Raised> {
            let Samples::Labelled(file) = &*table.samples else { return Err(misread()) };
            let fitted = &estimator.description().data_hash;
            let is_of_training_rows = scored_splits(&file.splits)
                .any(|(_, split)| split.features.hash_with(file.partial_of(&split.name)) == *fitted);
            let splits = scored_splits(&file.splits).map(|(name, split)| -> Result<_, Raised> {
                let scored = ScoredSplit::score(name, &split.features, &estimator, &measures)?;
                let partial = file.partial_of(&split.name).map(|rows| PartialSamples::score(rows, &estimator));
                Ok(scored.with_metadata(file.metadata_of(&split.name)).with_partial(partial.transpose()?))
            });
            let splits = splits.collect::<Result<Vec<_>, _>>()?;
            let words = Words { names: &names, label: "the label" };
            let estimator =
                note.into_iter().fold(estimator::Estimator::clone(&estimator), estimator::Estimator::with_note);
            let analysis = analysis::Analysis::of_scored(estimator, splits, words, &file.notes)?;
            Ok((analysis, is_of_training_rows))
        })?;
        Ok(Analysis {
            scored: Arc::new(Scored::Labelled(Box::new(analysis))),
            estimator: Arc::clone(&self.0),
            is_of_training_rows,
        })
    }

    /// Scores rows without their labels: expectations over the labels that they could have.
    #[pyo3(signature = (arrays, options))]
    fn score_label_free(
        &self,
        py: Python<'_>,
        arrays: Bound<'_, PyAny>,
        options: &Bound<'_, PyDict>,
    ) -> PyResult<Analysis> {
        let table = self.table(&arrays, options, None, true)?;
        let estimator = match self.note_on_pooling(&table)? {
            Some(note) => Arc::new(estimator::Estimator::clone(&self.0).with_note(note)),
            None => Arc::clone(&self.0),
        };
        let scored = background::run(py, None, move |_| -> Result<_, Raised> {
            let Samples::Unlabelled(file) = &*table.samples else { return Err(misread()) };
            let splits = scored_splits(&file.splits).map(|(name, split)| {
                let mut expected = ExpectedSplit::new(split, &estimator, file.metadata_of(&split.name))?;
                name.clone_into(&mut expected.name);
                let partial = file.partial_of(&split.name).map(|rows| PartialSamples::expect(rows, &estimator));
                Ok(expected.with_partial(partial.transpose()?))
            });
            let splits = splits.collect::<Result<Vec<_>, EstimatorError>>()?;
            let summary = Box::new(ExpectedSummary::new(&estimator, &splits));
            Ok(Scored::LabelFree { splits, summary })
        })?;
        Ok(Analysis { scored: Arc::new(scored), estimator: Arc::clone(&self.0), is_of_training_rows: false })
    }

    /// Scores a record batch, on this thread: by its column `y`, or without labels.
    fn score_batch(
        &self,
        py: Python<'_>,
        rows: &Bound<'_, PyAny>,
        measures: Vec<String>,
        label_free: bool,
    ) -> PyResult<Batch> {
        let (rows, measures) = (arrow::record_batch(rows)?, self::measures(&measures)?);
        let rows = with_labels_or_without(rows, label_free)?;
        let scored = py.detach(|| score_batch_by(&self.0, &measures, &rows)).map_err(Raised::from)?;
        Ok(Batch(scored))
    }

    /// The columns that `score_batch` gives for rows with the columns of a schema: a batch without rows.
    fn scored_columns(&self, schema: &Bound<'_, PyAny>, measures: Vec<String>, label_free: bool) -> PyResult<Batch> {
        let rows = with_labels_or_without(arrow::empty_batch(schema)?, label_free)?;
        Ok(Batch(score_batch_by(&self.0, &self::measures(&measures)?, &rows).map_err(Raised::from)?))
    }
}

/// Checks that rows have labels, or takes these away.
fn with_labels_or_without(rows: RecordBatch, label_free: bool) -> PyResult<RecordBatch> {
    let schema = rows.schema();
    let others: Vec<usize> = (0..rows.num_columns()).filter(|column| schema.field(*column).name() != "y").collect();
    if label_free {
        return rows.project(&others).map_err(|error| failed(&error));
    }
    if others.len() < rows.num_columns() {
        return Ok(rows);
    }
    let found = schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>().join(", ");
    let error = BatchError::MissingColumn { column: "y", found };
    let hint = "values that are expected without labels are given with label_free=True";
    Err(Raised { hint: Some(hint.to_owned()), ..Raised::from(error) }.into())
}

fn measures(names: &[String]) -> PyResult<Vec<Measure>> {
    names.iter().map(|measure| parsed(measure)).collect()
}

/// Lists the splits that are scored, under their names: all but `train`; a table without splits is `eval`.
fn scored_splits<S>(splits: &[Split<S>]) -> impl Iterator<Item = (&str, &Split<S>)> {
    let is_whole = matches!(splits, [only] if only.name == "train");
    let scored = splits.iter().filter(move |split| is_whole || split.name != "train");
    scored.map(move |split| (if is_whole { "eval" } else { split.name.as_str() }, split))
}

impl Estimator {
    /// Says that sequences were pooled here and not in the fit, or the other way round; another pooling is refused.
    fn note_on_pooling(&self, table: &Table) -> PyResult<Option<String>> {
        let fitted = self.0.description().pooling;
        pooling_difference("the arrays", fitted, table.pooling).map_err(|error| Raised::from(error).into())
    }

    /// Reads rows to be scored: arrays, or the path of a file.
    fn table(
        &self,
        arrays: &Bound<'_, PyAny>,
        options: &Bound<'_, PyDict>,
        classes: Option<String>,
        is_label_free: bool,
    ) -> PyResult<Table> {
        let (names, groups): (Option<String>, Option<String>) = (option(options, "keys")?, option(options, "groups")?);
        let missing: String = option(options, "missing")?;
        let mut keys = keys(names.as_deref(), groups.as_deref(), &missing)?;
        keys.pool = option::<Option<String>>(options, "pool")?.map(|pool| parsed(&pool)).transpose()?;
        let source = match arrays.cast::<PyDict>() {
            Ok(arrays) => {
                let metadata = classes.map(|classes| ("classes", classes)).into_iter().collect();
                Source::Arrays { arrays: arrays.clone(), metadata }
            }
            Err(_) => Source::File(arrays.extract()?),
        };
        let of = if is_label_free { Use::LabelFree(self.0.classes()) } else { Use::Scoring(self.0.classes()) };
        Table::read(&source, &keys, &of)
    }
}
