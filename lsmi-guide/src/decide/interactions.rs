//! The interactions of samples: their terms by id, their labels, the class prior, and the reference that measures need.

use std::sync::Arc;

use lsmi_candle::estimator::CrossFit;
use lsmi_core::{ClassPrior, Decomposition, Measure, Reference, SampleIds, Terms};

use crate::decide::lookup::Lookup;
use crate::error::{GuideError, Result};

/// The interactions of samples, by id.
///
/// Kept are the terms, from which [`Interactions::decompose`] computes redundancy, uniqueness and synergy by any measure.
///
/// The measures `mmi` and `min` ask which modality tells less on average. The answer is that of all training samples and is
/// carried along as a [`Reference`]: a batch, or a part of the samples, is judged as the whole was and never by itself.
///
/// ```
/// use lsmi_core::{ClassPrior, Measure, SampleIds, Terms};
/// use lsmi_guide::Interactions;
///
/// let ids = SampleIds::from_names(["cat", "dog"])?;
/// let zeros = vec![0.0; 2];
/// let terms = Terms::new(ids, zeros.clone(), zeros, vec![0.6, 0.0], vec![0.6, 0.0], vec![0.6, 0.7])?;
/// let interactions = Interactions::new(terms, vec![0, 1], ClassPrior::uniform(2)?)?;
/// let parts = interactions.decompose(Measure::Ccs);
/// // Both modalities tell what the cat is, and only both together what the dog is.
/// assert_eq!((parts.r[0], parts.s[1]), (0.6, 0.7));
/// # Ok::<(), lsmi_guide::GuideError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Interactions {
    terms: Terms,
    labels: Vec<u32>,
    prior: ClassPrior,
    reference: Reference,
    confidence: Option<Vec<f64>>,
    lookup: Arc<Lookup>,
}

impl Interactions {
    /// Takes terms, the class of every sample and the prior that the terms are measured against. The samples are their own
    /// [reference](Self::reference); [`Self::with_reference`] gives them that of the data that they are a part of.
    ///
    /// # Errors
    /// [`GuideError::Length`] if there is not one label a sample, [`GuideError::Core`] if a label is no class of the prior
    /// or an id comes twice.
    pub fn new(terms: Terms, labels: Vec<u32>, prior: ClassPrior) -> Result<Self> {
        let lookup = Arc::new(Lookup::new(terms.ids.clone())?);
        Self::by(lookup, terms, labels, prior)
    }

    /// As [`Self::new`], for samples whose index there is already.
    pub(crate) fn by(lookup: Arc<Lookup>, terms: Terms, labels: Vec<u32>, prior: ClassPrior) -> Result<Self> {
        check_length("labels", terms.len(), labels.len())?;
        let classes = prior.classes();
        if let Some(row) = labels.iter().position(|label| *label as usize >= classes) {
            return Err(lsmi_core::Error::Label { row, found: labels[row], classes }.into());
        }
        // The same for every measure.
        let reference = Measure::default().reference(&terms, &labels, classes);
        Ok(Self { terms, labels, prior, reference, confidence: None, lookup })
    }

    /// Takes the scores that a cross-fit gave its training rows, each by models that did not see it.
    ///
    /// The confidence is that of the head of both modalities; [`Self::with_confidence`] replaces it by a teacher's.
    ///
    /// # Errors
    /// Those of [`Self::new`].
    pub fn from_cross_fit(fit: &CrossFit) -> Result<Self> {
        let scores = &fit.scores;
        Self::new(scores.terms.clone(), scores.labels.clone(), fit.estimator.prior().clone())?
            .with_reference(fit.estimator.reference().clone())
            .with_confidence(scores.confidences[2].clone())
    }

    /// Sets the data set that `mmi` and `min` judge by, usually all training samples.
    #[must_use]
    pub fn with_reference(self, reference: Reference) -> Self {
        Self { reference, ..self }
    }

