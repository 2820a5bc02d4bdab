//! Class priors, and pointwise information relative to them.
//!
//! ```
//! use lsmi_core::ClassPrior;
//!
//! let prior = ClassPrior::empirical(&[0, 0, 0, 1], 2)?;
//! assert!((prior.log_probability(0) - 0.75_f64.ln()).abs() < 1e-15);
//! # Ok::<(), lsmi_core::Error>(())
//! ```

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result, check_length},
    terms::Terms,
};

/// The largest deviation of the sum of given probabilities from 1.
const SUM_TOLERANCE: f64 = 1e-6;

/// The choice of the probabilities of the classes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriorChoice {
    /// The shares of the classes among the labels.
    #[default]
    Empirical,
    /// The same probability for every class.
    Uniform,
    /// These, one a class.
    Given(Vec<f64>),
}

impl PriorChoice {
    /// Returns the prior for these labels and this number of classes.
    ///
    /// # Errors
    ///
    /// Those of [`ClassPrior::empirical`], [`ClassPrior::uniform`] or [`ClassPrior::given`], and [`Error::Classes`] if
    /// not as many probabilities were given as there are classes.
    pub fn resolve(&self, labels: &[u32], classes: usize) -> Result<ClassPrior> {
        match self {
            Self::Empirical => ClassPrior::empirical(labels, classes),
            Self::Uniform => ClassPrior::uniform(classes),
            Self::Given(probabilities) if probabilities.len() != classes => {
                Err(Error::Classes { what: "the given class prior", expected: classes, found: probabilities.len() })
            }
            Self::Given(probabilities) => ClassPrior::given(probabilities),
        }
    }
}

/// The probability of every class: above 0, with sum 1, kept as logarithms.
///
/// As JSON it is the array of the log-probabilities.
///
/// ```
/// use lsmi_core::ClassPrior;
///
/// let prior = ClassPrior::empirical(&[0, 1, 1, 1], 2)?;
/// assert_eq!(prior.log_probability(1), 0.75_f64.ln());
/// # Ok::<(), lsmi_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<f64>", into = "Vec<f64>")]
pub struct ClassPrior(Vec<f64>);

impl ClassPrior {
    /// Creates the prior of the shares of the classes among the labels.
    ///
    /// # Errors
    ///
    /// [`Error::Label`] if a label is not below `classes`, [`Error::AbsentClass`] if a class does not occur, and
    /// [`Error::Parameter`] if there are no classes.
    pub fn empirical(labels: &[u32], classes: usize) -> Result<Self> {
        check_classes(classes)?;
        let mut counts = vec![0_usize; classes];
        for (row, &label) in labels.iter().enumerate() {
            *counts.get_mut(label as usize).ok_or(Error::Label { row, found: label, classes })? += 1;
        }
        if let Some(class) = counts.iter().position(|&count| count == 0) {
            return Err(Error::AbsentClass { class });
        }
        let n = labels.len() as f64;
        Ok(Self(counts.into_iter().map(|count| (count as f64 / n).ln()).collect()))
    }

    /// Creates the prior with the same probability for every class.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if there are no classes.
    pub fn uniform(classes: usize) -> Result<Self> {
        check_classes(classes)?;
        Ok(Self(vec![-(classes as f64).ln(); classes]))
    }

    /// Creates the prior with the given probabilities, one for each class.
    ///
    /// # Errors
    ///
    /// [`Error::Probability`] if one is not above 0 and at most 1, [`Error::ProbabilitySum`] if their sum is off 1 by
    /// more than a millionth, and [`Error::Parameter`] if there are none.
    pub fn given(probabilities: &[f64]) -> Result<Self> {
        check_classes(probabilities.len())?;
        let wrong = |probability: &f64| !(*probability > 0.0 && *probability <= 1.0);
        if let Some(class) = probabilities.iter().position(wrong) {
            return Err(Error::Probability { class, found: probabilities[class] });
        }
        let found: f64 = probabilities.iter().sum();
        if (found - 1.0).abs() > SUM_TOLERANCE {
            return Err(Error::ProbabilitySum { array: "the class prior", found });
        }
        Ok(Self(probabilities.iter().map(|probability| probability.ln()).collect()))
    }

    /// Creates the prior from log-probabilities, one for each class, as returned by [`ClassPrior::log_probabilities`].
    ///
    /// # Errors
    ///
    /// Those of [`ClassPrior::given`].
    pub fn from_log_probabilities(log_probabilities: Vec<f64>) -> Result<Self> {
        let probabilities: Vec<f64> = log_probabilities.iter().map(|value| value.exp()).collect();
        Self::given(&probabilities)?;
        Ok(Self(log_probabilities))
    }

    /// Returns log p(y) of a class.
    ///
    /// # Panics
    ///
    /// If there is no such class.
    #[inline]
    pub fn log_probability(&self, class: usize) -> f64 {
        self.0[class]
    }

    /// Returns log p(y) of every class.
    pub fn log_probabilities(&self) -> &[f64] {
        &self.0
    }

    /// Returns the number of classes.
    pub fn classes(&self) -> usize {
        self.0.len()
    }
}

impl TryFrom<Vec<f64>> for ClassPrior {
    type Error = Error;

    fn try_from(log_probabilities: Vec<f64>) -> Result<Self> {
        Self::from_log_probabilities(log_probabilities)
    }
}

impl From<ClassPrior> for Vec<f64> {
    fn from(prior: ClassPrior) -> Self {
        prior.0
    }
}

fn check_classes(classes: usize) -> Result<()> {
    if classes == 0 { Err(Error::parameter("classes", "at least 1", &classes)) } else { Ok(()) }
}

