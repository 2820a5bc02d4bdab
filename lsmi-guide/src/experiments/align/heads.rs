//! Projection heads: x1 and x2 into a shared space of unit vectors.
//!
//! ```text
//! z_m = x_m W_m + b_m                                     linear
//! z_m = gelu(x_m V_m + c_m) W_m + b_m                     with a hidden layer
//! ```
//!
//! A head is drawn by the seed, the modality and the layer alone. With both comes the logarithm of the scale of similarities,
//! which is learned, too; it starts at that of a temperature of 0.07 and stays below that of 0.01, as CLIP's does.

use candle_core::{D, Device, Tensor};
use lsmi_candle::training::parameters::ParameterStore;

use super::settings::Settings;
use crate::error::Result;

/// The name of the parameter that is the logarithm of the scale less that at the start.
const LOG_SCALE: &str = "log scale";
/// The temperature at the start.
const TEMPERATURE: f64 = 0.07;
/// The largest scale.
const LARGEST_SCALE: f64 = 100.0;
/// What keeps a vector of zeros from being divided by 0.
const LEAST_SQUARE: f64 = 1e-12;

/// The heads of both modalities.
#[derive(Debug)]
pub(super) struct Heads {
    pub(super) store: ParameterStore,
    layers: [Vec<Layer>; 2],
    log_scale: Tensor,
}

#[derive(Debug)]
struct Layer {
    weight: Tensor,
    bias: Tensor,
}

impl Heads {
    /// Draws heads for so many columns of each modality.
    pub(super) fn new(columns: [usize; 2], settings: &Settings, seed: u64, device: &Device) -> Result<Self> {
        let mut store = ParameterStore::new(seed, device);
        let mut layers = [Vec::new(), Vec::new()];
        for ((name, columns), layers) in ["x1", "x2"].into_iter().zip(columns).zip(&mut layers) {
            let hidden = (settings.hidden > 0).then_some(settings.hidden);
            let widths: Vec<usize> = std::iter::once(columns).chain(hidden).chain([settings.width]).collect();
            for (number, pair) in widths.windows(2).enumerate() {
                let bound = 1.0 / (pair[0] as f64).sqrt();
                layers.push(Layer {
                    weight: store.uniform(&format!("{name} weight {number}"), (pair[0], pair[1]), bound)?,
                    bias: store.zeros(&format!("{name} bias {number}"), (1, pair[1]))?,
                });
            }
        }
        let log_scale = store.zeros(LOG_SCALE, 1)?;
        Ok(Self { store, layers, log_scale })
    }

    /// Projects rows `[n, columns]` of a modality, 0 or 1, to unit vectors `[n, width]`.
    pub(super) fn project(&self, modality: usize, rows: &Tensor) -> Result<Tensor> {
        let mut values = rows.clone();
        for (number, layer) in self.layers[modality].iter().enumerate() {
            if number > 0 {
                values = values.gelu()?;
            }
            values = values.matmul(&layer.weight)?.broadcast_add(&layer.bias)?;
        }
        let length = (values.sqr()?.sum_keepdim(D::Minus1)? + LEAST_SQUARE)?.sqrt()?;
        Ok(values.broadcast_div(&length)?)
    }

    /// The logarithm of the scale.
    pub(super) fn log_scale(&self) -> Result<Tensor> {
        Ok((&self.log_scale - TEMPERATURE.ln())?)
    }

    /// Brings the scale back to the largest one where a step has led beyond it.
    pub(super) fn limit_scale(&self) -> Result<()> {
        let largest = (LARGEST_SCALE.ln() + TEMPERATURE.ln()) as f32;
        if self.log_scale.to_vec1::<f32>()?.iter().any(|offset| *offset > largest) {
            self.store.set(LOG_SCALE, &Tensor::new(&[largest], self.log_scale.device())?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads(hidden: usize) -> Heads {
        Heads::new([3, 2], &Settings { width: 4, hidden, ..Settings::default() }, 5, &Device::Cpu).unwrap()
    }

    #[test]
    fn projections_are_unit_vectors_of_one_width() {
        for hidden in [0, 6] {
            let heads = heads(hidden);
            for (modality, columns) in [(0, 3), (1, 2)] {
                let rows = Tensor::arange(0.0f32, 5.0 * columns as f32, &Device::Cpu).unwrap();
                let projected = heads.project(modality, &rows.reshape((5, columns)).unwrap()).unwrap();
                assert_eq!(projected.dims(), [5, 4]);
                for row in projected.to_vec2::<f32>().unwrap() {
                    assert!((row.iter().map(|value| value * value).sum::<f32>() - 1.0).abs() < 1e-5);
                }
            }
            // Two layers have a weight and a bias more for each modality.
            assert_eq!(heads.store.iter().count(), if hidden == 0 { 5 } else { 9 });
        }
    }

    #[test]
    fn a_row_of_zeros_stays_finite() {
        let rows = Tensor::zeros((1, 3), candle_core::DType::F32, &Device::Cpu).unwrap();
        let projected = heads(0).project(0, &rows).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(projected, [0.0; 4]);
    }

    #[test]
    fn the_scale_starts_at_a_temperature_and_ends_at_another() {
        let heads = heads(0);
        let scale = || heads.log_scale().unwrap().to_vec1::<f32>().unwrap()[0].exp();
        assert!((scale() - 1.0 / 0.07).abs() < 1e-3);
        heads.store.set(LOG_SCALE, &Tensor::new(&[9.0f32], &Device::Cpu).unwrap()).unwrap();
        heads.limit_scale().unwrap();
        assert!((scale() - 100.0).abs() < 1e-2);
    }
}
