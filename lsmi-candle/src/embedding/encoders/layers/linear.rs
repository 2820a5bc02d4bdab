//! A linear layer, `x W' + b`.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, DType, Layout, Shape, Tensor};

use super::{Activation, passes};
use crate::embedding::encoders::error::Result;
use crate::embedding::encoders::weights::Weights;
use crate::numbers::product::{Packed, Rows, Target, multiply};

/// A linear layer.
#[derive(Debug, Clone)]
pub(crate) struct Linear {
    weight: Weight,
    bias: Option<Tensor>,
}

/// The weights `W` of a layer.
#[derive(Debug, Clone)]
enum Weight {
    /// `[outputs, inputs]`, as PyTorch stores them; so are weights that are trained.
    Tensor(Tensor),
    /// On the processor in f32: in the order in which products read them, in place of the tensor.
    Packed(Arc<Packed>),
}

impl Linear {
    /// A layer from its tensors, `[outputs, inputs]` and `[outputs]`.
    ///
    /// # Errors
    /// A candle error where the weights are not a matrix.
    pub(crate) fn new(weight: Tensor, bias: Option<Tensor>) -> Result<Self> {
        let (outputs, inputs) = weight.dims2()?;
        let is_packed = weight.device().is_cpu() && weight.dtype() == DType::F32 && !weight.track_op();
        let weight = if is_packed {
            let rows = weight.flatten_all()?.to_vec1::<f32>()?;
            Weight::Packed(Arc::new(Packed::transposed(&rows, inputs, outputs)))
        } else {
            Weight::Tensor(weight)
        };
        Ok(Self { weight, bias })
    }

    /// Numbers that it gives.
    pub(crate) fn outputs(&self) -> usize {
        match &self.weight {
            Weight::Tensor(weight) => weight.dims()[0],
            Weight::Packed(packed) => packed.columns(),
        }
    }

    /// Loads `weight` and, where there is to be one, `bias` under `name`.
    ///
    /// # Errors
    /// [`EncoderError`](crate::embedding::encoders::EncoderError) naming the tensor that is missing or of another shape.
    pub(crate) fn load(weights: &Weights, name: &str, inputs: usize, outputs: usize, bias: bool) -> Result<Self> {
        let weights = weights.under(name);
        let weight = weights.get("weight", &[outputs, inputs])?;
        let bias = if bias { Some(weights.get("bias", &[outputs])?) } else { None };
        Self::new(weight, bias)
    }

    /// Applies it along the last axis of `[..., inputs]`.
    ///
    /// # Errors
    /// A candle error where the shapes do not fit.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.apply(x, None)
    }

    /// Applies it, and an activation to what comes out.
    ///
    /// # Errors
    /// A candle error where the shapes do not fit.
    pub(crate) fn activated(&self, x: &Tensor, activation: Activation) -> Result<Tensor> {
        self.apply(x, Some(activation))
    }

    fn apply(&self, x: &Tensor, activation: Option<Activation>) -> Result<Tensor> {
        let y = match &self.weight {
            Weight::Packed(packed) => {
                passes::refuse_gradient(x, "linear")?;
                x.contiguous()?.apply_op1_no_bwd(&Product(packed))?
            }
            Weight::Tensor(weight) => {
                let mut dims = x.dims().to_vec();
                let (outputs, inputs) = weight.dims2()?;
                if let Some(last) = dims.last_mut() {
                    *last = outputs;
                }
                // One product for all rows, rather than one for each of the batch.
                x.reshape(((), inputs))?.matmul(&weight.t()?)?.reshape(dims)?
            }
        };
        match &self.bias {
            // The product is new and seen by nobody else, so it can be written over.
            Some(bias) if passes::suits(&y) && passes::suits(bias) => {
                y.inplace_op2(bias, &passes::Finish(activation))?;
                Ok(y)
            }
            Some(bias) => {
                activation.map_or(Ok(y.broadcast_add(bias)?), |activation| activation.forward(&y.broadcast_add(bias)?))
            }
            None => activation.map_or(Ok(y.clone()), |activation| activation.forward(&y)),
        }
    }
}

/// The product with weights, along the last axis.
struct Product<'a>(&'a Packed);

impl CustomOp1 for Product<'_> {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let Self(packed) = self;
        let mut dims = layout.dims().to_vec();
        let Some(last) = dims.last_mut().filter(|last| **last == packed.inner()) else {
            candle_core::bail!("a linear layer of {} numbers was given {:?}", packed.inner(), layout.dims())
        };
        *last = packed.columns();
        let x = passes::values(x, layout)?;
        let count = x.len() / packed.inner().max(1);
        let mut y = vec![0.0; count * packed.columns()];
        let target = Target { values: &mut y, stride: packed.columns() };
        multiply(Rows { values: x, stride: packed.inner(), count }, packed, target);
        Ok((CpuStorage::F32(y), Shape::from_dims(&dims)))
    }
}