impl Terms {
    /// Returns the terms with every pointwise mutual information relative to another class prior:
    ///
    /// ```text
    /// i' = i + log p_from(y) - log p_to(y)   for i1, i2 and i12
    /// ```
    ///
    /// The posteriors p(y|.) stay what they are; only the prior changes that they are compared with. Under the measures
    /// `pm`, `sx`, `mmi` and `min` (the weaker modality given) r moves by the same amount, and u1, u2 and s do not move.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if there is not one label a sample, [`Error::Classes`] if the priors have different numbers of
    /// classes, [`Error::Label`] if a label names none of them.
    ///
    /// ```
    /// use lsmi_core::{ClassPrior, SampleIds, Terms};
    ///
    /// let zero = vec![0.0];
    /// let terms =
    ///     Terms::new(SampleIds::rows(1), zero.clone(), zero.clone(), zero.clone(), zero.clone(), zero)?;
    /// let (from, to) = (ClassPrior::given(&[0.75, 0.25])?, ClassPrior::uniform(2)?);
    /// let terms = terms.with_prior(&[0], &from, &to)?;
    /// assert!((terms.i12[0] - 1.5_f64.ln()).abs() < 1e-15);
    /// # Ok::<(), lsmi_core::Error>(())
    /// ```
    pub fn with_prior(&self, labels: &[u32], from: &ClassPrior, to: &ClassPrior) -> Result<Self> {
        check_length("labels", self.len(), labels.len())?;
        let classes = from.classes();
        if to.classes() != classes {
            return Err(Error::Classes { what: "the new class prior", expected: classes, found: to.classes() });
        }
        if let Some(row) = labels.iter().position(|&label| label as usize >= classes) {
            return Err(Error::Label { row, found: labels[row], classes });
        }
        let change: Vec<f64> = from.0.iter().zip(&to.0).map(|(from, to)| from - to).collect();
        let moved =
            |values: &[f64]| values.iter().zip(labels).map(|(value, &label)| value + change[label as usize]).collect();
        Self::new(
            self.ids.clone(),
            self.h1.clone(),
            self.h2.clone(),
            moved(&self.i1),
            moved(&self.i2),
            moved(&self.i12),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SampleIds;

    #[test]
    fn each_choice_resolves_to_its_prior() {
        let labels = [0, 1, 1, 1];
        let given = vec![0.125, 0.875];
        for (choice, expected) in [
            (PriorChoice::Empirical, [0.25, 0.75]),
            (PriorChoice::Uniform, [0.5, 0.5]),
            (PriorChoice::Given(given), [0.125, 0.875]),
        ] {
            let prior = choice.resolve(&labels, 2).unwrap();
            assert_eq!(prior, ClassPrior::given(&expected).unwrap());
        }
    }

    #[test]
    fn a_prior_survives_json() {
        let prior = ClassPrior::given(&[0.1, 0.2, 0.7]).unwrap();
        let json = serde_json::to_string(&prior).unwrap();
        assert_eq!(serde_json::from_str::<ClassPrior>(&json).unwrap(), prior);
        assert!(serde_json::from_str::<ClassPrior>("[-0.1, -0.2]").is_err());
    }

    #[test]
    fn a_label_without_a_class_is_named() {
        let error = ClassPrior::empirical(&[0, 1, 2], 2).unwrap_err();
        assert_eq!(error, Error::Label { row: 2, found: 2, classes: 2 });
    }

    #[test]
    fn a_class_without_samples_is_named() {
        let error = ClassPrior::empirical(&[0, 2], 3).unwrap_err();
        assert_eq!(error, Error::AbsentClass { class: 1 });
        assert_eq!(ClassPrior::empirical(&[], 1).unwrap_err(), Error::AbsentClass { class: 0 });
    }

    #[test]
    fn no_classes_are_refused() {
        for prior in [ClassPrior::empirical(&[], 0), ClassPrior::uniform(0), ClassPrior::given(&[])] {
            assert!(matches!(prior, Err(Error::Parameter { name: "classes", .. })));
        }
    }

    #[test]
    fn impossible_probabilities_are_refused() {
        for wrong in [0.0, -0.5, 1.5, f64::NAN] {
            let error = ClassPrior::given(&[1.0, wrong]).unwrap_err();
            assert!(matches!(error, Error::Probability { class: 1, .. }));
        }
        let error = ClassPrior::given(&[0.5, 0.25]).unwrap_err();
        assert_eq!(error, Error::ProbabilitySum { array: "the class prior", found: 0.75 });
    }

    #[test]
    fn a_prior_for_other_classes_is_refused() {
        let error = PriorChoice::Given(vec![0.5, 0.5]).resolve(&[0, 1, 2], 3).unwrap_err();
        assert!(matches!(error, Error::Classes { expected: 3, found: 2, .. }));

        let zero = || vec![0.0];
        let terms = Terms::new(SampleIds::rows(1), zero(), zero(), zero(), zero(), zero()).unwrap();
        let (two, three) = (ClassPrior::uniform(2).unwrap(), ClassPrior::uniform(3).unwrap());
        let error = terms.with_prior(&[0], &two, &three).unwrap_err();
        assert!(matches!(error, Error::Classes { expected: 2, found: 3, .. }));
        let error = terms.with_prior(&[2], &two, &two).unwrap_err();
        assert_eq!(error, Error::Label { row: 0, found: 2, classes: 2 });
        let error = terms.with_prior(&[], &two, &two).unwrap_err();
        assert_eq!(error, Error::Length { array: "labels", expected: 1, found: 0 });
    }
}