    /// Sets the probability that a teacher gives to its most probable class, one a sample.
    ///
    /// # Errors
    /// [`GuideError::Length`] if there is not one a sample, [`GuideError::Confidence`] if one is not between 0 and 1.
    pub fn with_confidence(mut self, confidence: Vec<f64>) -> Result<Self> {
        check_length("confidence", self.len(), confidence.len())?;
        // Probabilities are exponentials of rounded logarithms.
        if let Some(row) = confidence.iter().position(|value| !(0.0..=1.0 + 1e-6).contains(value)) {
            return Err(GuideError::Confidence { id: self.ids().get(row).into_owned(), found: confidence[row] });
        }
        self.confidence = Some(confidence);
        Ok(self)
    }

    /// Counts the samples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Returns whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Returns the ids of the samples.
    pub fn ids(&self) -> &SampleIds {
        &self.terms.ids
    }

    /// Returns the terms of the samples, in nats.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Returns the class of every sample.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Returns the class prior that the terms are measured against.
    pub fn prior(&self) -> &ClassPrior {
        &self.prior
    }

    /// Returns what `mmi` and `min` judge by.
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// Returns the teacher's confidence in every sample, where it is known.
    pub fn confidence(&self) -> Option<&[f64]> {
        self.confidence.as_deref()
    }

    /// Computes redundancy, uniqueness and synergy of every sample by a measure: raw, in nats, in the order of the ids.
    ///
    /// `mmi` and `min` judge by the [reference](Self::reference), which a part of the samples shares with the whole.
    pub fn decompose(&self, measure: Measure) -> Decomposition {
        measure.decompose_with(&self.terms, &self.labels, &self.reference)
    }

    /// Finds the rows of the samples of a batch.
    ///
    /// # Errors
    /// [`GuideError::UnknownId`] naming a sample that is not here, [`GuideError::Core`] naming an id that comes twice.
    pub fn rows(&self, batch: &SampleIds) -> Result<Vec<usize>> {
        self.lookup.rows_of(batch, "interactions")
    }

    /// Selects the interactions of a batch, in its order; they keep the reference of the whole.
    ///
    /// # Errors
    /// Those of [`Self::rows`].
    pub fn batch(&self, batch: &SampleIds) -> Result<Self> {
        self.select(&self.rows(batch)?)
    }

    /// Selects the interactions of rows, in the order given; they keep the reference of the whole.
    ///
    /// # Errors
    /// [`GuideError::Core`] naming an id that comes twice, as a row was given twice.
    ///
    /// # Panics
    /// If there is no such row, as indexing a slice does.
    pub fn select(&self, rows: &[usize]) -> Result<Self> {
        let labels = rows.iter().map(|row| self.labels[*row]).collect();
        let selected = Self::new(self.terms.select(rows), labels, self.prior.clone())?;
        let selected = selected.with_reference(self.reference.clone());
        match &self.confidence {
            Some(confidence) => selected.with_confidence(rows.iter().map(|row| confidence[*row]).collect()),
            None => Ok(selected),
        }
    }

    /// Averages with earlier interactions, exponentially: `keep * earlier + (1 - keep) * these`, term by term.
    ///
    /// A sample without earlier terms keeps its own, and the reference is that of these interactions. Terms are averaged and not components, so that r, u1, u2 and s still
    /// follow from one set of terms, by whatever measure.
    ///
    /// # Errors
    /// [`GuideError::Setting`] unless `keep` is at least 0 and below 1.
    pub fn smoothed(&self, earlier: &Self, keep: f64) -> Result<Self> {
        check_smoothing(keep)?;
        if keep == 0.0 {
            return Ok(self.clone());
        }
        let rows: Vec<Option<usize>> = self.ids().iter().map(|id| earlier.lookup.row(&id)).collect();
        let average = |now: &[f64], before: &[f64]| -> Vec<f64> {
            let value = |(now, row): (&f64, &Option<usize>)| match row {
                Some(row) => keep * before[*row] + (1.0 - keep) * now,
                None => *now,
            };
            now.iter().zip(&rows).map(value).collect()
        };
        let (now, before) = (&self.terms, &earlier.terms);
        let terms = Terms::new(
            now.ids.clone(),
            average(&now.h1, &before.h1),
            average(&now.h2, &before.h2),
            average(&now.i1, &before.i1),
            average(&now.i2, &before.i2),
            average(&now.i12, &before.i12),
        )?;
        Ok(Self { terms, ..self.clone() })
    }

    pub(crate) fn lookup(&self) -> &Arc<Lookup> {
        &self.lookup
    }
}

