//! Feature distillation: the student's features are drawn to the teacher's.
//!
//! Three ways to compare `f`, the student's features of a sample, with `g`, the teacher's:
//!
//! ```text
//! mean square  |f - g|^2 / d
//! cosine       1 - f.g / (|f| |g|)
//! relation     mean over other samples j of H( |f - f_j| / m_f  -  |g - g_j| / m_g )
//! ```
//!
//! where m is the mean distance of two samples of the batch and H(x) is x^2 / 2 up to 1 and |x| - 1/2 beyond (Huber). The
//! last compares samples with each other, not coordinates, so the widths may differ; it is the distance-wise loss of Park,
//! Kim, Lu and Cho ("Relational Knowledge Distillation", CVPR 2019, eq. 5 to 7). For the others a student of another width
//! needs a [`Projection`].

use candle_core::{D, Tensor};
use lsmi_candle::training::parameters::ParameterStore;
use serde::{Deserialize, Serialize};

use super::check_shape;
use crate::error::{GuideError, Result};

/// Added to squares under a root, whose slope at 0 is infinite.
const LEAST_SQUARE: f64 = 1e-12;

/// How features are compared; see the [module](self).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureLoss {
    /// By the mean square of their differences.
    #[default]
    MeanSquare,
    /// By their angle.
    Cosine,
    /// By the distances between the samples of a batch.
    Relation,
}

impl FeatureLoss {
    /// Returns whether student and teacher must have features of one width.
    pub fn needs_equal_widths(self) -> bool {
        !matches!(self, Self::Relation)
    }

    /// Computes the loss of each sample. No gradient reaches the teacher.
    ///
    /// # Shapes
    /// `[n, d]`; of `Relation` `[n, d1]` and `[n, d2]`. Result: `[n]`.
    ///
    /// # Errors
    /// [`GuideError::Shape`] if the shapes do not fit.
    ///
    /// ```
    /// use candle_core::{Device, Tensor};
    /// use lsmi_guide::train::loss::feature::FeatureLoss;
    ///
    /// let student = Tensor::new(&[[1.0f32, 0.0], [0.0, 2.0]], &Device::Cpu)?;
    /// let teacher = Tensor::new(&[[3.0f32, 0.0], [2.0, 0.0]], &Device::Cpu)?;
    /// assert_eq!(FeatureLoss::MeanSquare.of(&student, &teacher)?.to_vec1::<f32>()?, [2.0, 4.0]);
    /// assert_eq!(FeatureLoss::Cosine.of(&student, &teacher)?.to_vec1::<f32>()?, [0.0, 1.0]);
    /// // Two samples have a single distance, which is the mean one whatever it is.
    /// assert!(FeatureLoss::Relation.of(&student, &teacher)?.to_vec1::<f32>()?.iter().all(|loss| *loss < 1e-9));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of(self, student: &Tensor, teacher: &Tensor) -> Result<Tensor> {
        let teacher = teacher.detach();
        match self {
            Self::MeanSquare => {
                check_shape("the teacher's features", &teacher, student)?;
                Ok((student - teacher)?.sqr()?.mean(D::Minus1)?)
            }
            Self::Cosine => {
                check_shape("the teacher's features", &teacher, student)?;
                let length = |features: &Tensor| (features.sqr()?.sum(D::Minus1)? + LEAST_SQUARE)?.sqrt();
                let product = (student * &teacher)?.sum(D::Minus1)?;
                let cosine = (product / (length(student)? * length(&teacher)?)?)?;
                Ok((1.0 - cosine)?)
            }
            Self::Relation => relation(student, &teacher),
        }
    }
}

fn relation(student: &Tensor, teacher: &Tensor) -> Result<Tensor> {
    let n = student.dim(0)?;
    if student.rank() != 2 || teacher.rank() != 2 || teacher.dim(0)? != n {
        let expected = format!("two dimensions and {n} rows");
        return Err(GuideError::Shape { what: "the teacher's features", expected, found: teacher.dims().to_vec() });
    }
    if n < 2 {
        // A sample on its own has no relation: nothing to learn, by a loss that still reaches the student.
        return Ok((student.sum(D::Minus1)? * 0.0)?);
    }
    let difference = (relative_distances(student)? - relative_distances(teacher)?)?.abs()?;
    let small = difference.minimum(1.0)?;
    let huber = ((small.sqr()? * 0.5)? + (difference - small)?)?;
    Ok((huber.sum(D::Minus1)? / (n - 1) as f64)?)
}

/// The distances between all rows over the mean of those between different ones, `[n, n]`.
fn relative_distances(features: &Tensor) -> Result<Tensor> {
    let n = features.dim(0)?;
    // About their mean, rows are no longer than their distances, so that the difference of squares keeps its digits.
    let centred = features.broadcast_sub(&features.mean_keepdim(0)?.detach())?;
    let squares = centred.sqr()?.sum_keepdim(D::Minus1)?;
    let products = centred.matmul(&centred.t()?)?;
    let squares = (squares.broadcast_add(&squares.t()?)? - (products * 2.0)?)?.relu()?;
    let different = (1.0 - Tensor::eye(n, features.dtype(), features.device())?)?;
    let distances = ((squares * &different)? + LEAST_SQUARE)?.sqrt()?;
    let distances = (distances * different)?;
    let mean = (distances.sum_all()? / (n * (n - 1)) as f64)?;
    Ok(distances.broadcast_div(&mean)?)
}

