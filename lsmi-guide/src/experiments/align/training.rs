//! Trains heads by contrast on some rows, and the last blocks of encoders where they are not frozen.
//!
//! The order of the rows depends on the seed and their number alone: parts of one size have the same batches, place by place.

use candle_core::Tensor;
use lsmi_candle::training::adam::Adam;
use lsmi_candle::training::parameters::ParameterStore;
use lsmi_core::SampleIds;
use lsmi_core::random::stream;
use rand::seq::SliceRandom;

use super::contrast::symmetric;
use super::features::Features;
use super::heads::Heads;
use super::settings::Settings;
use crate::error::{GuideError, Result};

/// Both modalities of the rows that may be trained on.
pub(super) struct Pairs<'a> {
    /// Of each modality.
    pub(super) features: [&'a dyn Features; 2],
    /// The ids of the rows.
    pub(super) ids: &'a SampleIds,
    /// The weights of encoders that make the features and are trained.
    pub(super) encoders: Option<&'a ParameterStore>,
}

/// Trains heads on rows of the pairs, and the encoders where their weights are among these.
///
/// # Errors
/// [`GuideError::Diverged`] where the loss is not finite.
pub(super) fn train(heads: &Heads, pairs: &Pairs<'_>, rows: &[usize], settings: &Settings, seed: u64) -> Result<()> {
    let mut random = stream(seed, "batches of an alignment");
    let batches = rows.len().div_ceil(settings.batch.max(1)).max(1);
    let steps = batches * settings.epochs;
    let mut adam = Adam::new(settings.rate, settings.decay);
    // Weights that were trained before are not to shrink.
    let mut encoder_adam = Adam::new(settings.encoder_rate, 0.0);
    let mut places: Vec<usize> = (0..rows.len()).collect();
    for epoch in 0..settings.epochs {
        places.shuffle(&mut random);
        for batch in 0..batches {
            let step = epoch * batches + batch;
            // Batches that differ by one row at most.
            let of_batch = &places[batch * rows.len() / batches..(batch + 1) * rows.len() / batches];
            let of_batch: Vec<u32> = of_batch.iter().map(|place| rows[*place] as u32).collect();
            let of = |modality: usize| -> Result<Tensor> {
                heads.project(modality, &pairs.features[modality].rows(&of_batch)?)
            };
            let loss = symmetric(&of(0)?, &of(1)?, &heads.log_scale()?)?;
            let found = loss.to_scalar::<f32>()?;
            if !found.is_finite() {
                let id = pairs.ids.get(of_batch[0] as usize).into_owned();
                return Err(GuideError::Diverged { what: "contrastive loss", id, step, found });
            }
            let left = 1.0 - step as f64 / steps as f64;
            let gradients = loss.backward()?;
            adam.rate = settings.rate * left;
            adam.step(&heads.store, &gradients)?;
            if let Some(encoders) = pairs.encoders {
                encoder_adam.rate = settings.encoder_rate * left;
                encoder_adam.step(encoders, &gradients)?;
            }
            heads.limit_scale()?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use lsmi_core::random::stream;
    use rand::Rng;

    /// Rows of two columns, and the same turned by a right angle.
    fn pairs(count: usize) -> [Tensor; 2] {
        let mut random = stream(1, "test");
        let x1: Vec<f32> = (0..2 * count).map(|_| random.random_range(-1.0..1.0)).collect();
        let x2 = x1.chunks(2).flat_map(|row| [-row[1], row[0]]).collect();
        [x1, x2].map(|values| Tensor::from_vec(values, (count, 2), &Device::Cpu).unwrap())
    }

    fn settings() -> Settings {
        Settings { width: 8, epochs: 40, batch: 16, rate: 0.02, ..Settings::default() }
    }

    fn loss(heads: &Heads, features: &[Tensor; 2]) -> f32 {
        let [a, b] = [0, 1].map(|modality| heads.project(modality, &features[modality]).unwrap());
        symmetric(&a, &b, &heads.log_scale().unwrap()).unwrap().to_scalar().unwrap()
    }

    #[test]
    fn a_turn_is_undone_and_the_same_seed_gives_the_same_heads() {
        let (features, ids) = (pairs(60), SampleIds::rows(60));
        let rows: Vec<usize> = (0..60).collect();
        for hidden in [0, 16] {
            let settings = Settings { hidden, ..settings() };
            let trained = || {
                let heads = Heads::new([2, 2], &settings, 3, &Device::Cpu).unwrap();
                let before = loss(&heads, &features);
                let pairs = Pairs { features: [&features[0], &features[1]], ids: &ids, encoders: None };
                train(&heads, &pairs, &rows, &settings, 3).unwrap();
                (before, loss(&heads, &features))
            };
            let (before, after) = trained();
            // By chance a pair is told from 59 others with a loss of log 60 = 4.1.
            assert!(before > 3.5 && after < 0.6 * before, "{before} to {after}");
            assert_eq!(trained().1, after);
        }
    }

    #[test]
    fn every_parameter_has_its_gradient() {
        let features = pairs(6);
        for hidden in [0, 3] {
            let heads = Heads::new([2, 2], &Settings { width: 3, hidden, ..settings() }, 1, &Device::Cpu).unwrap();
            let of = || {
                let [a, b] = [0, 1].map(|modality| heads.project(modality, &features[modality]).unwrap());
                symmetric(&a, &b, &heads.log_scale().unwrap()).unwrap()
            };
            let gradients = of().backward().unwrap();
            heads.store.assert_all_gradients(&gradients).unwrap();
            for (name, variable) in heads.store.iter() {
                let expected = gradients.get(variable.as_tensor()).unwrap().flatten_all().unwrap();
                let start = variable.flatten_all().unwrap().to_vec1::<f32>().unwrap();
                for (index, expected) in expected.to_vec1::<f32>().unwrap().into_iter().enumerate() {
                    let at = |offset: f32| {
                        let mut moved = start.clone();
                        moved[index] += offset;
                        variable.set(&Tensor::from_vec(moved, variable.shape(), &Device::Cpu).unwrap()).unwrap();
                        of().to_scalar::<f32>().unwrap()
                    };
                    // The scale is 14, so that the loss is bent: a step of 1e-3, with rounding errors of about 1e-3.
                    let difference = (at(1e-3) - at(-1e-3)) / 2e-3;
                    let tolerance = 4e-3 * expected.abs().max(1.0);
                    assert!((difference - expected).abs() < tolerance, "{name}[{index}]: {difference}, {expected}");
                }
                variable.set(&Tensor::from_vec(start, variable.shape(), &Device::Cpu).unwrap()).unwrap();
            }
        }
    }

    #[test]
    fn a_loss_that_is_not_finite_is_named() {
        let features = pairs(6);
        let spoiled = (&features[0] * f64::INFINITY).unwrap();
        let ids = SampleIds::rows(6);
        let heads = Heads::new([2, 2], &settings(), 1, &Device::Cpu).unwrap();
        let pairs = Pairs { features: [&spoiled, &features[1]], ids: &ids, encoders: None };
        let error = train(&heads, &pairs, &[0, 1, 2, 3], &settings(), 1).unwrap_err();
        assert!(matches!(error, GuideError::Diverged { what: "contrastive loss", step: 0, .. }), "{error}");
    }
}
