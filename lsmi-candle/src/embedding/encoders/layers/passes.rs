//! What lies between products, on the processor in f32: each a single pass, compiled for its vector units.
//!
//! candle has such operations too. Its exponentials and error functions are calls for every number; its norms take the
//! variance as a difference of sums, which loses digits where the mean is large; and its softmax and norms wait for
//! rayon's one global pool, so that batches worked on by several threads would wait for each other. These run on the
//! thread that calls them. On other devices, for other number types, and where a gradient is asked for, candle's are used.

use candle_core::{CpuStorage, CustomOp1, CustomOp3, D, DType, InplaceOp1, Layout, Shape, Tensor};
use candle_nn::ops;

use super::Activation;
use crate::embedding::encoders::error::{EncoderError, Result};
use crate::numbers::simd_math::{exp, vectorised};

/// Sums run in so many lanes, whatever the processor has, so that its kind does not change them.
const LANES: usize = 16;

/// Whether these operations, which have no gradients, can take a tensor.
pub(super) fn suits(x: &Tensor) -> bool {
    x.device().is_cpu() && x.dtype() == DType::F32 && x.is_contiguous() && !x.track_op()
}

/// Refuses a tensor that a gradient is asked of: the layer has none, and would cut it off without a word.
///
/// # Errors
/// [`EncoderError::NoGradient`] naming the layer.
pub(super) fn refuse_gradient(x: &Tensor, layer: &'static str) -> Result<()> {
    if x.track_op() { Err(EncoderError::NoGradient { layer }) } else { Ok(()) }
}

/// Softmax over the last axis of scores that nobody else sees.
///
/// # Errors
/// A candle error where the device fails.
pub(super) fn shares(scores: Tensor) -> Result<Tensor> {
    if suits(&scores) {
        scores.inplace_op1(&Softmax)?;
        return Ok(scores);
    }
    if !scores.track_op() {
        return Ok(ops::softmax_last_dim(&scores)?);
    }
    // Without the gradient of the largest, which cancels.
    let largest = scores.max_keepdim(D::Minus1)?.detach();
    let powers = scores.broadcast_sub(&largest)?.exp()?;
    Ok(powers.broadcast_div(&powers.sum_keepdim(D::Minus1)?)?)
}

/// Layer normalisation over the last axis.
pub(super) struct Norm {
    pub(super) eps: f32,
}

/// Softmax over the last axis, in place.
pub(super) struct Softmax;

/// An activation of the first half of the last axis, times the second half.
pub(super) struct Gate(pub(super) Activation);

/// An activation of every number.
pub(super) struct Activate(pub(super) Activation);

impl CustomOp3 for Norm {
    fn name(&self) -> &'static str {
        "layer-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (x, weight, bias) = (values(x, layout)?, values(weight, weight_layout)?, values(bias, bias_layout)?);
        let mut result = vec![0.0; x.len()];
        normalise_into(x, weight, bias, self.eps, &mut result);
        Ok((CpuStorage::F32(result), layout.shape().clone()))
    }
}

impl InplaceOp1 for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn cpu_fwd(&self, scores: &mut CpuStorage, layout: &Layout) -> candle_core::Result<()> {
        let width = last(layout);
        let scores = values_mut(scores, layout)?;
        vectorised(
            #[inline(always)]
            || scores.chunks_exact_mut(width).for_each(softmax),
        );
        Ok(())
    }
}

impl CustomOp1 for Gate {
    fn name(&self) -> &'static str {
        "gate"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let mut dims = layout.dims().to_vec();
        let width = last(layout) / 2;
        if let Some(last) = dims.last_mut() {
            *last = width;
        }
        let x = values(x, layout)?;
        let mut result = Vec::with_capacity(x.len() / 2);
        for row in x.chunks_exact(2 * width) {
            result.extend_from_slice(&row[..width]);
        }
        activate(&mut result, self.0);
        for (row, result) in x.chunks_exact(2 * width).zip(result.chunks_exact_mut(width)) {
            for (result, gate) in result.iter_mut().zip(&row[width..]) {
                *result *= gate;
            }
        }
        Ok((CpuStorage::F32(result), Shape::from_dims(&dims)))
    }
}

