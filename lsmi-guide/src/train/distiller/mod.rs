//! The distiller: from a batch of the student's outputs to one loss, weighed sample by sample.
//!
//! ```text
//! loss = a mean_i label_i + b mean_i f_i feature_i + c mean_i o_i output_i + d sum_m mean_i x_mi label_mi
//! ```
//!
//! with the plan's weights f, o and x of each sample and fixed factors a, b, c, d of the losses. As weights have a mean of
//! one, the factors alone set how much each loss counts. A loss whose factor is 0 is not computed; one whose column is off
//! is, with weights of 0, so that parameters that only it reaches, such as a projection, still have gradients.
//!
//! A loss that is not finite is traced to its first sample, and so are features and logits, as not every one of those makes a
//! loss that is not finite: a rectifier turns what is not a number into 0. [`NonFinite`] says whether the step is then
//! skipped or the training stopped.

mod teacher;

use candle_core::Tensor;
use lsmi_candle::training::parameters::ParameterStore;
use lsmi_core::SampleIds;
use serde::{Deserialize, Serialize};

pub use teacher::Teacher;

use crate::decide::plan::Weights;
use crate::error::{GuideError, Result};
use crate::train::loss::feature::{FeatureLoss, Projection};
use crate::train::loss::output::check_temperature;
use crate::train::loss::{self, weighted_mean};

/// How a student is distilled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The temperature of output distillation; 4.
    pub temperature: f64,
    /// How features are compared; by their mean square difference.
    pub feature_loss: FeatureLoss,
    /// The factor of the label loss; 1.
    pub label: f64,
    /// The factor of feature distillation; 1.
    pub feature: f64,
    /// The factor of output distillation; 1.
    pub output: f64,
    /// The factor of each modality's auxiliary loss; 0.
    pub auxiliary: f64,
    /// What happens when a loss is not finite; the training stops.
    pub non_finite: NonFinite,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            temperature: 4.0,
            feature_loss: FeatureLoss::MeanSquare,
            label: 1.0,
            feature: 1.0,
            output: 1.0,
            auxiliary: 0.0,
            non_finite: NonFinite::Stop,
        }
    }
}

/// What happens when a loss is not finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NonFinite {
    /// The step is an error.
    #[default]
    Stop,
    /// The step is skipped, with the reason.
    Skip,
}

/// What a student's model makes of a batch.
#[derive(Debug, Clone)]
pub struct Outputs {
    /// The features of each modality, `[n, d1]` and `[n, d2]`, which a tracker looks at.
    pub features: [Tensor; 2],
    /// The features of both together, `[n, d]`, which are drawn to the teacher's.
    pub fused: Tensor,
    /// The logits of both together, `[n, classes]`.
    pub logits: Tensor,
    /// The logits of each modality alone, `[n, classes]`, where the model has such heads.
    pub auxiliary: Option<[Tensor; 2]>,
}

/// What came of a batch.
#[derive(Debug)]
pub enum Step {
    /// The losses, all finite.
    Losses(Losses),
    /// The step is to be skipped, for this reason.
    Skipped(GuideError),
}

/// The losses of a batch.
#[derive(Debug)]
pub struct Losses {
    /// What is to be minimised: a scalar with its graph.
    pub total: Tensor,
    /// Each loss with its name: its weighted mean before its factor, in the order `label`, `feature`, `output`, `auxiliary1`,
    /// `auxiliary2`; those with a factor of 0 are left out.
    pub parts: Vec<(&'static str, f32)>,
}

/// Joins a teacher's outputs with a student's by sample, and weighs their losses.
#[derive(Debug)]
pub struct Distiller {
    teacher: Teacher,
    settings: Settings,
    projection: Option<Projection>,
}

impl Distiller {
    /// Makes a distiller for a student of so many `classes` whose fused features have `width` columns.
    ///
    /// Where the widths differ and the feature loss needs them equal, a [`Projection`] is added to `store`, as
    /// `distiller.projection`.
    ///
    /// # Errors
    /// [`GuideError::Classes`] if the teacher has another number of classes, [`GuideError::Setting`] for a setting out of
    /// range.
    pub fn new(
        teacher: Teacher,
        settings: Settings,
        store: &mut ParameterStore,
        classes: usize,
        width: usize,
    ) -> Result<Self> {
        if teacher.classes() != classes {
            return Err(GuideError::Classes { expected: classes, found: teacher.classes() });
        }
        settings.check()?;
        let is_projected =
            settings.feature > 0.0 && settings.feature_loss.needs_equal_widths() && width != teacher.width();
        let projection =
            is_projected.then(|| Projection::new(store, "distiller.projection", width, teacher.width())).transpose()?;
        Ok(Self { teacher, settings, projection })
    }

