//! The five terms of every sample: two surprisals and three pointwise mutual informations.
//!
//! The terms usually come from separate passes over the data, and a pass may visit the samples in an order of its own.
//! [`Terms::join`] therefore looks every value up by the id of its sample.
//!
//! ```
//! use lsmi_core::{SampleIds, Terms};
//!
//! let ids = SampleIds::from_names(["a", "b"])?;
//! let terms = Terms::new(ids, vec![1.2, 0.7], vec![0.4, 2.0], vec![0.3, 0.1], vec![0.2, 0.6], vec![0.5, 0.6])?;
//! assert_eq!(terms.len(), 2);
//! assert!((terms.means().i12 - 0.55).abs() < 1e-15);
//! # Ok::<(), lsmi_core::Error>(())
//! ```

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result, check_length},
    ids::SampleIds,
    statistics::mean,
};

/// The terms of `n` samples, in nats; every array has `n` finite values, in the order of the ids.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Terms {
    /// The ids of the samples.
    pub ids: SampleIds,
    /// -log p(x1), the surprisal of modality 1.
    pub h1: Vec<f64>,
    /// -log p(x2), the surprisal of modality 2.
    pub h2: Vec<f64>,
    /// log p(y|x1) - log p(y), the pointwise mutual information of modality 1 and the label.
    pub i1: Vec<f64>,
    /// log p(y|x2) - log p(y), the pointwise mutual information of modality 2 and the label.
    pub i2: Vec<f64>,
    /// log p(y|x1,x2) - log p(y), the pointwise mutual information of both modalities together and the label.
    pub i12: Vec<f64>,
}

/// The values of one term from one pass over the data, in any order.
#[derive(Debug, Clone, PartialEq)]
pub struct Pass {
    /// The ids of the samples, in the order of the pass.
    pub ids: SampleIds,
    /// One value for each sample, in the same order.
    pub values: Vec<f64>,
}

/// The means of the terms over all samples: entropies and mutual informations, in nats.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TermMeans {
    /// The mean of h1, an estimate of the differential entropy of modality 1.
    pub h1: f64,
    /// The mean of h2, an estimate of the differential entropy of modality 2.
    pub h2: f64,
    /// The mean of i1, an estimate of the mutual information I(X1;Y).
    pub i1: f64,
    /// The mean of i2, an estimate of the mutual information I(X2;Y).
    pub i2: f64,
    /// The mean of i12, an estimate of the mutual information I(X1,X2;Y).
    pub i12: f64,
}

impl Terms {
    /// Creates terms from arrays in the order of `ids`.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if an array has not one value a sample, [`Error::NotFinite`] if a value is NaN or infinite.
    ///
    /// ```
    /// use lsmi_core::{SampleIds, Terms};
    ///
    /// let ids = SampleIds::from_names(["a", "b"])?;
    /// let error = Terms::new(
    ///     ids,
    ///     vec![1.0, f64::NAN],
    ///     vec![1.0, 2.0],
    ///     vec![0.0, 0.0],
    ///     vec![0.0, 0.0],
    ///     vec![0.0, 0.0],
    /// )
    /// .unwrap_err();
    /// assert!(error.to_string().starts_with("`h1` of row 1 (id `b`) is NaN"));
    /// # Ok::<(), lsmi_core::Error>(())
    /// ```
    pub fn new(ids: SampleIds, h1: Vec<f64>, h2: Vec<f64>, i1: Vec<f64>, i2: Vec<f64>, i12: Vec<f64>) -> Result<Self> {
        for (term, values) in [("h1", &h1), ("h2", &h2), ("i1", &i1), ("i2", &i2), ("i12", &i12)] {
            check_length(term, ids.len(), values.len())?;
            if let Some(row) = values.iter().position(|value| !value.is_finite()) {
                let id = ids.get(row).into_owned();
                return Err(Error::NotFinite { term, row, id, found: values[row] });
            }
        }
        Ok(Self { ids, h1, h2, i1, i2, i12 })
    }

    /// Returns the terms of no samples.
    pub fn none() -> Self {
        let none = Vec::new;
        Self { ids: SampleIds::rows(0), h1: none(), h2: none(), i1: none(), i2: none(), i12: none() }
    }

    /// Returns the terms of the samples `ids`, every value looked up by its id and never by its position.
    ///
    /// A pass may hold more samples than are asked for.
    ///
    /// # Errors
    ///
    /// [`Error::DuplicateId`] if `ids` or a pass has an id twice, [`Error::MissingId`] if a pass lacks a sample,
    /// [`Error::Length`] if a pass has not one value for every id of its own, and the errors of [`Terms::new`].
    ///
    /// ```
    /// use lsmi_core::{Pass, SampleIds, Terms};
    ///
    /// let ids = SampleIds::from_names(["a", "b"])?;
    /// let one = Pass { ids: ids.clone(), values: vec![1.0, 2.0] };
    /// let shuffled = Pass { ids: ids.select(&[1, 0]), values: vec![0.2, 0.1] };
    /// let terms = Terms::join(ids, &one, &one, &shuffled, &shuffled, &shuffled)?;
    /// assert_eq!(terms.i1, [0.1, 0.2]);
    /// # Ok::<(), lsmi_core::Error>(())
    /// ```
    pub fn join(ids: SampleIds, h1: &Pass, h2: &Pass, i1: &Pass, i2: &Pass, i12: &Pass) -> Result<Self> {
        ids.check_unique()?;
        let h1 = h1.values_of(&ids, "h1")?;
        let h2 = h2.values_of(&ids, "h2")?;
        let i1 = i1.values_of(&ids, "i1")?;
        let i2 = i2.values_of(&ids, "i2")?;
        let i12 = i12.values_of(&ids, "i12")?;
        Self::new(ids, h1, h2, i1, i2, i12)
    }

