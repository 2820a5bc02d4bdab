//! Settings of the estimator of continuous targets, and checks of samples.

use std::collections::BTreeSet;

use lsmi_core::{Measure, PriorChoice};
use serde::{Deserialize, Serialize};

use crate::error::{EstimatorError, Result};
use crate::estimator::Settings;
use crate::estimator::checks::{check_inputs, wrong};
use crate::features::TargetSet;

/// Fewest training rows a fold.
const ROWS_PER_FOLD: usize = 10;
/// Fewest different values of a continuous target.
const LEAST_VALUES: usize = 12;
/// The largest number of targets that are analysed jointly.
const MOST_JOINT_TARGETS: usize = 8;

/// The treatment of several targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Targets {
    /// A decomposition for every target.
    #[default]
    Each,
    /// One decomposition of the information about all of them together.
    Jointly,
}

/// Settings of the estimator of continuous targets.
#[derive(Debug, Clone, Default)]
pub struct TargetSettings {
    /// Those that it shares with the estimator of classes. The prior must be empirical, for p(y) is fitted; the measure one
    /// that needs no classes: `pm`, `sx`, `ccs` or `mmi`.
    pub estimation: Settings,
    /// The treatment of several targets. Default: one by one.
    pub targets: Targets,
}

impl TargetSettings {
    /// Checks the settings against samples.
    pub(super) fn check(&self, samples: &TargetSet) -> Result<()> {
        let Settings { folds, prior, measure, densities, scale_logits, .. } = &self.estimation;
        let setting = |name, found: String, expected: &str| {
            Err(EstimatorError::Setting { name, found, expected: expected.to_owned() })
        };
        self.estimation.check_without_labels(samples.rows())?;
        if *prior != PriorChoice::Empirical {
            return setting(
                "prior",
                format!("{prior:?}").to_lowercase(),
                "empirical for a continuous target, whose p(y) is fitted",
            );
        }
        if *measure == Measure::Min {
            return setting(
                "measure",
                measure.to_string(),
                "pm, sx, ccs or mmi: `min` judges class by class, and a continuous target has none",
            );
        }
        if densities.is_some() || *scale_logits {
            return setting("densities or scale_logits", "given".to_owned(), "left out with a continuous target");
        }
        let (rows, least) = (samples.rows(), ROWS_PER_FOLD * folds);
        if rows < least {
            return Err(EstimatorError::FewRows { rows, folds: *folds, least });
        }
        let columns = samples.targets().columns();
        if self.targets == Targets::Jointly && columns > MOST_JOINT_TARGETS {
            let what = "the number of targets that are analysed jointly";
            let expected = format!("at most {MOST_JOINT_TARGETS}; analyse them one by one");
            return Err(EstimatorError::Samples { what, found: columns.to_string(), expected });
        }
        for column in 0..columns {
            let values = samples.targets().values().iter().skip(column).step_by(columns);
            let distinct = values.map(|value| value.to_bits()).collect::<BTreeSet<u64>>().len();
            if distinct < LEAST_VALUES.min(rows) {
                return Err(EstimatorError::DiscreteTarget { column, distinct, rows, least: LEAST_VALUES });
            }
        }
        Ok(())
    }
}

impl Targets {
    /// Returns the columns of the targets of each decomposition, of so many targets.
    pub(in crate::estimator) fn decomposed(self, targets: usize) -> Vec<Vec<usize>> {
        match self {
            Self::Each => (0..targets).map(|column| vec![column]).collect(),
            Self::Jointly => vec![(0..targets).collect()],
        }
    }
}

/// Checks samples that may have been put together by hand.
pub(super) fn check_samples(samples: &TargetSet) -> Result<()> {
    check_inputs(&samples.inputs(), samples.rows())?;
    let targets = samples.targets();
    if targets.columns() == 0 {
        return wrong("the number of targets", "0".to_owned(), "at least 1".to_owned());
    }
    match targets.values().iter().position(|value| !value.is_finite()) {
        Some(at) => {
            let found = format!(
                "{} in row {}, column {}",
                targets.values()[at],
                at / targets.columns(),
                at % targets.columns()
            );
            wrong("a target", found, "finite everywhere".to_owned())
        }
        None => Ok(()),
    }
}

/// Returns mean and deviation of every target.
pub(super) fn scales(samples: &TargetSet) -> Vec<[f64; 2]> {
    let targets = samples.targets();
    let scale = |column: usize| {
        let values: Vec<f64> = targets.values().iter().skip(column).step_by(targets.columns()).copied().collect();
        // Relative to the largest magnitude, squares stay in range.
        let largest = values.iter().fold(f64::MIN_POSITIVE, |largest: f64, value| largest.max(value.abs()));
        let relative: Vec<f64> = values.iter().map(|value| value / largest).collect();
        let deviation = lsmi_core::statistics::standard_deviation(&relative);
        [lsmi_core::statistics::mean(&relative) * largest, deviation * largest]
    };
    (0..targets.columns()).map(scale).collect()
}

/// Returns every target's values, standardised by means and deviations.
pub(super) fn standardised(samples: &TargetSet, scales: &[[f64; 2]]) -> Vec<Vec<f64>> {
    let targets = samples.targets();
    let column = |(column, [mean, deviation]): (usize, &[f64; 2])| {
        let values = targets.values().iter().skip(column).step_by(targets.columns());
        values.map(|value| (value - mean) / deviation).collect()
    };
    scales.iter().enumerate().map(column).collect()
}
