//! What a model gives for a batch, and how one vector is made of it.

use candle_core::{D, DType, Tensor};

use super::error::{EncoderError, Result};
use super::pooling::{Pooling, Poolings};

/// What a model gives for a batch of `B` inputs.
#[derive(Debug, Clone)]
pub struct Hidden {
    /// Last hidden states, `[B, T, d]`.
    pub states: Tensor,
    /// The positions that poolings are over, `[B, T]`, 1 or 0; none where they are over all.
    pub keep: Option<Tensor>,
    /// Leading positions that poolings leave out: those of a prompt that is not to be part of the vector.
    pub leading: usize,
    /// Output of the model's own pooling layer, `[B, d]`, where it has one.
    pub pooled: Option<Tensor>,
    /// Projection into a shared space, `[B, p]`, where the model has one.
    pub projected: Option<Tensor>,
}

impl Hidden {
    /// Makes one vector of each input, f32 `[B, d]`, or `[B, p]` of a projection.
    ///
    /// # Errors
    /// [`EncoderError::Pooling`] where the model does not offer the pooling.
    pub fn pool(&self, pooling: Pooling) -> Result<Tensor> {
        let absent = || EncoderError::Pooling { pooling, offered: self.offered() };
        let vectors = match pooling {
            Pooling::Cls => {
                let first = self.leading.min(self.states.dim(1)? - 1);
                self.states.narrow(1, first, 1)?.squeeze(1)?
            }
            Pooling::Mean => self.mean()?,
            Pooling::Max => self.greatest()?,
            Pooling::MeanSqrt => {
                let (sums, counts) = self.sums(&self.kept()?)?;
                sums.broadcast_div(&counts.sqrt()?)?
            }
            Pooling::WeightedMean => {
                let places = self.places(1.0)?;
                let (sums, weights) = self.sums(&self.kept()?.broadcast_mul(&places)?)?;
                sums.broadcast_div(&weights)?
            }
            Pooling::Last => self.last()?,
            Pooling::Pooler => self.pooled.clone().ok_or_else(absent)?,
            Pooling::Projection => self.projected.clone().ok_or_else(absent)?,
        };
        Ok(vectors.to_dtype(DType::F32)?)
    }

    /// Joins the vectors of several poolings.
    ///
    /// # Errors
    /// As [`Hidden::pool`].
    pub fn pool_all(&self, poolings: &Poolings) -> Result<Tensor> {
        let vectors = poolings.iter().map(|pooling| self.pool(pooling)).collect::<Result<Vec<_>>>()?;
        match &vectors[..] {
            [only] => Ok(only.clone()),
            several => Ok(Tensor::cat(several, D::Minus1)?),
        }
    }

    /// Lists the poolings that the model offers.
    pub fn offered(&self) -> Vec<Pooling> {
        let has = |pooling: &Pooling| match pooling {
            Pooling::Pooler => self.pooled.is_some(),
            Pooling::Projection => self.projected.is_some(),
            _ => true,
        };
        Pooling::ALL.into_iter().filter(has).collect()
    }

    /// The positions that poolings are over, f32 `[B, T]`.
    fn kept(&self) -> Result<Tensor> {
        let (batch, length, _) = self.states.dims3()?;
        let keep = match &self.keep {
            Some(keep) => keep.to_dtype(DType::F32)?,
            None => Tensor::ones((batch, length), DType::F32, self.states.device())?,
        };
        if self.leading == 0 {
            return Ok(keep);
        }
        let leading = |position: usize| if position < self.leading { 0f32 } else { 1f32 };
        let counted = Tensor::from_iter((0..length).map(leading), self.states.device())?;
        Ok(keep.broadcast_mul(&counted.unsqueeze(0)?)?)
    }

    /// The numbers `first`, `first + 1`, ... of the positions, f32 `[1, T]`.
    fn places(&self, first: f32) -> Result<Tensor> {
        let numbers = (0..self.states.dim(1)?).map(|position| first + position as f32);
        Ok(Tensor::from_iter(numbers, self.states.device())?.unsqueeze(0)?)
    }

    /// The sums `[B, d]` of the states times weights `[B, T]`, and of the weights `[B, 1]`, which are at least 1.
    fn sums(&self, weights: &Tensor) -> Result<(Tensor, Tensor)> {
        let states = self.states.to_dtype(DType::F32)?;
        // As a product [B, 1, T] x [B, T, d]: padding may hold anything finite. An input of padding alone has sum 0.
        let sums = weights.unsqueeze(1)?.matmul(&states)?.squeeze(1)?;
        Ok((sums, weights.sum_keepdim(1)?.maximum(1f32)?))
    }