    /// Returns what the teacher says.
    pub fn teacher(&self) -> &Teacher {
        &self.teacher
    }

    /// Returns the settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Computes the losses of a batch in the step of that number.
    ///
    /// # Shapes
    /// `labels`: `[n]`, `u32`; `ids` and `weights`: n.
    ///
    /// # Errors
    /// [`GuideError::UnknownId`] for a sample that the teacher was not asked about, [`GuideError::Shape`] or
    /// [`GuideError::Length`] for what does not fit, and with [`NonFinite::Stop`] [`GuideError::Diverged`] naming the first
    /// sample whose loss is not finite.
    pub fn step(
        &self,
        step: usize,
        ids: &SampleIds,
        student: &Outputs,
        labels: &Tensor,
        weights: &Weights,
    ) -> Result<Step> {
        let ones = vec![1.0; ids.len()];
        let (features, logits) = self.teacher.batch(ids, student.logits.device())?;
        let Settings { temperature, feature_loss, label, feature, output, auxiliary, .. } = self.settings;
        let mut total: Option<Tensor> = None;
        let mut parts = Vec::new();
        let mut add =
            |what: &'static str, factor: f64, losses: Tensor, weights: &[f64]| -> Result<Option<GuideError>> {
                let mean = weighted_mean(&losses, weights)?;
                let value = mean.to_dtype(candle_core::DType::F32)?.to_scalar::<f32>()?;
                if !value.is_finite() {
                    return Ok(Some(diverged(what, step, ids, &losses, value)?));
                }
                parts.push((what.trim_end_matches(" loss"), value));
                let scaled = (mean * factor)?;
                total = Some(match total.take() {
                    Some(total) => (total + scaled)?,
                    None => scaled,
                });
                Ok(None)
            };
        let mut wrong = not_finite("features", step, ids, &student.fused)?;
        if wrong.is_none() {
            wrong = not_finite("logits", step, ids, &student.logits)?;
        }
        if label > 0.0 && wrong.is_none() {
            wrong = add("label loss", label, loss::label::surprisal(&student.logits, labels)?, &ones)?;
        }
        if feature > 0.0 && wrong.is_none() {
            let projected = self.projection.as_ref().map(|projection| projection.forward(&student.fused));
            let of_student = projected.transpose()?;
            let losses = feature_loss.of(of_student.as_ref().unwrap_or(&student.fused), &features)?;
            wrong = add("feature loss", feature, losses, &weights.feature)?;
        }
        if output > 0.0 && wrong.is_none() {
            let losses = loss::output::divergence(&student.logits, &logits, temperature)?;
            wrong = add("output loss", output, losses, &weights.output)?;
        }
        if let Some(of_modalities) = student.auxiliary.as_ref().filter(|_| auxiliary > 0.0) {
            let named = ["auxiliary1 loss", "auxiliary2 loss"].into_iter().zip(of_modalities).zip(&weights.auxiliary);
            for ((name, logits), weights) in named {
                if wrong.is_none() {
                    wrong = add(name, auxiliary, loss::label::surprisal(logits, labels)?, weights)?;
                }
            }
        }
        match (wrong, total) {
            (Some(error), _) if self.settings.non_finite == NonFinite::Skip => Ok(Step::Skipped(error)),
            (Some(error), _) => Err(error),
            (None, Some(total)) => Ok(Step::Losses(Losses { total, parts })),
            (None, None) => Err(no_loss()),
        }
    }
}