    /// Returns the number of samples.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Returns whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Returns the means over all samples; NaN without samples.
    pub fn means(&self) -> TermMeans {
        TermMeans {
            h1: mean(&self.h1),
            h2: mean(&self.h2),
            i1: mean(&self.i1),
            i2: mean(&self.i2),
            i12: mean(&self.i12),
        }
    }

    /// Returns the terms with the modalities exchanged.
    #[must_use]
    pub fn swapped(&self) -> Self {
        Self {
            ids: self.ids.clone(),
            h1: self.h2.clone(),
            h2: self.h1.clone(),
            i1: self.i2.clone(),
            i2: self.i1.clone(),
            i12: self.i12.clone(),
        }
    }

    /// Returns the terms of the given rows, in the order given.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let of = |values: &[f64]| rows.iter().map(|&row| values[row]).collect();
        Self {
            ids: self.ids.select(rows),
            h1: of(&self.h1),
            h2: of(&self.h2),
            i1: of(&self.i1),
            i2: of(&self.i2),
            i12: of(&self.i12),
        }
    }
}

impl Pass {
    /// Returns the values of the samples `ids`, in their order.
    fn values_of(&self, ids: &SampleIds, term: &'static str) -> Result<Vec<f64>> {
        check_length(term, self.ids.len(), self.values.len())?;
        if self.ids == *ids {
            return Ok(self.values.clone());
        }
        let index = self.ids.unique_index()?;
        ids.iter()
            .map(|id| match index.position(&id) {
                Some(row) => Ok(self.values[row]),
                None => Err(Error::MissingId { term, id: id.into_owned() }),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(ids: SampleIds, values: &[f64]) -> Pass {
        Pass { ids, values: values.to_vec() }
    }

    #[test]
    fn a_short_array_is_named() {
        let two = || vec![0.0, 0.0];
        let error = Terms::new(SampleIds::rows(2), two(), two(), two(), vec![0.0], two()).unwrap_err();
        assert_eq!(error, Error::Length { array: "i2", expected: 2, found: 1 });
    }

    #[test]
    fn an_infinite_value_is_named() {
        let two = || vec![0.0, 0.0];
        let infinite = vec![0.0, f64::NEG_INFINITY];
        let error = Terms::new(SampleIds::rows(2), two(), two(), two(), two(), infinite).unwrap_err();
        let found = f64::NEG_INFINITY;
        assert_eq!(error, Error::NotFinite { term: "i12", row: 1, id: "1".to_owned(), found });
    }

    #[test]
    fn a_missing_sample_is_named() {
        let ids = SampleIds::from_names(["a", "b"]).unwrap();
        let whole = pass(ids.clone(), &[1.0, 2.0]);
        let part = pass(ids.select(&[0]), &[1.0]);
        let error = Terms::join(ids, &whole, &whole, &whole, &part, &whole).unwrap_err();
        assert_eq!(error, Error::MissingId { term: "i2", id: "b".to_owned() });
    }

    #[test]
    fn a_repeated_sample_is_refused() {
        let ids = SampleIds::rows(2);
        let whole = pass(ids.clone(), &[1.0, 2.0]);
        let repeated = pass(ids.select(&[1, 0, 1]), &[1.0, 2.0, 3.0]);
        let duplicate = Error::DuplicateId { id: "1".to_owned(), first: 0, second: 2 };
        let error = Terms::join(ids, &whole, &repeated, &whole, &whole, &whole).unwrap_err();
        assert_eq!(error, duplicate);

        let twice = repeated.ids.clone();
        let error = Terms::join(twice, &repeated, &repeated, &repeated, &repeated, &repeated).unwrap_err();
        assert_eq!(error, duplicate);
    }

    #[test]
    fn a_pass_of_the_wrong_length_is_refused() {
        let ids = SampleIds::rows(2);
        let whole = pass(ids.clone(), &[1.0, 2.0]);
        let long = pass(ids.clone(), &[1.0, 2.0, 3.0]);
        let error = Terms::join(ids, &long, &whole, &whole, &whole, &whole).unwrap_err();
        assert_eq!(error, Error::Length { array: "h1", expected: 2, found: 3 });
    }

    #[test]
    fn a_pass_over_more_samples_serves_fewer() {
        let all = pass(SampleIds::rows(3), &[1.0, 2.0, 3.0]);
        let ids = SampleIds::rows(3).select(&[2, 0]);
        let terms = Terms::join(ids.clone(), &all, &all, &all, &all, &all).unwrap();
        assert_eq!(terms.ids, ids);
        assert_eq!(terms.h1, [3.0, 1.0]);
        assert!((terms.means().i12 - 2.0).abs() < 1e-15);
    }
}
