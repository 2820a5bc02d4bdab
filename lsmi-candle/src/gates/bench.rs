//! The rows in question and fits of changed copies of them, which all gates share.

use std::cell::Cell;
use std::thread;

use crossbeam_channel::Sender;
use lsmi_core::Means;
use lsmi_core::statistics::standard_deviation;

use crate::densities::gauge::{Dims, Gauge, GaugeKind};
use crate::error::Result;
use crate::estimator::{CrossFit, Progress, Settings, cross_fit, find_groups};
use crate::features::{Classes, FeatureSet, Groups};
use crate::numbers::matrix::Matrix;

/// The rows in question, and fits of changed copies of them.
pub(super) struct Bench<'a> {
    pub(super) rows: FeatureSet,
    pub(super) classes: &'a Classes,
    pub(super) settings: Settings,
    /// x1 and x2 with the columns that vary, at mean 0 and variance 1.
    pub(super) standardised: [Matrix; 2],
    /// The columns that vary, of x1 and x2.
    pub(super) columns: [Vec<usize>; 2],
    fits: Fits<'a>,
}

impl<'a> Bench<'a> {
    /// Creates the bench. `settings` are those of the data's own fit.
    pub(super) fn new(rows: FeatureSet, classes: &'a Classes, settings: &Settings, fits: Fits<'a>) -> Result<Self> {
        let mut rows = rows;
        // Found once: changed copies of the rows keep the groups of the data.
        let groups = find_groups(&rows, settings.folds).0;
        rows.groups = Some(groups.unwrap_or_else(|| Groups::each_alone(rows.rows())));
        let mut settings = settings.clone();
        if let Some(fitted) = settings.densities.take() {
            // Densities fitted earlier are not those of changed features, which are measured in the same kind of gauge at least.
            settings.gauge = fitted.description().gauge;
            settings.dims = Dims::Auto;
        }
        let gauge = Gauge::fit(GaugeKind::Standardized, Dims::Auto, &rows.x1, &rows.x2)?;
        let (first, second) = (gauge.x1.standardizer(), gauge.x2.standardizer());
        let standardised =
            [matrix(first.columns(), first.apply(&rows.x1)), matrix(second.columns(), second.apply(&rows.x2))];
        let columns = [first.columns.clone(), second.columns.clone()];
        Ok(Self { rows, classes, settings, standardised, columns, fits })
    }

    /// Returns the rows with other features.
    pub(super) fn with_features(&self, x1: Matrix, x2: Matrix) -> FeatureSet {
        FeatureSet {
            ids: self.rows.ids.clone(),
            x1,
            x2,
            labels: self.rows.labels.clone(),
            logits: [None, None, None],
            groups: self.rows.groups.clone(),
        }
    }

    /// Cross-fits changed rows on behalf of a gate.
    pub(super) fn fit(
        &self,
        gate: &str,
        rows: &FeatureSet,
        classes: &Classes,
        settings: &Settings,
    ) -> Result<CrossFit> {
        self.fits.fit(gate, rows, classes, settings)
    }
}

/// Returns the mean raw redundancy, uniqueness and synergy of the rows of a fit.
pub(super) fn means(fit: &CrossFit) -> Means {
    fit.estimator.measure().decompose(&fit.scores.terms, &fit.scores.labels).means()
}

/// Returns the standard error of the mean; NaN for fewer than two values.
pub(super) fn standard_error(values: &[f64]) -> f64 {
    standard_deviation(values) / (values.len() as f64).sqrt()
}

/// Returns a matrix of values that come row after row.
#[expect(clippy::expect_used, reason = "values come in whole rows")]
pub(super) fn matrix(columns: usize, values: Vec<f64>) -> Matrix {
    Matrix::new(values.len() / columns, columns, values).expect("whole rows")
}

/// A series of fits whose steps are counted together.
pub(super) struct Fits<'a> {
    progress: Option<&'a Sender<Progress>>,
    done: Cell<usize>,
    total: usize,
}

