//! What a teacher says of samples, computed once and kept by id.
//!
//! A teacher is frozen, so its features and logits of a sample are the same in every epoch. They are kept in the host's
//! memory, a row a sample, and a batch is looked up by its ids: never by position, for loaders shuffle.

use candle_core::{DType, Device, Tensor};
use lsmi_core::SampleIds;
use lsmi_core::statistics::log_sum_exp;

use crate::decide::lookup::Lookup;
use crate::error::{GuideError, Result};
use crate::identity::sha256;

/// A teacher's features and logits by sample.
#[derive(Debug)]
pub struct Teacher {
    lookup: Lookup,
    features: Rows,
    logits: Rows,
}

#[derive(Debug)]
struct Rows {
    values: Vec<f32>,
    width: usize,
}

impl Teacher {
    /// Takes what a teacher says of samples: features `[n, d]` and logits `[n, classes]`, in the order of the ids.
    ///
    /// # Errors
    /// [`GuideError::Core`] if an id comes twice, [`GuideError::Shape`] if there is not one row a sample,
    /// [`GuideError::NotFinite`] naming the sample of a value that is not finite.
    ///
    /// ```
    /// use candle_core::{Device, Tensor};
    /// use lsmi_core::SampleIds;
    /// use lsmi_guide::train::distiller::Teacher;
    ///
    /// let ids = SampleIds::from_names(["cat", "dog"])?;
    /// let features = Tensor::new(&[[1.0f32], [2.0]], &Device::Cpu)?;
    /// let logits = Tensor::new(&[[3.0f32, 0.0], [0.0, 0.0]], &Device::Cpu)?;
    /// let teacher = Teacher::new(ids, &features, &logits)?;
    /// let (features, _) = teacher.batch(&SampleIds::from_names(["dog"])?, &Device::Cpu)?;
    /// assert_eq!(features.to_vec2::<f32>()?, [[2.0]]);
    /// assert_eq!(teacher.confidence(&SampleIds::from_names(["dog"])?)?, [0.5]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(ids: SampleIds, features: &Tensor, logits: &Tensor) -> Result<Self> {
        let lookup = Lookup::new(ids)?;
        let features = Rows::new("the teacher's features", lookup.ids(), features)?;
        let logits = Rows::new("the teacher's logits", lookup.ids(), logits)?;
        Ok(Self { lookup, features, logits })
    }

    /// Joins batches of ids, features and logits, as a frozen teacher yields them.
    ///
    /// # Errors
    /// Those of [`Self::new`], that of a batch, and [`GuideError::Setting`] without a batch.
    pub fn of_batches(batches: impl IntoIterator<Item = Result<(SampleIds, Tensor, Tensor)>>) -> Result<Self> {
        let (mut names, mut features, mut logits) = (Vec::new(), Vec::new(), Vec::new());
        for batch in batches {
            let (ids, of_features, of_logits) = batch?;
            // Row by row, or a batch with a row too many could make up for one with a row too few.
            check_rows("the teacher's features", ids.len(), &of_features)?;
            check_rows("the teacher's logits", ids.len(), &of_logits)?;
            names.extend(ids.iter().map(std::borrow::Cow::into_owned));
            features.push(of_features.detach());
            logits.push(of_logits.detach());
        }
        if names.is_empty() {
            let expected = "at least 1".to_owned();
            return Err(GuideError::Setting { name: "batches of the teacher", found: "0".to_owned(), expected });
        }
        Self::new(SampleIds::from_names(names)?, &Tensor::cat(&features, 0)?, &Tensor::cat(&logits, 0)?)
    }

    /// Counts the classes that the teacher tells apart.
    pub fn classes(&self) -> usize {
        self.logits.width
    }

    /// Returns the width of the teacher's features.
    pub fn width(&self) -> usize {
        self.features.width
    }

    /// Returns the samples that the teacher was asked about.
    pub fn ids(&self) -> &SampleIds {
        self.lookup.ids()
    }

    /// Selects features `[n, d]` and logits `[n, classes]` of a batch, in its order: constants, on `device`.
    ///
    /// # Errors
    /// [`GuideError::UnknownId`] naming a sample that is not here, [`GuideError::Core`] naming an id that comes twice.
    pub fn batch(&self, batch: &SampleIds, device: &Device) -> Result<(Tensor, Tensor)> {
        let rows = self.lookup.rows_of(batch, "teacher's outputs")?;
        Ok((self.features.select(&rows, device)?, self.logits.select(&rows, device)?))
    }

    /// Computes the SHA-256 of everything that the teacher says, in hexadecimal: tells teachers apart.
    pub fn hash(&self) -> String {
        let mut parts: Vec<Vec<u8>> = self.ids().iter().map(|id| id.as_bytes().to_vec()).collect();
        for rows in [&self.features, &self.logits] {
            parts.push(rows.width.to_le_bytes().to_vec());
            parts.push(rows.values.iter().flat_map(|value| value.to_le_bytes()).collect());
        }
        sha256(parts.iter().map(Vec::as_slice))
    }

    /// Computes the probability that the teacher gives to its most probable class, for
    /// [`Interactions::with_confidence`](crate::Interactions::with_confidence).
    ///
    /// # Errors
    /// Those of [`Self::batch`].
    pub fn confidence(&self, ids: &SampleIds) -> Result<Vec<f64>> {
        let confidence = |row: usize| {
            let logits: Vec<f64> = self.logits.row(row).iter().copied().map(f64::from).collect();
            let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            (largest - log_sum_exp(&logits)).exp()
        };
        Ok(self.lookup.rows_of(ids, "teacher's outputs")?.into_iter().map(confidence).collect())
    }
}

