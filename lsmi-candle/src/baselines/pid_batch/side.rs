//! Training or evaluation rows as inputs of the networks.

use candle_core::{Device, Tensor};

use crate::densities::points::single;
use crate::error::{EstimatorError, Result};
use crate::features::FeatureSet;
use crate::numbers::matrix::Matrix;

/// Samples with their features on the device.
pub(super) struct Side<'a> {
    pub(super) samples: &'a FeatureSet,
    /// x1, x2 and both side by side.
    pub(super) inputs: [Tensor; 3],
}

impl<'a> Side<'a> {
    pub(super) fn new(samples: &'a FeatureSet, device: &Device) -> Result<Self> {
        let tensor = |what: &'static str, x: &Matrix| {
            let values = single(x.values());
            if let Some(place) = values.iter().position(|value| !value.is_finite()) {
                let (row, column) = (place / x.columns(), place % x.columns());
                return Err(EstimatorError::Samples {
                    what,
                    found: format!("{:e} in row {row}, column {column}", x.values()[place]),
                    expected: "within the range of single precision: scale the column".to_owned(),
                });
            }
            Ok(Tensor::from_vec(values, (x.rows(), x.columns()), device)?)
        };
        let (x1, x2) = (tensor("x1", &samples.x1)?, tensor("x2", &samples.x2)?);
        let both = Tensor::cat(&[&x1, &x2], 1)?;
        Ok(Self { samples, inputs: [x1, x2, both] })
    }
}