impl<'a> Fits<'a> {
    /// Creates the series of `total` fits.
    pub(super) fn new(progress: Option<&'a Sender<Progress>>, total: usize) -> Self {
        Self { progress, done: Cell::new(0), total }
    }

    /// Makes the next of the fits, on behalf of `what`.
    pub(super) fn fit(
        &self,
        what: &str,
        rows: &FeatureSet,
        classes: &Classes,
        settings: &Settings,
    ) -> Result<CrossFit> {
        let fits_done = self.done.replace(self.done.get() + 1);
        let Some(listener) = self.progress else {
            return cross_fit(rows, classes, settings, None);
        };
        let total = self.total;
        let (sender, receiver) = crossbeam_channel::unbounded::<Progress>();
        thread::scope(|scope| {
            scope.spawn(move || {
                for step in receiver {
                    let done = fits_done * step.total + step.done;
                    let what = format!("{what}: {}", step.what);
                    drop(listener.try_send(Progress { done, total: total * step.total, what, loss: step.loss }));
                }
            });
            let fit = cross_fit(rows, classes, settings, Some(&sender));
            // Ends the thread above, which the scope waits for.
            drop(sender);
            fit
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::device::DeviceChoice;
    use lsmi_core::families::{FamilyName, Settings as FamilySettings};
    use lsmi_core::{SampleIds, random::stream};

    /// Settings and classes of a bench in a test.
    pub(in crate::gates) fn settings() -> (Settings, Classes) {
        let classes = Classes::new(vec!["no".to_owned(), "yes".to_owned()]).unwrap();
        (Settings { device: DeviceChoice::Cpu, ..Settings::default() }, classes)
    }

    /// Draws of a family of two classes.
    pub(in crate::gates) fn draw(name: FamilyName, rows: usize, dims: usize) -> FeatureSet {
        let family = name.build(&FamilySettings { dims, ..Default::default() }).unwrap();
        let draw = family.sample(rows, &mut stream(0, "test"));
        let (x1, x2) = (matrix(dims, draw.x1), matrix(dims, draw.x2));
        FeatureSet::new(SampleIds::rows(rows), x1, x2, draw.labels).unwrap()
    }

    #[test]
    fn steps_are_counted_over_all_fits() {
        let rows = draw(FamilyName::Or, 40, 1);
        let (settings, classes) = settings();
        let settings = Settings { folds: 2, ..settings };

        let (sender, receiver) = crossbeam_channel::unbounded();
        let fits = Fits::new(Some(&sender), 2);
        for what in ["first", "second"] {
            let heard = fits.fit(what, &rows, &classes, &settings).unwrap();
            assert_eq!(heard.scores, cross_fit(&rows, &classes, &settings, None).unwrap().scores);
        }
        drop(sender);
        let steps: Vec<Progress> = receiver.iter().collect();
        // Two densities and three heads a fold.
        assert!(steps.iter().all(|step| step.total == 2 * 10));
        assert_eq!(steps.iter().map(|step| step.done).max(), Some(20));
        assert!(steps.iter().all(|step| step.what.starts_with(if step.done > 10 { "second: " } else { "" })));
        assert!(steps[0].what.starts_with("first: "));
    }

    #[test]
    fn densities_fitted_earlier_are_not_reused_for_changed_features() {
        let rows = draw(FamilyName::Or, 40, 1);
        let (settings, classes) = settings();
        let raw = Settings { gauge: GaugeKind::Raw, ..settings.clone() };
        let fitted = cross_fit(&rows, &classes, &raw, None).unwrap().estimator;
        let settings = Settings { densities: Some(fitted.into()), dims: Dims::Fixed(1), ..settings };
        let bench = Bench::new(rows, &classes, &settings, Fits::new(None, 0)).unwrap();
        assert!(bench.settings.densities.is_none());
        assert_eq!((bench.settings.gauge, bench.settings.dims), (GaugeKind::Raw, Dims::Auto));
    }
}
