//! The members of an ensemble: what several models say of the same samples.

use lsmi_candle::estimator::Candidates;
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_core::ClassPrior;
use lsmi_core::statistics::log_sum_exp;

use super::EnsembleError;

/// The members that an estimator has.
pub(super) const HEADS: [&str; 4] = ["x1", "x2", "joint", "late"];

/// Log-probabilities of every class under several models, of any kind: of one modality, of both, fused late or the user's
/// own.
///
/// ```
/// use lsmi_guide::experiments::ensemble::Members;
///
/// let mut members = Members::new(2, 2);
/// // Logits or log-probabilities, one row a sample: the constant of a row does not matter.
/// members.push("image", vec![1.0, 1.0, 0.0, 3.0_f64.ln()])?;
/// assert!((members.log_probabilities(0, 1)[1] - 0.75_f64.ln()).abs() < 1e-12);
/// # Ok::<(), lsmi_guide::experiments::ensemble::EnsembleError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Members {
    rows: usize,
    classes: usize,
    names: Vec<String>,
    /// For each member `[n, K]`, row-major.
    log_probabilities: Vec<Vec<f64>>,
}

impl Members {
    /// Begins without members, for so many samples of so many classes.
    pub fn new(rows: usize, classes: usize) -> Self {
        Self { rows, classes, names: Vec::new(), log_probabilities: Vec::new() }
    }

    /// Takes the heads `x1`, `x2` and `joint` of an estimator, and their late fusion `late`, the product of experts
    /// p(y|x1) p(y|x2) / p(y): what the label's posterior is where the modalities are independent given the label.
    ///
    /// # Errors
    /// [`EnsembleError::NotFinite`] for values that are not finite.
    pub fn of_heads(candidates: &Candidates, prior: &ClassPrior) -> Result<Self, EnsembleError> {
        let mut members = Self::new(candidates.ids.len(), candidates.classes);
        let [x1, x2, joint] = [0, 1, 2].map(|head| candidates.log_posteriors(head, prior));
        let late = x1.iter().zip(&candidates.information[1]).map(|(first, second)| first + second).collect();
        for (name, values) in HEADS.into_iter().zip([x1, x2, joint, late]) {
            members.push(name, values)?;
        }
        Ok(members)
    }

    /// Adds a member: its logits or log-probabilities `[n, K]`, row-major. They are normalised to log-probabilities.
    ///
    /// # Errors
    /// [`EnsembleError::Shape`] for another number of values, [`EnsembleError::NotFinite`] for a value that is not finite,
    /// [`EnsembleError::DuplicateMember`] for a name that another member has.
    pub fn push(&mut self, name: &str, logits: Vec<f64>) -> Result<(), EnsembleError> {
        let (rows, classes, expected) = (self.rows, self.classes, self.rows * self.classes);
        if logits.len() != expected {
            return Err(EnsembleError::Shape { member: name.to_owned(), rows, classes, expected, found: logits.len() });
        }
        if let Some(index) = logits.iter().position(|value| !value.is_finite()) {
            let (row, class, found) = (index / classes, index % classes, logits[index]);
            return Err(EnsembleError::NotFinite { member: name.to_owned(), row, class, found });
        }
        if self.names.iter().any(|other| other == name) {
            return Err(EnsembleError::DuplicateMember { member: name.to_owned() });
        }
        self.names.push(name.to_owned());
        self.log_probabilities.push(normalised(logits, classes));
        Ok(())
    }

    /// Adds a member from a matrix of logits `[n, K]`.
    ///
    /// # Errors
    /// As [`Members::push`].
    pub fn push_logits(&mut self, name: &str, logits: &Matrix) -> Result<(), EnsembleError> {
        self.push(name, logits.values().to_vec())
    }

    /// Counts the samples.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Counts the classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Counts the members.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Returns whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Returns the names, in the order of the members.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Returns the log-probabilities of the classes of a sample under a member, `[K]`.
    ///
    /// # Panics
    /// If there is no such member or row, as indexing a slice does.
    pub fn log_probabilities(&self, member: usize, row: usize) -> &[f64] {
        &self.log_probabilities[member][row * self.classes..][..self.classes]
    }

    /// Returns the log-probabilities of all samples under a member, `[n, K]`, row-major.
    ///
    /// # Panics
    /// If there is no such member, as indexing a slice does.
    pub fn of_member(&self, member: usize) -> &[f64] {
        &self.log_probabilities[member]
    }