impl Rows {
    fn new(what: &'static str, ids: &SampleIds, tensor: &Tensor) -> Result<Self> {
        check_rows(what, ids.len(), tensor)?;
        let width = tensor.dim(1)?;
        let values = tensor.detach().to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
        match values.iter().position(|value| !value.is_finite()) {
            None => Ok(Self { values, width }),
            Some(index) => {
                let id = ids.get(index / width).into_owned();
                Err(GuideError::NotFinite { what, id, found: values[index] })
            }
        }
    }

    fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.width..][..self.width]
    }

    fn select(&self, rows: &[usize], device: &Device) -> Result<Tensor> {
        let values: Vec<f32> = rows.iter().flat_map(|row| self.row(*row)).copied().collect();
        Ok(Tensor::from_vec(values, (rows.len(), self.width), device)?)
    }
}

fn check_rows(what: &'static str, rows: usize, tensor: &Tensor) -> Result<()> {
    match tensor.dims() {
        [found, width] if *found == rows && *width > 0 => Ok(()),
        found => {
            let expected = format!("a row for each of the {rows} samples and at least one column");
            Err(GuideError::Shape { what, expected, found: found.to_vec() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(values: &[[f32; 2]]) -> Tensor {
        Tensor::from_slice(values.as_flattened(), (values.len(), 2), &Device::Cpu).unwrap()
    }

    fn ids(names: &[&str]) -> SampleIds {
        SampleIds::from_names(names).unwrap()
    }

    #[test]
    fn batches_join_to_what_the_whole_is() {
        let (first, second) = (tensor(&[[1.0, 2.0], [3.0, 4.0]]), tensor(&[[5.0, 6.0]]));
        let batches = [Ok((ids(&["a", "b"]), first.clone(), first)), Ok((ids(&["c"]), second.clone(), second))];
        let teacher = Teacher::of_batches(batches).unwrap();
        assert_eq!((teacher.classes(), teacher.width(), teacher.ids().len()), (2, 2, 3));
        let (features, logits) = teacher.batch(&ids(&["c", "a"]), &Device::Cpu).unwrap();
        assert_eq!(features.to_vec2::<f32>().unwrap(), [[5.0, 6.0], [1.0, 2.0]]);
        assert_eq!(logits.to_vec2::<f32>().unwrap(), features.to_vec2::<f32>().unwrap());
    }

    #[test]
    fn a_missing_sample_is_named() {
        let rows = tensor(&[[1.0, 2.0]]);
        let teacher = Teacher::new(ids(&["a"]), &rows, &rows).unwrap();
        let error = teacher.batch(&ids(&["a", "b"]), &Device::Cpu).unwrap_err();
        assert!(error.to_string().starts_with("there are no teacher's outputs of the sample `b`"), "{error}");
    }

    #[test]
    fn values_that_are_not_finite_are_named_by_their_sample() {
        let (rows, spoiled) = (tensor(&[[1.0, 2.0], [3.0, 4.0]]), tensor(&[[1.0, 2.0], [3.0, f32::NAN]]));
        let error = Teacher::new(ids(&["a", "b"]), &rows, &spoiled).unwrap_err();
        assert!(matches!(error, GuideError::NotFinite { what: "the teacher's logits", ref id, .. } if id == "b"));
        let error = Teacher::new(ids(&["a"]), &rows, &rows).unwrap_err();
        assert!(matches!(error, GuideError::Shape { what: "the teacher's features", .. }));
    }
}
