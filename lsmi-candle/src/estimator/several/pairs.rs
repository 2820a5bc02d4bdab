//! The fit to two of the modalities, put together from models that all sets share.

use std::collections::BTreeMap;

use lsmi_core::Subset;

use super::scores::heads_of_pair;
use super::{PairDescription, SeveralEstimator, SeveralFit, SeveralModels, SeveralScores};
use crate::densities::gauge::Gauge;
use crate::error::Result;
use crate::estimator::fitting::Fitting;
use crate::estimator::{CrossFit, Description, Estimator, FoldModels, SCHEMA, Settings, Shortfall};
use crate::features::SeveralSet;
use crate::heads::HeadModel;

impl SeveralFit {
    /// Returns the fit to two of the modalities, `x1` and `x2` in the order of their places: an estimator like any other,
    /// and the terms of the training rows.
    ///
    /// # Errors
    /// A missing term if the subset is no pair of the modalities.
    pub fn pair(&self, pair: Subset) -> Result<CrossFit> {
        Ok(CrossFit::new(self.estimator.pair(pair)?, self.scores.pair(pair)?))
    }
}

impl SeveralEstimator {
    /// Returns the estimator of two of the modalities, `x1` and `x2` in the order of their places: that of a fit to these two by
    /// the same gauge and folds.
    ///
    /// # Errors
    /// A missing term if the subset is no pair of the modalities.
    pub fn pair(&self, pair: Subset) -> Result<Estimator> {
        let missing = || lsmi_core::Error::MissingTerm { term: format!("i{pair}") };
        let (of_pair, sets) = self.description.pairs.get(&pair).zip(heads_of_pair(pair)).ok_or_else(missing)?;
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
        let repeats = self.repeats.iter().map(folds).collect::<lsmi_core::Result<Vec<_>>>()?;
        let gauge = self.gauge_of_pair(pair)?;
        let of = &self.description;
        let description = Description {
            schema: SCHEMA,
            version: of.version.clone(),
            gauge: of.gauge,
            gauge_dims: [gauge.x1.dims(), gauge.x2.dims()],
            dims: [gauge.x1.standardizer().input_columns(), gauge.x2.standardizer().input_columns()],
            classes: of.classes.clone(),
            given_heads: [false; 3],
            prior: of.prior.clone(),
            measure: of.measure,
            reference: of_pair.reference.clone(),
            seed: of.seed,
            folds: of.folds,
            repeats: of.repeats,
            rows: of.rows,
            data_hash: of_pair.data_hash.clone(),
            encoders: [None, None],
            pooling: None,
            shortfall: of_pair.shortfall.clone(),
            grouping: of.grouping.clone(),
            notes: of_pair.notes.clone(),
        };
        Ok(Estimator { description, prior: self.prior.clone(), gauge, repeats, device: self.device.clone() })
    }

    /// Returns the estimator with the shortfall of means over rows of two modalities that it scores.
    #[must_use]
    pub fn with_shortfall(mut self, pair: Subset, shortfall: Shortfall) -> Self {
        if let Some(of_pair) = self.description.pairs.get_mut(&pair) {
            of_pair.shortfall = Some(shortfall);
        }
        self
    }

    /// Describes the fits to each pair of modalities; `scores` are those of the training rows.
    pub(super) fn describe_pairs(
        &self,
        train: &SeveralSet,
        settings: &Settings,
        scores: &SeveralScores,
    ) -> Result<BTreeMap<Subset, PairDescription>> {
        let described = |pair: Subset| {
            let missing = || lsmi_core::Error::MissingTerm { term: format!("i{pair}") };
            let samples = train.pair(pair).ok_or_else(missing)?;
            let fitting = Fitting {
                data_hash: samples.hash(),
                train: &samples,
                classes: self.classes(),
                settings,
                gauge: self.gauge_of_pair(pair)?,
                grouping: None,
                groups: None,
                prior: self.prior.clone(),
                partitions: Vec::new(),
                repeats: Vec::new(),
                device: self.device.clone(),
            };
            let Description { data_hash, notes, .. } = fitting.into_estimator(None).description;
            let scores = scores.pair(pair)?;
            let reference = settings.measure.reference(&scores.terms, &scores.labels, self.classes().len());
            Ok((pair, PairDescription { reference, data_hash, shortfall: None, notes }))
        };
        scores.pairs().map(described).collect()
    }

    /// Returns the gauge of two of the modalities.
    fn gauge_of_pair(&self, pair: Subset) -> lsmi_core::Result<Gauge> {
        let missing = || lsmi_core::Error::MissingTerm { term: format!("h{pair}") };
        let mut members = pair.members().map(|member| self.gauge.get(member).cloned().ok_or_else(missing));
        let mut next = || members.next().unwrap_or_else(|| Err(missing()));
        Ok(Gauge::of_pair(self.description.gauge, next()?, next()?))
    }
}