    /// Computes how sure a member is of a sample: the probability of the class that it finds most probable.
    ///
    /// # Panics
    /// If there is no such member or row, as indexing a slice does.
    pub fn confidence(&self, member: usize, row: usize) -> f64 {
        self.log_probabilities(member, row).iter().copied().fold(f64::NEG_INFINITY, f64::max).exp()
    }

    /// Selects the given rows, in the given order.
    ///
    /// # Panics
    /// If there is no such row, as indexing a slice does.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let of_rows =
            |member| rows.iter().flat_map(|row| self.log_probabilities(member, *row)).copied().collect::<Vec<_>>();
        Self {
            rows: rows.len(),
            classes: self.classes,
            names: self.names.clone(),
            log_probabilities: (0..self.len()).map(of_rows).collect(),
        }
    }

    /// Checks labels: one for each sample, and each a class.
    pub(super) fn check_labels(&self, labels: &[u32]) -> Result<(), EnsembleError> {
        if labels.len() != self.rows {
            return Err(EnsembleError::Rows { what: "the labels", expected: self.rows, found: labels.len() });
        }
        match labels.iter().position(|label| *label as usize >= self.classes) {
            Some(row) => Err(EnsembleError::Label { row, found: labels[row], classes: self.classes }),
            None => Ok(()),
        }
    }

    /// Checks that there is something to combine and to fit to.
    pub(super) fn check_enough(&self) -> Result<(), EnsembleError> {
        for (what, found) in [("members", self.len()), ("samples", self.rows)] {
            if found == 0 {
                return Err(EnsembleError::TooFew { what, found, expected: "at least 1".to_owned() });
            }
        }
        Ok(())
    }
}

/// Logits `[n, K]` less the logarithm of the sum of their exponentials, row by row.
pub(super) fn normalised(mut logits: Vec<f64>, classes: usize) -> Vec<f64> {
    for row in logits.chunks_exact_mut(classes.max(1)) {
        let total = log_sum_exp(row);
        for value in row {
            *value -= total;
        }
    }
    logits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_that_do_not_fit_are_refused() {
        let mut members = Members::new(2, 2);
        let error = members.push("a", vec![0.0; 3]).unwrap_err();
        assert!(matches!(error, EnsembleError::Shape { expected: 4, found: 3, .. }), "{error}");
        let error = members.push("a", vec![0.0, 0.0, f64::NAN, 0.0]).unwrap_err();
        assert!(matches!(error, EnsembleError::NotFinite { row: 1, class: 0, .. }), "{error}");
        members.push("a", vec![0.0; 4]).unwrap();
        assert!(matches!(members.push("a", vec![0.0; 4]), Err(EnsembleError::DuplicateMember { .. })));
        assert!(matches!(members.check_labels(&[0]), Err(EnsembleError::Rows { expected: 2, found: 1, .. })));
        assert!(matches!(members.check_labels(&[0, 2]), Err(EnsembleError::Label { row: 1, found: 2, .. })));
        assert!(Members::new(0, 2).check_enough().is_err());
    }

    #[test]
    fn late_fusion_multiplies_what_each_modality_adds_to_the_prior() {
        let prior = ClassPrior::given(&[0.25, 0.75]).unwrap();
        let information = |p: [f64; 2]| vec![(p[0] / 0.25).ln(), (p[1] / 0.75).ln()];
        let candidates = Candidates {
            ids: lsmi_core::SampleIds::rows(1),
            surprisals: [vec![0.0], vec![0.0]],
            information: [information([0.5, 0.5]), information([0.6, 0.4]), information([0.7, 0.3])],
            probabilities: vec![0.7, 0.3],
            predictions: [vec![0], vec![0], vec![0]],
            classes: 2,
        };
        let members = Members::of_heads(&candidates, &prior).unwrap();
        assert_eq!(members.names(), ["x1", "x2", "joint", "late"]);
        // 0.5 * 0.6 / 0.25 = 1.2 against 0.5 * 0.4 / 0.75 = 0.267
        let expected: f64 = 1.2 / (1.2 + 0.8 / 3.0);
        assert!((members.log_probabilities(3, 0)[0] - expected.ln()).abs() < 1e-12);
        assert!((members.confidence(2, 0) - 0.7).abs() < 1e-12);
        assert_eq!(members.select(&[0, 0]).rows(), 2);
    }
}