    fn mean(&self) -> Result<Tensor> {
        if self.keep.is_none() && self.leading == 0 {
            return Ok(self.states.to_dtype(DType::F32)?.mean(1)?);
        }
        let (sums, counts) = self.sums(&self.kept()?)?;
        Ok(sums.broadcast_div(&counts)?)
    }

    fn greatest(&self) -> Result<Tensor> {
        let states = self.states.to_dtype(DType::F32)?;
        let kept = self.kept()?.to_dtype(DType::U8)?.unsqueeze(2)?.broadcast_as(states.shape())?;
        let nothing = Tensor::full(f32::NEG_INFINITY, states.shape(), states.device())?;
        Ok(kept.contiguous()?.where_cond(&states.contiguous()?, &nothing)?.max(1)?)
    }

    fn last(&self) -> Result<Tensor> {
        let length = self.states.dim(1)?;
        if self.keep.is_none() {
            return Ok(self.states.narrow(1, length - 1, 1)?.squeeze(1)?);
        }
        // The greatest kept position: padding may be on either side.
        let last = self.kept()?.broadcast_mul(&self.places(0.0)?)?.argmax(D::Minus1)?;
        at_positions(&self.states, &last)
    }
}

/// The states `[B, T, d]` at one position each, `[B]` u32: `[B, d]`.
pub(crate) fn at_positions(states: &Tensor, positions: &Tensor) -> Result<Tensor> {
    let (batch, _, width) = states.dims3()?;
    let index = positions.to_dtype(DType::U32)?.reshape((batch, 1, 1))?.broadcast_as((batch, 1, width))?;
    Ok(states.gather(&index.contiguous()?, 1)?.squeeze(1)?)
}

/// Divides vectors `[..., d]` by their Euclidean norms. One of norm 0 stays as it is.
///
/// # Errors
/// A candle error where the device fails.
pub fn l2_normalise(vectors: &Tensor) -> Result<Tensor> {
    let norms = vectors.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?;
    Ok(vectors.broadcast_div(&norms.maximum(f64::from(f32::MIN_POSITIVE))?)?)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    /// Two texts of three positions of two numbers; the last position of the second is padding.
    fn hidden(leading: usize) -> Hidden {
        let states = vec![1f32, -1.0, 2.0, -2.0, 6.0, -3.0, 3.0, 4.0, 5.0, 0.0, 9.0, 9.0];
        Hidden {
            states: Tensor::from_vec(states, (2, 3, 2), &Device::Cpu).unwrap(),
            keep: Some(Tensor::from_vec(vec![1u32, 1, 1, 1, 1, 0], (2, 3), &Device::Cpu).unwrap()),
            leading,
            pooled: None,
            projected: None,
        }
    }

    fn pooled(pooling: &str, leading: usize) -> Vec<Vec<f32>> {
        hidden(leading).pool_all(&pooling.parse().unwrap()).unwrap().to_vec2().unwrap()
    }

    #[test]
    fn poolings_leave_padding_out() {
        assert_eq!(pooled("cls", 0), [[1.0, -1.0], [3.0, 4.0]]);
        assert_eq!(pooled("mean", 0), [[3.0, -2.0], [4.0, 2.0]]);
        assert_eq!(pooled("max", 0), [[6.0, -1.0], [5.0, 4.0]]);
        assert_eq!(pooled("last", 0), [[6.0, -3.0], [5.0, 0.0]]);
        let root = pooled("mean-sqrt", 0);
        assert!((root[0][0] - 9.0 / 3f32.sqrt()).abs() < 1e-6 && (root[1][1] - 4.0 / 2f32.sqrt()).abs() < 1e-6);
        let weighted = pooled("weighted-mean", 0);
        assert!((weighted[0][0] - 23.0 / 6.0).abs() < 1e-6 && (weighted[1][0] - 13.0 / 3.0).abs() < 1e-6);
        assert_eq!(pooled("cls+max", 0), [[1.0, -1.0, 6.0, -1.0], [3.0, 4.0, 5.0, 4.0]]);
    }

    /// A prompt's positions count for the weights of those behind it, and for nothing else.
    #[test]
    fn poolings_leave_a_prompt_out() {
        assert_eq!(pooled("cls", 1), [[2.0, -2.0], [5.0, 0.0]]);
        assert_eq!(pooled("mean", 1), [[4.0, -2.5], [5.0, 0.0]]);
        assert_eq!(pooled("max", 1), [[6.0, -2.0], [5.0, 0.0]]);
        assert_eq!(pooled("last", 1), [[6.0, -3.0], [5.0, 0.0]]);
        let weighted = pooled("weighted-mean", 1);
        assert!((weighted[0][0] - 22.0 / 5.0).abs() < 1e-6, "{weighted:?}");
    }
}
