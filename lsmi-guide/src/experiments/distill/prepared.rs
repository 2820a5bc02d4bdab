//! A split ready for its runs: scaled samples, interactions and the teacher's outputs of those to train on.

use lsmi_candle::device::DeviceChoice;
use lsmi_candle::estimator::{self, cross_fit};
use lsmi_candle::features::Groups;

use super::split::Split;
use super::student::Rows;
use super::teacher::{self, Taught};
use super::{Data, Settings};
use crate::decide::interactions::Interactions;
use crate::error::{GuideError, Result};
use crate::experiments::estimation::without_idle_densities;

/// A split with all that its runs share.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) train: Rows,
    pub(super) validation: Rows,
    pub(super) test: Rows,
    pub(super) interactions: Interactions,
    /// Which training samples belong together.
    pub(super) groups: Option<Groups>,
    pub(super) taught: Taught,
    pub(super) inputs: [usize; 2],
    pub(super) classes: usize,
}

impl Prepared {
    pub(super) fn new(data: Data<'_>, settings: &Settings, number: usize) -> Result<Self> {
        let classes = data.classes.len();
        let split = Split::new(data.samples, data.test, data.classes.names(), number, settings.seed)?;
        let seed = settings.seed.wrapping_add(number as u64);
        let fit = cross_fit(&split.train, data.classes, &estimation(settings, seed), None)?;
        let interactions = Interactions::from_cross_fit(&fit)?;
        let inputs = [split.train.x1.columns(), split.train.x2.columns()];
        let (parts, groups) = (split.standardised(), split.train.groups.clone());
        let taught = if let (Some(of_train), Some(of_test)) = (&split.train.logits[2], &split.test.logits[2]) {
            let features = data.teacher_features.map(|features| {
                let index = data.samples.ids.index();
                let rows: Option<Vec<usize>> = split.train.ids.iter().map(|id| index.position(&id)).collect();
                rows.map(|rows| features.select(&rows))
            });
            let labels = &split.test.labels;
            teacher::given([of_train, of_test], features.flatten().as_ref(), labels, classes, settings.temperature)?
        } else {
            let missing = || GuideError::Data { reason: "cross-fitting gave the samples no folds".to_owned() };
            let folds = fit.scores.folds.as_deref().ok_or_else(missing)?;
            teacher::train(&parts, folds, inputs, classes, settings, seed)?
        };
        let interactions = interactions.with_confidence(taught.confidence.clone())?;
        let [train, validation, test] = parts;
        Ok(Self { train, validation, test, interactions, groups, taught, inputs, classes })
    }
}

/// How interactions are estimated: densities with full care only where the measure looks at them.
pub(super) fn estimation(settings: &Settings, seed: u64) -> estimator::Settings {
    without_idle_densities(estimator::Settings {
        seed,
        folds: settings.folds,
        measure: settings.measure,
        threads: settings.threads,
        device: DeviceChoice::Cpu,
        ..estimator::Settings::default()
    })
}