pub(crate) fn check_smoothing(keep: f64) -> Result<()> {
    if (0.0..1.0).contains(&keep) {
        return Ok(());
    }
    let expected = "at least 0 and below 1".to_owned();
    Err(GuideError::Setting { name: "smoothing", found: keep.to_string(), expected })
}

pub(crate) fn check_length(what: &'static str, expected: usize, found: usize) -> Result<()> {
    if expected == found { Ok(()) } else { Err(GuideError::Length { what, expected, found }) }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Two classes; sample by sample redundant, unique to x1, unique to x2, synergistic, and telling nothing.
    pub(crate) fn five() -> Interactions {
        let ids = SampleIds::from_names(["r", "u1", "u2", "s", "n"]).unwrap();
        let zeros = vec![0.0; 5];
        let terms = Terms::new(
            ids,
            zeros.clone(),
            zeros,
            vec![0.6, 0.6, 0.0, 0.0, 0.0],
            vec![0.6, 0.0, 0.6, 0.0, 0.0],
            vec![0.6, 0.6, 0.6, 0.6, 0.0],
        );
        Interactions::new(terms.unwrap(), vec![0, 1, 0, 1, 0], ClassPrior::uniform(2).unwrap()).unwrap()
    }

    #[test]
    fn a_batch_is_in_its_own_order() {
        let batch = five().batch(&SampleIds::from_names(["s", "r"]).unwrap()).unwrap();
        assert_eq!(batch.labels(), [1, 0]);
        assert_eq!(batch.terms().i1, [0.0, 0.6]);
    }

    #[test]
    fn a_part_is_judged_by_the_reference_of_the_whole() {
        // x2 tells less on the whole and about class 0; in the batch of the first sample alone x1 does.
        let zeros = || vec![0.0; 3];
        let terms = Terms::new(SampleIds::rows(3), zeros(), zeros(), vec![0.1, 0.9, 0.9], vec![0.4, 0.2, 0.2], zeros())
            .unwrap();
        let whole = Interactions::new(terms, vec![0, 0, 1], ClassPrior::uniform(2).unwrap()).unwrap();
        let part = whole.batch(&SampleIds::rows(3).select(&[0])).unwrap();
        for measure in Measure::ALL {
            assert_eq!(part.decompose(measure).r[0], whole.decompose(measure).r[0], "{measure}");
        }
        assert_eq!(part.decompose(Measure::Mmi).r, [0.4]);
        // A data set of its own is judged by itself.
        let alone = Interactions::new(part.terms().clone(), vec![0], part.prior().clone()).unwrap();
        assert_eq!(alone.decompose(Measure::Min).r, [0.1]);
    }

    #[test]
    fn smoothing_averages_by_id_and_leaves_new_samples() {
        let earlier = five().batch(&SampleIds::from_names(["s", "u1"]).unwrap()).unwrap();
        let now = five().batch(&SampleIds::from_names(["u1", "n", "s"]).unwrap()).unwrap();
        let mut terms = now.terms().clone();
        terms.i1 = vec![0.2, 0.5, 0.4];
        let now = Interactions::new(terms, now.labels().to_vec(), now.prior().clone()).unwrap();
        let found = now.smoothed(&earlier, 0.75).unwrap();
        let expected = [0.75 * 0.6 + 0.25 * 0.2, 0.5, 0.25 * 0.4];
        assert!(found.terms().i1.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-15));
        assert!(matches!(now.smoothed(&earlier, 1.0), Err(GuideError::Setting { name: "smoothing", .. })));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let (terms, prior) = (five().terms().clone(), ClassPrior::uniform(2).unwrap());
        let error = Interactions::new(terms.clone(), vec![0], prior.clone()).unwrap_err();
        assert!(matches!(error, GuideError::Length { what: "labels", expected: 5, found: 1 }));
        let error = Interactions::new(terms, vec![0, 0, 2, 0, 0], prior).unwrap_err();
        assert!(matches!(error, GuideError::Core(lsmi_core::Error::Label { row: 2, found: 2, classes: 2 })));
        let error = five().with_confidence(vec![0.5, 0.5, f64::NAN, 0.5, 0.5]).unwrap_err();
        assert!(matches!(error, GuideError::Confidence { id, .. } if id == "u2"));
    }
}
