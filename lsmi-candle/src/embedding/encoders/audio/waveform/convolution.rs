//! Convolutions over time, of states `[1, T, channels]`: what lies under the places of the window is laid side by side, and
//! one product with the kernel does the rest, on any device.
//!
//! With channels as neighbours in memory, `stride` steps are one row, and what a place sees are the first numbers of
//! successive rows, so that only whole runs are copied.

use candle_core::{DType, Tensor};

use crate::embedding::encoders::{EncoderError, Result, Weights};

/// Places whose numbers are laid side by side at a time, so that memory does not grow with the sound.
const PLACES: usize = 4096;

/// A window over time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    /// Steps that it sees.
    pub(super) kernel: usize,
    /// Steps from one place to the next, at most `kernel`.
    pub(super) stride: usize,
    /// Zeros before and behind the states.
    pub(super) zeros: [usize; 2],
}

/// A convolution over time, in groups of channels.
#[derive(Debug, Clone)]
pub(super) struct Convolution {
    window: Window,
    /// Of each group `[kernel * inputs, outputs]`.
    kernels: Vec<Tensor>,
    bias: Option<Tensor>,
}

impl Window {
    /// The places of the window over so many steps; none where they are fewer than it sees.
    pub(super) fn places(&self, steps: usize) -> Option<usize> {
        let room = (steps + self.zeros[0] + self.zeros[1]).checked_sub(self.kernel)?;
        Some(room / self.stride + 1)
    }

    /// A window that has as many places as there are steps.
    pub(super) fn same(kernel: usize) -> Self {
        // An even window has one place too many with as many zeros on both sides, and the last is left out.
        Self { kernel, stride: 1, zeros: [kernel / 2, kernel - 1 - kernel / 2] }
    }
}

impl Convolution {
    /// From the kernel `[outputs, inputs of a group, kernel]`, as it is stored.
    pub(super) fn new(kernel: &Tensor, bias: Option<Tensor>, window: Window, groups: usize) -> Result<Self> {
        let (outputs, _, _) = kernel.dims3()?;
        if groups == 0 || outputs % groups != 0 {
            return Err(EncoderError::Input {
                what: "the number of groups of a convolution",
                expected: format!("a divisor of its {outputs} outputs"),
                found: groups.to_string(),
            });
        }
        let of_group = |group| {
            let rows = kernel.narrow(0, group * (outputs / groups), outputs / groups)?;
            Ok(rows.permute((2, 1, 0))?.contiguous()?.flatten(0, 1)?)
        };
        Ok(Self { window, kernels: (0..groups).map(of_group).collect::<Result<_>>()?, bias })
    }

    /// Loads `weight` and, where there is to be one, `bias` under `name`.
    pub(super) fn load(
        weights: &Weights,
        name: &str,
        [inputs, outputs]: [usize; 2],
        window: Window,
        groups: usize,
        bias: bool,
    ) -> Result<Self> {
        let weights = weights.under(name);
        let kernel = weights.get("weight", &[outputs, inputs / groups.max(1), window.kernel])?;
        let bias = if bias { Some(weights.get("bias", &[outputs])?) } else { None };
        Self::new(&kernel, bias, window, groups)
    }

    /// Loads one whose kernel is stored as a direction and a length for each step of the window, under their names in older
    /// or newer files.
    pub(super) fn load_normed(
        weights: &Weights,
        name: &str,
        [inputs, outputs]: [usize; 2],
        window: Window,
        groups: usize,
    ) -> Result<Self> {
        let weights = weights.under(name);
        let newer = ["parametrizations.weight.original0", "parametrizations.weight.original1"];
        let [length, direction] = if weights.contains(newer[0]) { newer } else { ["weight_g", "weight_v"] };
        let length = weights.get(length, &[1, 1, window.kernel])?.to_dtype(DType::F32)?;
        let direction = weights.get(direction, &[outputs, inputs / groups.max(1), window.kernel])?;
        let direction = direction.to_dtype(DType::F32)?;
        let norms = direction.sqr()?.sum_keepdim((0, 1))?.sqrt()?;
        let kernel = direction.broadcast_mul(&length.div(&norms)?)?.to_dtype(weights.dtype())?;
        Self::new(&kernel, Some(weights.get("bias", &[outputs])?), window, groups)
    }

