//! A linear layer, `x W' + b`.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, DType, Layout, Shape, Tensor};

use super::{Activation, passes};
use crate::embedding::encoders::error::Result;
use crate::embedding::encoders::weights::Weights;
use crate::numbers::product::{Packed, Panels, Rows, Target, multiply};

/// A linear layer.
#[derive(Debug, Clone)]
pub(crate) enum Linear {
    /// Weights `[outputs, inputs]`, as PyTorch stores them, and bias; so are weights that are trained.
    Tensors(Tensor, Option<Tensor>),
    /// On the processor in f32, not trained.
    OnHost(Arc<OnHost>),
}

/// A linear layer on the processor: its weights in the order in which products read them.
#[derive(Debug)]
pub(crate) struct OnHost {
    weight: Packed,
    /// Of zeros where there is none.
    bias: Vec<f32>,
}

impl OnHost {
    /// Numbers that it takes.
    pub(super) fn inputs(&self) -> usize {
        self.weight.inner()
    }

    /// Numbers that it gives.
    pub(super) fn outputs(&self) -> usize {
        self.weight.columns()
    }

    /// Writes what it gives for rows to rows one after the other, or adds it to what is there; then applies the activation.
    pub(super) fn multiply(
        &self,
        x: Rows<'_>,
        out: &mut [f32],
        adds: bool,
        activation: Option<Activation>,
        panels: &mut Panels,
    ) {
        let target = Target { values: out, stride: self.outputs(), adds };
        multiply(
            x,
            &self.weight,
            target,
            panels,
            #[inline(always)]
            |row, columns| passes::finish(row, &self.bias[columns], activation),
        );
    }
}

impl Linear {
    /// A layer from its tensors, `[outputs, inputs]` and `[outputs]`.
    ///
    /// # Errors
    /// A candle error where the weights are not a matrix.
    pub(crate) fn new(weight: Tensor, bias: Option<Tensor>) -> Result<Self> {
        let (outputs, inputs) = weight.dims2()?;
        if !weight.device().is_cpu() || weight.dtype() != DType::F32 || weight.track_op() {
            return Ok(Self::Tensors(weight, bias));
        }
        let bias = bias.map_or(Ok(vec![0.0; outputs]), |bias| passes::numbers(&bias))?;
        let weight = Packed::transposed(&passes::numbers(&weight)?, inputs, outputs);
        Ok(Self::OnHost(Arc::new(OnHost { weight, bias })))
    }

    /// The layer, where it is on the processor in f32 and not trained.
    pub(super) fn on_host(&self) -> Option<&OnHost> {
        match self {
            Self::OnHost(layer) => Some(layer),
            Self::Tensors(..) => None,
        }
    }

    /// Numbers that it gives.
    pub(crate) fn outputs(&self) -> usize {
        match self {
            Self::Tensors(weight, _) => weight.dims()[0],
            Self::OnHost(layer) => layer.outputs(),
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
        let (weight, bias) = match self {
            Self::OnHost(layer) => {
                passes::refuse_gradient(x, "linear")?;
                return Ok(x.contiguous()?.apply_op1_no_bwd(&Product { layer, activation })?);
            }
            Self::Tensors(weight, bias) => (weight, bias),
        };
        let mut dims = x.dims().to_vec();
        let (outputs, inputs) = weight.dims2()?;
        if let Some(last) = dims.last_mut() {
            *last = outputs;
        }
        // One product for all rows, rather than one for each of the batch.
        let mut y = x.reshape(((), inputs))?.matmul(&weight.t()?)?.reshape(dims)?;
        if let Some(bias) = bias {
            y = y.broadcast_add(bias)?;
        }
        activation.map_or(Ok(y.clone()), |activation| activation.forward(&y))
    }
}

/// A linear layer and the activation after it, along the last axis.
struct Product<'a> {
    layer: &'a OnHost,
    activation: Option<Activation>,
}

impl CustomOp1 for Product<'_> {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let Self { layer, activation } = *self;
        let (inputs, outputs) = (layer.inputs(), layer.outputs());
        let mut dims = layout.dims().to_vec();
        let Some(last) = dims.last_mut().filter(|last| **last == inputs) else {
            candle_core::bail!("a linear layer of {inputs} numbers was given {:?}", layout.dims())
        };
        *last = outputs;
        let values = passes::values(x, layout)?;
        let count = values.len() / inputs.max(1);
        let mut y = vec![0.0; count * outputs];
        let x = Rows { values, stride: inputs, count };
        layer.multiply(x, &mut y, false, activation, &mut Panels::default());
        Ok((CpuStorage::F32(y), Shape::from_dims(&dims)))
    }
}
