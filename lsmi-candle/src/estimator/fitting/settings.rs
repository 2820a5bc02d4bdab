//! Settings of the cross-fitted estimator.

use std::sync::Arc;

use lsmi_core::{Measure, PriorChoice};

use crate::densities::gauge::{Dims, GaugeKind};
use crate::densities::knife;
use crate::device::DeviceChoice;
use crate::error::{EstimatorError, Result};
use crate::estimator::Estimator;

/// Fewest training rows a fold: enough to fit, hold out and calibrate.
const ROWS_PER_FOLD: usize = 4;

/// Settings of the cross-fitted estimator.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Seed of every random stream. Default: 0.
    pub seed: u64,
    /// Number of folds, at least 2. Default: 5.
    pub folds: usize,
    /// Fits with folds and draws of their own that are averaged, at least 1. Default: 1.
    pub repeats: usize,
    /// The coordinates that surprisals are measured in. Default: whitened.
    pub gauge: GaugeKind,
    /// Dimensions of the whitened coordinates; only for them. Default: automatic.
    pub dims: Dims,
    /// The class prior of the information terms. Default: empirical.
    pub prior: PriorChoice,
    /// The definition of redundancy. Default: `pm`.
    pub measure: Measure,
    /// The method by which densities are fitted. Default: by held-out likelihood.
    pub knife: knife::Params,
    /// An estimator whose gauge and densities are reused instead of fitting them; [`Self::gauge`] and [`Self::dims`]
    /// then have no effect. Default: `None`.
    pub densities: Option<Arc<Estimator>>,
    /// The fold of every row in each repeat, in place of dealing them; rows of one group must share a fold. Default: `None`.
    pub folds_of_rows: Option<Arc<Vec<Vec<u32>>>>,
    /// Whether classes may have fewer rows than folds. All heads are then class means with one covariance, for these need a
    /// single row of a class; a class without rows outside a fold has the mean of all rows there and the share of half a
    /// row. Default: no.
    pub prototypes: bool,
    /// Whether the user's logits are scaled by a temperature fitted on training rows. Default: no.
    pub scale_logits: bool,
    /// Models fitted at the same time; 0: as many as the machine has processors. Default: 0.
    ///
    /// Every model is fitted by one thread, so the result does not depend on this number. candle must be kept from
    /// starting threads of its own: set the environment variables `RAYON_NUM_THREADS` and `CANDLE_NUM_THREADS` to 1.
    pub threads: usize,
    /// The device that tensors live on. Default: automatic.
    pub device: DeviceChoice,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 0,
            folds: 5,
            repeats: 1,
            gauge: GaugeKind::default(),
            dims: Dims::default(),
            prior: PriorChoice::Empirical,
            measure: Measure::default(),
            knife: knife::Params::default(),
            densities: None,
            folds_of_rows: None,
            prototypes: false,
            scale_logits: false,
            threads: 0,
            device: DeviceChoice::default(),
        }
    }
}

impl Settings {
    /// Checks the settings against each other and the number of rows.
    pub(in crate::estimator) fn check_without_labels(&self, rows: usize) -> Result<()> {
        if self.folds < 2 || u32::try_from(self.folds).is_err() {
            return Err(EstimatorError::Setting {
                name: "folds",
                found: self.folds.to_string(),
                expected: "at least 2, as every row's terms come from models that did not see it".to_owned(),
            });
        }
        if self.repeats == 0 {
            let expected = "at least 1".to_owned();
            return Err(EstimatorError::Setting { name: "repeats", found: "0".to_owned(), expected });
        }
        if self.dims == Dims::Fixed(0) {
            let expected = "`auto` or a number of at least 1".to_owned();
            return Err(EstimatorError::Setting { name: "dims", found: "0".to_owned(), expected });
        }
        if self.gauge != GaugeKind::Whitened && self.dims != Dims::Auto {
            return Err(EstimatorError::Setting {
                name: "dims",
                found: "a number".to_owned(),
                expected: format!("`auto` in the {} gauge, which keeps all columns", self.gauge),
            });
        }
        let is_whole = |folds: &Vec<u32>| folds.len() == rows && folds.iter().all(|fold| (*fold as usize) < self.folds);
        let given = self.folds_of_rows.as_deref();
        if given.is_some_and(|repeats| repeats.len() != self.repeats || !repeats.iter().all(is_whole)) {
            return Err(EstimatorError::Setting {
                name: "folds_of_rows",
                found: "of other rows, folds or repeats".to_owned(),
                expected: format!(
                    "a fold below {} for each of {rows} rows in each of {} repeats",
                    self.folds, self.repeats
                ),
            });
        }
        Ok(())
    }

