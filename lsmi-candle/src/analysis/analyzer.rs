//! The steps of an analysis, in their order.

use std::path::Path;

use crossbeam_channel::Sender;

use super::encoders::encoder_differences;
use super::evaluation::{Evaluation, training_rows};
use super::names::Words;
use super::ratings::{Rated, Ratings, RatingsSummary};
use super::summary::{NullSummary, Summary};
use super::{Analysis, AnalysisError, Model, Settings};
use crate::estimator::{self, CrossFit, Estimator, Progress, Scores, cross_fit, cross_fit_partial, seen_rows};
use crate::features::{FeatureFile, FeatureSet, PartialRows, Pooling, Split};
use crate::gates::{Gate, GateSettings, check_fitted};
use crate::samples::{PartialSamples, ScoredSplit};

/// An analysis that is about to be made: a table, settings, and what is looked at beside it.
#[derive(Debug)]
pub struct Analyzer<'a> {
    table: &'a FeatureFile,
    settings: &'a Settings,
    evaluations: &'a [Evaluation],
    models: &'a [Model],
    ratings: Option<(&'a Ratings, &'a Path)>,
    encoders: [Option<String>; 2],
    pooling: Option<Pooling>,
}

impl<'a> Analyzer<'a> {
    /// Prepares the analysis of a table.
    pub fn new(table: &'a FeatureFile, settings: &'a Settings) -> Self {
        Self { table, settings, evaluations: &[], models: &[], ratings: None, encoders: [None, None], pooling: None }
    }

    /// Adds rows that are scored by models that have not seen them.
    #[must_use]
    pub fn with_evaluations(self, evaluations: &'a [Evaluation]) -> Self {
        Self { evaluations, ..self }
    }

    /// Adds models whose logits take the place of heads.
    #[must_use]
    pub fn with_models(self, models: &'a [Model]) -> Self {
        Self { models, ..self }
    }

    /// Adds ratings, which were read from `file`.
    #[must_use]
    pub fn with_ratings(self, ratings: &'a Ratings, file: &'a Path) -> Self {
        Self { ratings: Some((ratings, file)), ..self }
    }

    /// Adds what made the features of each modality, as [`Data::encoders`](crate::features::Data::encoders) has it.
    #[must_use]
    pub fn with_encoders(self, encoders: [Option<String>; 2]) -> Self {
        Self { encoders, ..self }
    }

    /// Adds how sequences were pooled, as [`Data::pooling`](crate::features::Data::pooling) has it.
    #[must_use]
    pub fn with_pooling(self, pooling: Option<Pooling>) -> Self {
        Self { pooling, ..self }
    }

    /// Fits, scores, tests and summarises; every step of a fit goes to `progress`.
    ///
    /// # Errors
    /// [`AnalysisError`] if the table has no split `train`, cannot be fitted, or nothing that was rated is in it.
    pub fn run(self, progress: Option<&Sender<Progress>>) -> Result<Analysis, AnalysisError> {
        let (table, settings) = (self.table, self.settings);
        let train = training_rows(table)?;
        let not_found = self.unknown_ratings()?;
        let file = table.path.display().to_string();
        let fitted = estimator::Settings { repeats: settings.repeats_for(train.rows()), ..settings.fit.clone() };
        let partial = table.partial_of("train");
        self.check_partial(&file, partial)?;
        let about = AnalysisError::about(&file);
        let (fit, of_partial) = match partial {
            None => (cross_fit(train, &table.classes, &fitted, progress).map_err(about)?, None),
            Some(partial) => {
                let fit = cross_fit_partial(train, partial, &table.classes, &fitted, progress);
                let (fit, scores) = fit.map_err(about)?;
                (fit, Some(PartialSamples::new(scores, partial)))
            }
        };
        let null = self.null(&fit, train, &fitted, progress)?;

        let measures = settings.measures.as_slice();
        let mut others = Vec::new();
        let scored = |split: &Split, partial: Option<&PartialRows>, file: &str| {
            let scored = ScoredSplit::score(&split.name, &split.features, &fit.estimator, measures);
            let scored = scored.map_err(AnalysisError::about(file))?;
            let of_partial = partial
                .map(|partial| PartialSamples::score(partial, &fit.estimator))
                .transpose()
                .map_err(AnalysisError::about(file))?;
            Ok::<_, AnalysisError>(scored.with_seen(seen_rows(train, &split.features)).with_partial(of_partial))
        };
        for split in table.splits.iter().filter(|split| split.name != "train") {
            others.push(
                scored(split, table.partial_of(&split.name), &file)?.with_metadata(table.metadata_of(&split.name)),
            );
        }
        for evaluation in self.evaluations {
            let Evaluation { split, partial, metadata, file, .. } = evaluation;
            others.push(scored(split, partial.as_ref(), file)?.with_metadata(metadata));
        }
        let gates = self.gates(&fit, train, &others, &fitted, progress)?;
        let scale = settings.fit.scale_logits;
        let models = self.models.iter().map(|model| model.summary(&fit, scale, measures)).collect::<Result<_, _>>()?;
        let differ = self
            .evaluations
            .iter()
            .flat_map(|evaluation| encoder_differences(&evaluation.file, &self.encoders, &evaluation.encoders));
        let estimator = differ.fold(fit.estimator, Estimator::with_note);
        let estimator = estimator.with_encoders(self.encoders.clone()).with_pooling(self.pooling);
        let (training, estimator) = ScoredSplit::of_training(train, fit.scores, estimator, measures)?;
        let mut splits = vec![training.with_metadata(table.metadata_of("train")).with_partial(of_partial)];
        splits.extend(others);

        let classes = estimator.classes().names();
        let ratings = self
            .ratings
            .map(|(ratings, _)| RatingsSummary::new(ratings, &splits, classes, estimator.measure(), not_found));
        let summary = Summary::new(&estimator, &splits)?
            .with_null(null, estimator.description().given_heads.contains(&true))
            .with_models(models)
            .with_gates(gates)
            .with_ratings(ratings)
            .with_words(Words { names: &settings.names, label: &settings.label })
            .with_warnings()
            .with_notes_of_data(&table.notes);
        Ok(Analysis { estimator, splits, summary })
    }