impl Settings {
    /// Checks temperature and factors.
    ///
    /// # Errors
    /// [`GuideError::Setting`] for a setting out of range.
    pub fn check(&self) -> Result<()> {
        check_temperature(self.temperature)?;
        let factors = [
            ("factor of the label loss", self.label),
            ("factor of feature distillation", self.feature),
            ("factor of output distillation", self.output),
            ("factor of the auxiliary losses", self.auxiliary),
        ];
        if let Some((name, found)) = factors.into_iter().find(|(_, factor)| !(*factor >= 0.0 && factor.is_finite())) {
            return Err(GuideError::Setting { name, found: found.to_string(), expected: "at least 0".to_owned() });
        }
        if factors.iter().all(|(_, factor)| *factor == 0.0) { Err(no_loss()) } else { Ok(()) }
    }
}

fn no_loss() -> GuideError {
    let expected = "above 0 for one loss that the student has at least".to_owned();
    GuideError::Setting { name: "factors of the losses", found: "0".to_owned(), expected }
}

/// Finds the first sample of a tensor with a row a sample that is not finite.
///
/// One sum tells whether there is anything, and only then are the rows gone through.
///
/// # Errors
/// A candle error where the device fails.
pub fn not_finite(what: &'static str, step: usize, ids: &SampleIds, rows: &Tensor) -> Result<Option<GuideError>> {
    let rows = rows.detach().to_dtype(candle_core::DType::F32)?;
    if rows.sum_all()?.to_scalar::<f32>()?.is_finite() {
        return Ok(None);
    }
    for (row, values) in rows.flatten_from(1)?.to_vec2::<f32>()?.iter().enumerate() {
        if let Some(found) = values.iter().find(|value| !value.is_finite()) {
            return Ok(Some(GuideError::Diverged { what, id: ids.get(row).into_owned(), step, found: *found }));
        }
    }
    // Large values of one sign whose sum alone is too large.
    Ok(None)
}