impl CustomOp1 for Activate {
    fn name(&self) -> &'static str {
        "activation"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let mut result = values(x, layout)?.to_vec();
        activate(&mut result, self.0);
        Ok((CpuStorage::F32(result), layout.shape().clone()))
    }
}

fn activate(x: &mut [f32], activation: Activation) {
    match activation {
        Activation::Gelu => each(x, gelu),
        Activation::GeluTanh => each(x, gelu_tanh),
        Activation::QuickGelu => each(x, quick_gelu),
        Activation::Relu => each(x, relu),
        Activation::Silu => each(x, silu),
        Activation::Tanh => each(x, f32::tanh),
        Activation::Sigmoid => each(x, sigmoid),
        Activation::Identity => {}
    }
}

fn each(x: &mut [f32], function: impl Fn(f32) -> f32) {
    vectorised(
        #[inline(always)]
        || x.iter_mut().for_each(|x| *x = function(*x)),
    );
}

/// Adds a bias to a row, and applies an activation if there is one.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
pub(super) fn finish(x: &mut [f32], bias: &[f32], activation: Option<Activation>) {
    let each = x.iter_mut().zip(bias);
    match activation {
        None | Some(Activation::Identity) => each.for_each(|(x, bias)| *x += bias),
        Some(Activation::Gelu) => each.for_each(|(x, bias)| *x = gelu(*x + bias)),
        Some(Activation::GeluTanh) => each.for_each(|(x, bias)| *x = gelu_tanh(*x + bias)),
        Some(Activation::QuickGelu) => each.for_each(|(x, bias)| *x = quick_gelu(*x + bias)),
        Some(Activation::Relu) => each.for_each(|(x, bias)| *x = relu(*x + bias)),
        Some(Activation::Silu) => each.for_each(|(x, bias)| *x = silu(*x + bias)),
        Some(Activation::Tanh) => each.for_each(|(x, bias)| *x = (*x + bias).tanh()),
        Some(Activation::Sigmoid) => each.for_each(|(x, bias)| *x = sigmoid(*x + bias)),
    }
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
fn normalise(x: &[f32], weight: &[f32], bias: &[f32], eps: f32, result: &mut [f32]) {
    let normal = normal(x, eps);
    for (((result, x), weight), bias) in result.iter_mut().zip(x).zip(weight).zip(bias) {
        *result = normal(*x) * weight + bias;
    }
}

/// Writes the layer norm of rows.
pub(super) fn normalise_into(x: &[f32], weight: &[f32], bias: &[f32], eps: f32, result: &mut [f32]) {
    vectorised(
        #[inline(always)]
        || {
            for (x, result) in x.chunks_exact(weight.len()).zip(result.chunks_exact_mut(weight.len())) {
                normalise(x, weight, bias, eps, result);
            }
        },
    );
}

/// Replaces rows by their layer norm.
pub(super) fn normalise_rows(x: &mut [f32], weight: &[f32], bias: &[f32], eps: f32) {
    vectorised(
        #[inline(always)]
        || {
            for x in x.chunks_exact_mut(weight.len()) {
                let normal = normal(x, eps);
                for ((x, weight), bias) in x.iter_mut().zip(weight).zip(bias) {
                    *x = normal(*x) * weight + bias;
                }
            }
        },
    );
}

/// What takes the numbers of a row to a mean of 0 and a variance of 1.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
fn normal(x: &[f32], eps: f32) -> impl Fn(f32) -> f32 + use<> {
    let count = x.len() as f32;
    let rough = lanes(x, |x| x) / count;
    // What rounding took from a mean that is large against the spread.
    let shift = lanes(x, |x| x - rough) / count;
    let deviation = move |x: f32| (x - rough) - shift;
    let variance = lanes(x, |x| deviation(x) * deviation(x)) / count;
    let scale = 1.0 / (variance + eps).sqrt();
    #[inline(always)]
    move |x| deviation(x) * scale
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
fn softmax(row: &mut [f32]) {
    let share = exponentials(row);
    for x in row.iter_mut() {
        *x *= share;
    }
}

/// Replaces numbers by their exponentials over that of the greatest, and gives what makes shares of them.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
pub(super) fn exponentials(row: &mut [f32]) -> f32 {
    let mut most = [f32::NEG_INFINITY; LANES];
    let chunks = row.chunks_exact(LANES);
    for (most, x) in most.iter_mut().zip(chunks.remainder()) {
        *most = *x;
    }
    for chunk in chunks {
        for (most, x) in most.iter_mut().zip(chunk) {
            *most = if *x > *most { *x } else { *most };
        }
    }
    let most = most.into_iter().fold(f32::NEG_INFINITY, f32::max);
    let mut sums = [0.0; LANES];
    let (chunks, rest) = row.as_chunks_mut::<LANES>();
    for (sum, x) in sums.iter_mut().zip(rest) {
        *x = exp(*x - most);
        *sum = *x;
    }
    for chunk in chunks {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *x = exp(*x - most);
            *sum += *x;
        }
    }
    1.0 / sums.iter().sum::<f32>()
}

/// The sum of a function of numbers, in lanes.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
pub(super) fn lanes(x: &[f32], function: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0; LANES];
    let chunks = x.chunks_exact(LANES);
    for (sum, x) in sums.iter_mut().zip(chunks.remainder()) {
        *sum = function(*x);
    }
    for chunk in chunks {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *sum += function(*x);
        }
    }
    sums.iter().sum()
}

