//! What fits of several labels of the same rows share: gauge, folds and densities, none of which looks at a label.
//!
//! Folds are dealt once to all rows, so that a label that some rows lack is fitted to fewer rows of the same folds, and each
//! row's densities are those that did not see it, whatever the label.

use std::sync::Arc;

use crossbeam_channel::Sender;
use lsmi_core::{ClassPrior, Modality, Reference};

use super::cross_fit::{fit_densities, numbers_of};
use super::models::Fit;
use super::progress::Reporter;
use super::{Progress, Settings, notes};
use crate::densities::gauge::Gauge;
use crate::error::Result;
use crate::estimator::checks::check_inputs;
use crate::estimator::folds::folds_of_several_classes;
use crate::estimator::grouping::{Grouping, find_groups};
use crate::estimator::partition::Partition;
use crate::estimator::scoring::ModelInputs;
use crate::estimator::threads::thread_pool;
use crate::estimator::{Description, Estimator, FoldModels, SCHEMA};
use crate::features::{Classes, FeatureSet, Groups};
use crate::heads::{GivenHead, HeadModel};

/// Gauge, folds and densities of rows, for fits of several labels of them.
#[derive(Debug, Clone)]
pub struct SharedFit {
    /// An estimator of densities alone: nobody scores by it.
    densities: Arc<Estimator>,
    /// The fold of every row in each repeat.
    folds: Vec<Vec<u32>>,
    groups: Option<Groups>,
    grouping: Option<Grouping>,
}

/// Fits gauge and densities to rows whose labels are not looked at, in folds that spread the classes of each row evenly.
///
/// `classes_of_rows` has the classes below `classes` that each row belongs to: any number of them, such as one for each of
/// its labels.
///
/// # Errors
/// [`EstimatorError`](crate::EstimatorError) as for [`cross_fit`](super::cross_fit), but for what concerns labels.
pub fn fit_shared(
    rows: &FeatureSet,
    (classes_of_rows, classes): (&[Vec<u32>], usize),
    settings: &Settings,
    progress: Option<&Sender<Progress>>,
) -> Result<SharedFit> {
    let labels = vec![0; rows.rows()];
    check_inputs(&rows.inputs(), rows.rows())?;
    settings.check_without_labels(rows.rows())?;
    let device = settings.device.open()?;
    let gauge = Gauge::fit(settings.gauge, settings.dims, &rows.x1, &rows.x2)?;
    let (groups, grouping) = find_groups(rows, settings.folds);
    let numbers = groups.as_ref().map(|groups| numbers_of(groups, settings.folds)).transpose()?;
    let inputs = ModelInputs::new(&gauge, &rows.inputs(), [false; 3]);
    let fit =
        Fit { inputs: &inputs, labels: &labels, groups: numbers.as_deref(), classes: 1, settings, device: &device };
    let fold_count = u32::try_from(settings.folds).unwrap_or(u32::MAX);
    let partition = |repeat: usize| {
        Partition::dealt_by(settings, repeat, |seed| {
            folds_of_several_classes(classes_of_rows, classes, numbers.as_deref(), fold_count, seed, "folds")
        })
    };
    let partitions: Vec<Partition> = (0..settings.repeats).map(partition).collect();
    let reporter = Reporter::new(progress, partitions.len() * settings.folds * 2);
    let densities = thread_pool(settings.threads)?.install(|| fit_densities(&fit, &partitions, &reporter))?;
    let given = || HeadModel::Given(GivenHead::default());
    let models = |densities| FoldModels { densities, heads: [given(), given(), given()], parts: [None, None] };
    let repeats = densities.into_iter().map(|folds| folds.into_iter().map(models).collect()).collect();
    let description = Description {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        gauge: gauge.kind,
        gauge_dims: [gauge.x1.dims(), gauge.x2.dims()],
        dims: [rows.x1.columns(), rows.x2.columns()],
        classes: Classes::none(),
        given_heads: [true; 3],
        prior: "given".to_owned(),
        measure: settings.measure,
        reference: Reference { weaker: Modality::One, weaker_of_class: Vec::new() },
        seed: settings.seed,
        folds: settings.folds,
        repeats: settings.repeats,
        rows: rows.rows(),
        data_hash: String::new(),
        encoders: [None, None],
        pooling: None,
        shortfall: None,
        grouping: None,
        notes: notes::gauge_notes(&gauge),
    };
    // No row has a label here; a prior there must be.
    let prior = ClassPrior::uniform(1)?;
    let densities = Arc::new(Estimator { description, prior, gauge, repeats, device });
    let folds = partitions.into_iter().map(|partition| partition.folds).collect();
    Ok(SharedFit { densities, folds, groups, grouping })
}

impl SharedFit {
    /// Returns the settings of a fit to some of the rows, in the order given, with this gauge, these folds and densities.
    #[must_use]
    pub fn settings_for(&self, rows: &[usize], settings: &Settings) -> Settings {
        let folds = self.folds.iter().map(|folds| rows.iter().map(|row| folds[*row]).collect()).collect();
        Settings {
            repeats: self.folds.len(),
            densities: Some(Arc::clone(&self.densities)),
            folds_of_rows: Some(Arc::new(folds)),
            ..settings.clone()
        }
    }

    /// Returns a report of the rows that belong together; `None` if there is nothing to report.
    pub fn grouping(&self) -> Option<&Grouping> {
        self.grouping.as_ref()
    }

    /// Returns the rows that belong together, which share a fold; `None` if every row is by itself.
    pub fn groups(&self) -> Option<&Groups> {
        self.groups.as_ref()
    }
}