/// Names the first sample whose loss is not finite; where all are, their weighted mean overflowed, and the largest is named.
fn diverged(what: &'static str, step: usize, ids: &SampleIds, losses: &Tensor, mean: f32) -> Result<GuideError> {
    let losses = losses.to_dtype(candle_core::DType::F32)?.to_vec1::<f32>()?;
    let largest = || (0..losses.len()).max_by(|a, b| losses[*a].total_cmp(&losses[*b]));
    let row = losses.iter().position(|loss| !loss.is_finite()).or_else(largest);
    let (id, found) = row.map_or((String::new(), mean), |row| (ids.get(row).into_owned(), losses[row]));
    Ok(GuideError::Diverged { what, id, step, found })
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn said(features: &Tensor, logits: &Tensor) -> Outputs {
        let unused = [features.clone(), features.clone()];
        Outputs { features: unused, fused: features.clone(), logits: logits.clone(), auxiliary: None }
    }

    fn ids() -> SampleIds {
        SampleIds::from_names(["a", "b"]).unwrap()
    }

    fn tensor(values: &[[f32; 2]]) -> Tensor {
        Tensor::from_slice(values.as_flattened(), (values.len(), 2), &Device::Cpu).unwrap()
    }

    fn teacher() -> Teacher {
        Teacher::new(ids(), &tensor(&[[1.0, 0.0], [0.0, 1.0]]), &tensor(&[[2.0, 0.0], [0.0, 2.0]])).unwrap()
    }

    fn distiller(settings: Settings, width: usize) -> (Distiller, ParameterStore) {
        let mut store = ParameterStore::new(0, &Device::Cpu);
        (Distiller::new(teacher(), settings, &mut store, 2, width).unwrap(), store)
    }

    fn weights() -> Weights {
        Weights { feature: vec![2.0, 0.0], output: vec![0.0, 2.0], ..Weights::off(2) }
    }

    #[test]
    fn each_loss_is_weighed_by_its_own_column() {
        let (distiller, _) = distiller(Settings { label: 0.5, temperature: 1.0, ..Settings::default() }, 2);
        let (features, logits) = (tensor(&[[0.0, 0.0], [5.0, 5.0]]), tensor(&[[0.0, 0.0], [0.0, 0.0]]));
        let student = said(&features, &logits);
        let labels = Tensor::new(&[0u32, 1], &Device::Cpu).unwrap();
        let Step::Losses(losses) = distiller.step(0, &ids(), &student, &labels, &weights()).unwrap() else {
            panic!("finite losses")
        };
        let ln2 = 2f32.ln();
        // The teacher is right with odds e^2, so that the divergence from even odds is log 2 less its entropy.
        let right = 1.0 / (1.0 + (-2f32).exp());
        let entropy = -(right * right.ln() + (1.0 - right) * (1.0 - right).ln());
        let expected = [("label", ln2), ("feature", 0.5), ("output", ln2 - entropy)];
        for ((name, value), (expected_name, expected)) in losses.parts.iter().zip(expected) {
            assert_eq!(*name, expected_name);
            assert!((value - expected).abs() < 1e-6, "{name}: {value} against {expected}");
        }
        let total = losses.total.to_scalar::<f32>().unwrap();
        assert!((total - (0.5 * ln2 + 0.5 + ln2 - entropy)).abs() < 1e-6);
    }

    #[test]
    fn a_projection_learns_even_while_its_column_is_off() {
        let (distiller, mut store) = distiller(Settings::default(), 3);
        let features = store.normal("features", (2, 3), 1.0).unwrap();
        let logits = store.normal("logits", (2, 2), 1.0).unwrap();
        let student = said(&features, &logits);
        let labels = Tensor::new(&[0u32, 1], &Device::Cpu).unwrap();
        let Step::Losses(losses) = distiller.step(0, &ids(), &student, &labels, &Weights::off(2)).unwrap() else {
            panic!("finite losses")
        };
        store.assert_all_gradients(&losses.total.backward().unwrap()).unwrap();
        assert!(store.iter().any(|(name, _)| name == "distiller.projection.weight"));
    }

    #[test]
    fn a_loss_that_is_not_finite_stops_or_skips_and_names_sample_and_step() {
        let labels = Tensor::new(&[0u32, 1], &Device::Cpu).unwrap();
        // Logits that are finite can have a loss that is not.
        for (what, value, found) in [("logits", f32::NAN, "NaN"), ("feature loss", 1e30, "inf")] {
            let zeros = [[0.0, 0.0], [0.0, 0.0]];
            let spoiled = tensor(&[[0.0, 0.0], [value, 0.0]]);
            let (features, logits) =
                if what == "logits" { (tensor(&zeros), spoiled) } else { (spoiled, tensor(&zeros)) };
            let student = said(&features, &logits);
            let run = |non_finite| {
                let (distiller, _) = distiller(Settings { non_finite, ..Settings::default() }, 2);
                let weights = Weights { feature: vec![1.0, 1.0], ..weights() };
                distiller.step(7, &ids(), &student, &labels, &weights)
            };
            let expected = format!("the {what} of the sample `b` came out as {found} in step 7");
            let error = run(NonFinite::Stop).unwrap_err();
            assert!(error.to_string().starts_with(&expected), "{error}");
            let Ok(Step::Skipped(reason)) = run(NonFinite::Skip) else { panic!("skipped") };
            assert!(reason.to_string().starts_with(&expected), "{reason}");
        }
    }

    #[test]
    fn a_teacher_of_other_classes_is_refused() {
        let mut store = ParameterStore::new(0, &Device::Cpu);
        let error = Distiller::new(teacher(), Settings::default(), &mut store, 3, 2).unwrap_err();
        assert!(matches!(error, GuideError::Classes { expected: 3, found: 2 }));
        let settings = Settings { temperature: -1.0, ..Settings::default() };
        let error = Distiller::new(teacher(), settings, &mut store, 2, 2).unwrap_err();
        assert!(matches!(error, GuideError::Setting { name: "distillation temperature", .. }));
    }
}