/// `x (1 + erf(x / sqrt 2)) / 2`, by `erfc(z) = p(t) exp(-z^2)`, `t = 1 / (1 + 0.3275911 z)`: formula 7.1.26 of Abramowitz
/// and Stegun's handbook, whose error is below 1.5e-7.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
fn gelu(x: f32) -> f32 {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let mut series = 1.061_405_4;
    for coefficient in [-1.453_152_1, 1.421_413_8, -0.284_496_72, 0.254_829_6] {
        series = series * t + coefficient;
    }
    let tail = 0.5 * series * t * exp(-z * z);
    x * if x < 0.0 { tail } else { 1.0 - tail }
}

/// `x (1 + tanh u) / 2 = x sigmoid(2 u)` with `u = sqrt(2 / pi) (x + 0.044715 x^3)`.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
fn gelu_tanh(x: f32) -> f32 {
    x * sigmoid(2.0 * 0.797_884_6 * (x + 0.044_715 * x * x * x))
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
fn quick_gelu(x: f32) -> f32 {
    x * sigmoid(1.702 * x)
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
fn silu(x: f32) -> f32 {
    x * sigmoid(x)
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
fn relu(x: f32) -> f32 {
    // Not `max`, which would turn what is not a number into 0.
    if x < 0.0 { 0.0 } else { x }
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// Copies the numbers of a tensor that lie together on the processor.
pub(super) fn numbers(x: &Tensor) -> candle_core::Result<Vec<f32>> {
    x.flatten_all()?.to_vec1()
}

/// Size of the last axis.
fn last(layout: &Layout) -> usize {
    layout.dims().last().copied().unwrap_or(1)
}

pub(super) fn values<'storage>(storage: &'storage CpuStorage, layout: &Layout) -> candle_core::Result<&'storage [f32]> {
    let values = storage.as_slice::<f32>()?;
    let (begin, end) = contiguous(layout)?;
    Ok(&values[begin..end])
}

fn values_mut<'storage>(
    storage: &'storage mut CpuStorage,
    layout: &Layout,
) -> candle_core::Result<&'storage mut [f32]> {
    let (begin, end) = contiguous(layout)?;
    match storage {
        CpuStorage::F32(values) => Ok(&mut values[begin..end]),
        _ => candle_core::bail!("a pass over numbers that are not f32"),
    }
}