    /// Refuses what is not made for training rows some of which lack a modality: what fits models again, or exchanges them.
    fn check_partial(&self, file: &str, partial: Option<&PartialRows>) -> Result<(), AnalysisError> {
        let Some(partial) = partial else { return Ok(()) };
        let asked = [
            ("the test against permuted labels", self.settings.permutations > 0),
            ("the gates", self.settings.gates.is_some()),
            ("logits of models", !self.models.is_empty()),
        ];
        match asked.into_iter().find_map(|(what, is_asked)| is_asked.then_some(what)) {
            Some(what) => Err(AnalysisError::Partial { file: file.to_owned(), what, rows: partial.count() }),
            None => Ok(()),
        }
    }

    /// Tests the means of the training rows against those under permuted labels, if that is wanted.
    fn null(
        &self,
        fit: &CrossFit,
        train: &FeatureSet,
        fitted: &estimator::Settings,
        progress: Option<&Sender<Progress>>,
    ) -> Result<Option<NullSummary>, AnalysisError> {
        if self.settings.permutations == 0 {
            return Ok(None);
        }
        let null = fit.null(train, fitted, self.settings.permutations, progress)?;
        Ok(Some(NullSummary::new(null, fit.estimator.classes().names())))
    }

    /// Asks the gates, if that is wanted.
    fn gates(
        &self,
        fit: &CrossFit,
        train: &FeatureSet,
        others: &[ScoredSplit],
        fitted: &estimator::Settings,
        progress: Option<&Sender<Progress>>,
    ) -> Result<Option<Vec<Gate>>, AnalysisError> {
        let Some(gates) = self.settings.gates else { return Ok(None) };
        // A gate asks one fit unless more were asked for: three times as many take three times as long.
        let estimator = estimator::Settings { repeats: self.settings.repeats.unwrap_or(1), ..fitted.clone() };
        let settings = GateSettings { strength: gates.strength, rows: gates.rows, estimator };
        let scores: Vec<(&str, &Scores)> = others.iter().map(|split| (split.name.as_str(), &split.scores)).collect();
        Ok(Some(check_fitted(train, &self.table.classes, fit, &scores, &settings, progress)?))
    }

    /// Lists what was rated, but is in none of the splits, before anything is fitted.
    fn unknown_ratings(&self) -> Result<Vec<String>, AnalysisError> {
        let Some((ratings, path)) = self.ratings else { return Ok(Vec::new()) };
        let unknown = match ratings.of {
            Rated::Classes => {
                let classes = self.table.classes.names();
                let known = classes.first().cloned().unwrap_or_default();
                ratings.unknown(path, |name| classes.iter().any(|class| class == name), known)
            }
            Rated::Samples => {
                let splits: Vec<&Split> =
                    self.table.splits.iter().chain(self.evaluations.iter().map(Evaluation::split)).collect();
                let indices: Vec<_> = splits.iter().map(|split| split.features.ids.index()).collect();
                let known = splits.first().and_then(|split| split.features.ids.iter().next()).unwrap_or_default();
                let is_known = |id: &str| indices.iter().any(|index| index.position(id).is_some());
                ratings.unknown(path, is_known, known.into_owned())
            }
        };
        Ok(unknown?)
    }
}