    /// Checks the settings against labels below `classes.len()`, given the class names.
    pub(in crate::estimator) fn check(&self, labels: &[u32], classes: &[String]) -> Result<()> {
        let rows = labels.len();
        self.check_without_labels(rows)?;
        let mut counts = vec![0usize; classes.len()];
        for label in labels {
            counts[*label as usize] += 1;
        }
        if counts.iter().filter(|count| **count > 0).count() < 2 {
            let class = labels.first().map_or_else(String::new, |label| classes[*label as usize].clone());
            return Err(EstimatorError::OneClass { class });
        }
        if let Some(rare) = counts.iter().position(|count| *count < self.folds).filter(|_| !self.prototypes) {
            return Err(EstimatorError::RareClass {
                class: classes[rare].clone(),
                rows: counts[rare],
                folds: self.folds,
            });
        }
        let least = ROWS_PER_FOLD * self.folds;
        if rows < least {
            return Err(EstimatorError::FewRows { rows, folds: self.folds, least });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(settings: &Settings, labels: &[u32]) -> Result<()> {
        settings.check(labels, &["a".to_owned(), "b".to_owned()])
    }

    #[test]
    fn invalid_folds() {
        let settings = Settings { folds: 1, ..Default::default() };
        assert!(matches!(check(&settings, &[0, 1]), Err(EstimatorError::Setting { name: "folds", .. })));
    }

    #[test]
    fn dims_outside_the_whitened_gauge() {
        for (gauge, dims) in [(GaugeKind::Raw, 3), (GaugeKind::Whitened, 0)] {
            let settings = Settings { gauge, dims: Dims::Fixed(dims), ..Default::default() };
            assert!(matches!(check(&settings, &[0, 1]), Err(EstimatorError::Setting { name: "dims", .. })));
        }
    }

    #[test]
    fn folds_of_other_rows() {
        let labels: Vec<u32> = (0..30).map(|row| row % 2).collect();
        for (folds, is_right) in [(vec![4; 30], true), (vec![5; 30], false), (vec![0; 29], false)] {
            let settings = Settings { folds_of_rows: Some(Arc::new(vec![folds])), ..Default::default() };
            assert_eq!(check(&settings, &labels).is_ok(), is_right);
        }
    }

    #[test]
    fn unusable_labels() {
        let settings = Settings::default();
        assert!(matches!(check(&settings, &[1; 30]), Err(EstimatorError::OneClass { class }) if class == "b"));
        let rare: Vec<u32> = (0..30).map(|row| u32::from(row < 4)).collect();
        assert!(matches!(check(&settings, &rare), Err(EstimatorError::RareClass { rows: 4, folds: 5, .. })));
        assert!(check(&Settings { prototypes: true, ..Default::default() }, &rare).is_ok());
        let few: Vec<u32> = (0..12).map(|row| row % 2).collect();
        assert!(matches!(check(&settings, &few), Err(EstimatorError::FewRows { rows: 12, least: 20, .. })));
        let enough: Vec<u32> = (0..20).map(|row| row % 2).collect();
        assert!(check(&settings, &enough).is_ok());
    }
}