fn contiguous(layout: &Layout) -> candle_core::Result<(usize, usize)> {
    match layout.contiguous_offsets() {
        Some(offsets) => Ok(offsets),
        None => candle_core::bail!("a pass over numbers that do not lie together"),
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    fn numbers(shape: &[usize], scale: f64) -> Tensor {
        let count: usize = shape.iter().product();
        #[expect(clippy::cast_possible_truncation, reason = "any values will do")]
        let values: Vec<f32> = (0..count).map(|index| ((index as f64 * 0.7).sin() * scale) as f32).collect();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    }

    fn difference(a: &Tensor, b: &Tensor) -> f64 {
        let [a, b] = [a, b].map(|tensor| tensor.to_dtype(DType::F64).unwrap());
        (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar().unwrap()
    }

    /// f64 through candle, which has the functions in full; f32 numbers up to 8 are rounded by up to 5e-7.
    #[test]
    fn activations_are_those_of_f64() {
        let x = numbers(&[5, 1001], 8.0);
        let wide = x.to_dtype(DType::F64).unwrap();
        let sigmoid = |x: &Tensor| ((x.neg().unwrap().exp().unwrap() + 1.0).unwrap()).recip().unwrap();
        let expected = [
            (Activation::Gelu, wide.gelu_erf().unwrap()),
            (Activation::GeluTanh, wide.gelu().unwrap()),
            (Activation::QuickGelu, (&wide * sigmoid(&(&wide * 1.702).unwrap())).unwrap()),
            (Activation::Relu, wide.relu().unwrap()),
            (Activation::Silu, (&wide * sigmoid(&wide)).unwrap()),
        ];
        for (activation, expected) in expected {
            let found = x.apply_op1_no_bwd(&Activate(activation)).unwrap();
            let error = difference(&found, &expected);
            assert!(error < 1e-6, "{activation:?}: {error}");
            let mut finished = x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let bias = vec![0.0; finished.len()];
            vectorised(|| finish(&mut finished, &bias, Some(activation)));
            let finished = Tensor::from_vec(finished, x.shape(), &Device::Cpu).unwrap();
            assert!(difference(&finished, &found) == 0.0);
        }
    }

    #[test]
    fn activations_keep_what_is_no_number_and_bear_the_infinite() {
        let x = Tensor::new(&[f32::NAN, f32::INFINITY, 1e30, -1e30], &Device::Cpu).unwrap();
        for activation in
            [Activation::Gelu, Activation::GeluTanh, Activation::QuickGelu, Activation::Relu, Activation::Silu]
        {
            let y = x.apply_op1_no_bwd(&Activate(activation)).unwrap().to_vec1::<f32>().unwrap();
            assert!(y[0].is_nan(), "{activation:?}");
            assert_eq!(y[1..], [f32::INFINITY, 1e30, 0.0], "{activation:?}");
        }
    }

    #[test]
    fn gates_multiply_the_halves() {
        let x = numbers(&[3, 2, 34], 3.0);
        let found = x.apply_op1_no_bwd(&Gate(Activation::Silu)).unwrap();
        let halves = x.chunk(2, D::Minus1).unwrap();
        assert!(difference(&found, &(halves[0].silu().unwrap() * &halves[1]).unwrap()) < 1e-6);
    }

    /// Widths below, at and beside a multiple of the lanes; a mean that is large against the spread.
    #[test]
    fn norms_bear_a_large_mean() {
        for width in [5, 32, 100] {
            let x = (numbers(&[7, width], 1.0) + 1000.0).unwrap();
            let (weight, bias) = (numbers(&[width], 2.0), numbers(&[width], 0.5));
            let found = x.apply_op3_no_bwd(&weight, &bias, &Norm { eps: 1e-5 }).unwrap();
            let wide = [&x, &weight, &bias].map(|tensor| tensor.to_dtype(DType::F64).unwrap());
            let expected = ops::layer_norm_slow(&wide[0], &wide[1], &wide[2], 1e-5).unwrap();
            // Numbers near 1000 are the same in both; only their differences from the mean are rounded.
            assert!(difference(&found, &expected) < 2e-5);
        }
    }

    #[test]
    fn softmax_is_candles() {
        let scores = numbers(&[2, 3, 4, 19], 9.0);
        let found = scores.copy().unwrap();
        found.inplace_op1(&Softmax).unwrap();
        assert!(difference(&found, &ops::softmax_last_dim(&scores).unwrap()) < 1e-6);
    }
}