/// A learned linear map from the student's features to the teacher's width: `f W + b`.
#[derive(Debug, Clone)]
pub struct Projection {
    weights: Tensor,
    biases: Tensor,
}

impl Projection {
    /// Makes a projection whose parameters are added to `store` under `name.weight` and `name.bias`; they train with the others.
    ///
    /// # Errors
    /// A candle error where the device cannot hold them.
    pub fn new(store: &mut ParameterStore, name: &str, student: usize, teacher: usize) -> Result<Self> {
        // Features of variance 1 keep it.
        let weights = store.normal(&format!("{name}.weight"), (student, teacher), (1.0 / student as f64).sqrt())?;
        Ok(Self { weights, biases: store.zeros(&format!("{name}.bias"), teacher)? })
    }

    /// Maps the student's features `[n, student]` to the teacher's width, `[n, teacher]`.
    ///
    /// # Errors
    /// A candle error where the features have another width.
    pub fn forward(&self, features: &Tensor) -> Result<Tensor> {
        Ok(features.matmul(&self.weights)?.broadcast_add(&self.biases)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::loss::tests::{check_gradient, random};
    use crate::train::loss::weighted_mean;
    use candle_core::{DType, Device};

    const ALL: [FeatureLoss; 3] = [FeatureLoss::MeanSquare, FeatureLoss::Cosine, FeatureLoss::Relation];

    #[test]
    fn gradients_match_differences() {
        let teacher = (random("teacher", 5, 3) * 2.0).unwrap();
        for loss in ALL {
            check_gradient(&random("student", 5, 3), |features| {
                weighted_mean(&loss.of(features, &teacher).unwrap(), &[1.0, 0.5, 1.5, 0.0, 2.0]).unwrap()
            });
        }
    }

    #[test]
    fn features_that_agree_cost_nothing() {
        let features = random("features", 6, 4);
        for loss in ALL {
            let losses = loss.of(&features, &features).unwrap().to_vec1::<f64>().unwrap();
            assert!(losses.iter().all(|loss| loss.abs() < 1e-9), "{loss:?}: {losses:?}");
        }
    }

    #[test]
    fn relations_are_those_of_the_formula_whatever_the_widths() {
        let (student, teacher) = (random("student", 4, 3), random("teacher", 4, 6));
        let relative = |features: &Tensor| {
            let rows = features.to_vec2::<f64>().unwrap();
            let distance =
                |i: usize, j: usize| rows[i].iter().zip(&rows[j]).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt();
            let all: Vec<Vec<f64>> = (0..4).map(|i| (0..4).map(|j| distance(i, j)).collect()).collect();
            let mean = all.iter().flatten().sum::<f64>() / 12.0;
            all.into_iter().map(|row| row.into_iter().map(|d| d / mean).collect()).collect::<Vec<Vec<f64>>>()
        };
        let (of_student, of_teacher) = (relative(&student), relative(&teacher));
        let found = FeatureLoss::Relation.of(&student, &teacher).unwrap().to_vec1::<f64>().unwrap();
        for i in 0..4 {
            let huber = |x: f64| if x.abs() < 1.0 { 0.5 * x * x } else { x.abs() - 0.5 };
            let expected = (0..4).map(|j| huber(of_student[i][j] - of_teacher[i][j])).sum::<f64>() / 3.0;
            assert!((found[i] - expected).abs() < 1e-9, "{} against {expected}", found[i]);
        }
    }

    #[test]
    fn relations_have_finite_gradients_where_samples_coincide() {
        let rows = Tensor::new(&[[1.0f32, 2.0], [1.0, 2.0], [0.0, 1.0]], &Device::Cpu).unwrap();
        let student = candle_core::Var::from_tensor(&rows).unwrap();
        let teacher = random("teacher", 3, 5).to_dtype(DType::F32).unwrap();
        let loss = FeatureLoss::Relation.of(student.as_tensor(), &teacher).unwrap().mean_all().unwrap();
        let gradients = loss.backward().unwrap();
        let gradient = gradients.get(student.as_tensor()).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert!(gradient.iter().all(|value| value.is_finite()), "{gradient:?}");
        let alone = student.as_tensor().narrow(0, 0, 1).unwrap();
        let loss = FeatureLoss::Relation.of(&alone, &teacher.narrow(0, 0, 1).unwrap()).unwrap();
        assert_eq!(loss.to_vec1::<f32>().unwrap(), [0.0]);
    }

    #[test]
    fn other_widths_need_a_projection_whose_parameters_all_learn() {
        let (student, teacher) = (random("student", 5, 3), random("teacher", 5, 4));
        let (student, teacher) = (student.to_dtype(DType::F32).unwrap(), teacher.to_dtype(DType::F32).unwrap());
        let error = FeatureLoss::MeanSquare.of(&student, &teacher).unwrap_err();
        assert!(matches!(error, GuideError::Shape { what: "the teacher's features", .. }), "{error}");
        let mut store = ParameterStore::new(0, &Device::Cpu);
        let projection = Projection::new(&mut store, "projection", 3, 4).unwrap();
        let projected = projection.forward(&student).unwrap();
        let loss = FeatureLoss::Cosine.of(&projected, &teacher).unwrap().mean_all().unwrap();
        store.assert_all_gradients(&loss.backward().unwrap()).unwrap();
    }
}