    /// `[1, T, inputs]` to `[1, places, outputs]`.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let Window { kernel, stride, zeros } = self.window;
        let (_, steps, channels) = x.dims3()?;
        let places = self.window.places(steps).ok_or_else(|| EncoderError::Input {
            what: "the length of the sound, or of what is left of it in a later layer,",
            expected: format!("at least {}", kernel.saturating_sub(zeros[0] + zeros[1])),
            found: steps.to_string(),
        })?;
        // So many rows of `stride` steps make one place.
        let rows = kernel.div_ceil(stride);
        let seen = (places + rows - 1) * stride;
        let padded = x.squeeze(0)?.pad_with_zeros(0, zeros[0], zeros[1])?;
        let found = padded.dim(0)?;
        let padded =
            if found < seen { padded.pad_with_zeros(0, 0, seen - found)? } else { padded.narrow(0, 0, seen)? };
        let inputs = channels / self.kernels.len();
        let mut groups = Vec::with_capacity(self.kernels.len());
        for (group, matrix) in self.kernels.iter().enumerate() {
            let of_group = padded.narrow(1, group * inputs, inputs)?.contiguous()?;
            let of_group = of_group.reshape((places + rows - 1, stride * inputs))?;
            let mut parts = Vec::new();
            for first in (0..places).step_by(PLACES) {
                let count = PLACES.min(places - first);
                let view = |row: usize| {
                    let width = stride.min(kernel - row * stride) * inputs;
                    Ok(of_group.narrow(0, first + row, count)?.narrow(1, 0, width)?.contiguous()?)
                };
                let views = (0..rows).map(view).collect::<Result<Vec<_>>>()?;
                parts.push(Tensor::cat(&views, 1)?.matmul(matrix)?);
            }
            groups.push(Tensor::cat(&parts, 0)?);
        }
        let y = Tensor::cat(&groups, 1)?.unsqueeze(0)?;
        match &self.bias {
            Some(bias) => Ok(y.broadcast_add(bias)?),
            None => Ok(y),
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn it_is_a_convolution() {
        let number = |index: usize| (index * 7919 % 101) as f32 / 50.0 - 1.0;
        let tensor = |shape: &[usize]| {
            let values: Vec<f32> = (0..shape.iter().product()).map(number).collect();
            Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
        };
        for (steps, kernel, stride, zeros, groups) in [
            (31, 10, 5, 0, 1),
            (30, 3, 2, 0, 1),
            (31, 3, 2, 0, 2),
            (12, 2, 2, 0, 1),
            (9, 5, 1, 2, 3),
            (4, 7, 1, 3, 2),
            (3, 3, 1, 0, 1),
            (PLACES + 900, 3, 1, 0, 1),
        ] {
            let x = tensor(&[1, steps, 6]);
            let weight = tensor(&[12, 6 / groups, kernel]);
            let bias = tensor(&[12]);
            let window = Window { kernel, stride, zeros: [zeros; 2] };
            let found = Convolution::new(&weight, Some(bias.clone()), window, groups).unwrap().forward(&x).unwrap();
            let expected = x.transpose(1, 2).unwrap().contiguous().unwrap();
            let expected = expected.conv1d(&weight, zeros, stride, 1, groups).unwrap().transpose(1, 2).unwrap();
            let expected = expected.broadcast_add(&bias).unwrap();
            assert_eq!(found.dims(), expected.dims());
            let off = (found - expected).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
            assert!(off < 1e-5, "{steps} {kernel} {stride}: {off}");
        }
        let window = Window { kernel: 3, stride: 1, zeros: [0; 2] };
        let convolution = Convolution::new(&tensor(&[2, 6, 3]), None, window, 1).unwrap();
        assert!(matches!(convolution.forward(&tensor(&[1, 2, 6])), Err(EncoderError::Input { .. })));
    }
}
