//! The fit to two of the modalities, put together from models that all sets share.

use lsmi_core::Subset;

use super::scores::heads_of_pair;
use super::{SeveralFit, SeveralModels};
use crate::densities::gauge::Gauge;
use crate::error::{EstimatorError, Result};
use crate::estimator::fitting::Fitting;
use crate::estimator::{CrossFit, FoldModels};
use crate::features::SeveralSet;
use crate::heads::HeadModel;

impl SeveralFit {
    /// Returns the fit to two of the modalities, `x1` and `x2` in the order of their places: an estimator like any other,
    /// and the terms of the training rows. `train` are the samples that were fitted.
    ///
    /// # Errors
    /// [`EstimatorError::Samples`] if `train` has other samples; a missing term if the subset is no pair of the modalities.
    pub fn pair(&self, train: &SeveralSet, pair: Subset) -> Result<CrossFit> {
        let estimator = &self.estimator;
        if train.ids != self.scores.ids || train.labels != self.scores.labels {
            return Err(EstimatorError::Samples {
                what: "ids and labels",
                found: "others".to_owned(),
                expected: "those of the rows that were fitted, in their order".to_owned(),
            });
        }
        let scores = self.scores.pair(pair)?;
        let missing = || lsmi_core::Error::MissingTerm { term: format!("i{pair}") };
        let (samples, sets) = train.pair(pair).zip(heads_of_pair(pair)).ok_or_else(missing)?;
        let models = |models: &SeveralModels| {
            let density = |set: Subset| models.densities.get(&set).cloned().ok_or_else(missing);
            let head = |set: Subset| models.heads.get(&set).cloned().map(HeadModel::Pool).ok_or_else(missing);
            let [one, two, both] = sets;
            Ok(FoldModels {
                densities: [density(one)?, density(two)?],
                heads: [head(one)?, head(two)?, head(both)?],
                parts: [None, None],
            })
        };
        let folds = |folds: &Vec<SeveralModels>| folds.iter().map(models).collect::<lsmi_core::Result<Vec<_>>>();
        let repeats = estimator.repeats.iter().map(folds).collect::<lsmi_core::Result<Vec<_>>>()?;
        let gauge =
            |set: Subset| set.members().next().map(|member| estimator.gauge[member].clone()).ok_or_else(missing);
        let fitting = Fitting {
            data_hash: samples.hash(),
            train: &samples,
            classes: estimator.classes(),
            settings: &self.settings,
            gauge: Gauge::of_pair(estimator.description.gauge, gauge(sets[0])?, gauge(sets[1])?),
            grouping: estimator.description.grouping.clone(),
            groups: scores.groups.clone(),
            prior: estimator.prior.clone(),
            partitions: Vec::new(),
            repeats,
            device: estimator.device.clone(),
        };
        Ok(CrossFit::new(fitting.into_estimator(None), scores))
    }
}
