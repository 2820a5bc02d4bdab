//! Computes squared distances on devices other than the CPU, as tensor operations on all rows at once. Responsibilities
//! and moments are computed from them on the host as on the CPU.
//!
//! No such device was at hand: a test holds these tensors, on the CPU, against the blocks of [`super::pass`].

use candle_core::{D, Device, Result, Tensor};

use super::{Covariance, Mixture};

/// Returns the squared distances of rows `[n, d]` from every component, `[n, K]`, on the host.
pub(super) fn squared_distances(mixture: &Mixture, rows: &Tensor) -> Result<Vec<f32>> {
    let device = rows.device();
    let (components, dims) = (mixture.components(), mixture.dims());
    let means = Tensor::from_slice(&mixture.means, (components, dims), device)?;
    let factors = factors(mixture, device)?;
    if let Covariance::LowRank(rank) = mixture.shape.covariance {
        return low_rank_distances(mixture, rows, &means, &factors, rank);
    }
    let (projected, centres) = match mixture.shape.covariance {
        Covariance::Tied => {
            let factor = factors.get(0)?.t()?;
            (rows.matmul(&factor)?, means.matmul(&factor)?)
        }
        Covariance::Diagonal | Covariance::Full | Covariance::LowRank(_) => (rows.clone(), means),
    };
    let mut distances = Vec::with_capacity(components);
    for component in 0..components {
        let centred = projected.broadcast_sub(&centres.get(component)?)?;
        let whitened = match mixture.shape.covariance {
            Covariance::Tied | Covariance::LowRank(_) => centred,
            Covariance::Diagonal => centred.broadcast_mul(&factors.get(component)?)?,
            Covariance::Full => centred.matmul(&factors.get(component)?.t()?)?,
        };
        distances.push(whitened.sqr()?.sum(D::Minus1)?);
    }
    Tensor::stack(&distances, 1)?.flatten_all()?.to_vec1()
}

/// Returns `|z - U w|^2 + |w|^2` as in [`super::low_rank`].
fn low_rank_distances(
    mixture: &Mixture,
    rows: &Tensor,
    means: &Tensor,
    factors: &Tensor,
    rank: usize,
) -> Result<Vec<f32>> {
    let posteriors = Tensor::from_slice(&mixture.derived, (mixture.components(), rank, rank), rows.device())?;
    let mut distances = Vec::with_capacity(mixture.components());
    for component in 0..mixture.components() {
        let factors = factors.get(component)?;
        let scales = factors.narrow(1, 0, 1)?.squeeze(1)?;
        let loadings = factors.narrow(1, 1, rank)?.contiguous()?;
        let scaled = rows.broadcast_sub(&means.get(component)?)?.broadcast_mul(&scales)?;
        let weights = scaled.matmul(&loadings)?.matmul(&posteriors.get(component)?)?;
        let rest = (scaled - weights.matmul(&loadings.t()?)?)?;
        distances.push((rest.sqr()?.sum(D::Minus1)? + weights.sqr()?.sum(D::Minus1)?)?);
    }
    Tensor::stack(&distances, 1)?.flatten_all()?.to_vec1()
}

fn factors(mixture: &Mixture, device: &Device) -> Result<Tensor> {
    let shape = mixture.shape.covariance.factor_shape(mixture.components(), mixture.dims());
    Tensor::from_slice(&mixture.factors, shape, device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::densities::mixture::Pass;
    use crate::densities::points::Points;
    use lsmi_core::random::stream;
    use rand_distr::{Distribution, StandardNormal};

    #[test]
    fn tensors_give_the_distances_of_the_blocks() {
        const DIMS: usize = 5;
        let mut random = stream(0, "distances");
        let mut normal =
            |count: usize| -> Vec<f32> { (0..count).map(|_| StandardNormal.sample(&mut random)).collect() };
        let points = Points::new(normal(300 * DIMS), DIMS, &Device::Cpu).unwrap();
        let rows = Tensor::from_slice(points.values(), (300, DIMS), &Device::Cpu).unwrap();
        for covariance in [Covariance::Diagonal, Covariance::Tied, Covariance::Full, Covariance::LowRank(2)] {
            let size: usize = covariance.factor_shape(6, DIMS).iter().product();
            let mut factors = normal(size);
            if covariance == Covariance::LowRank(2) {
                for scale in factors.iter_mut().step_by(3) {
                    *scale = scale.abs() + 0.1;
                }
            } else if covariance == Covariance::Diagonal {
                for value in &mut factors {
                    *value = value.abs() + 0.1;
                }
            } else {
                for (index, value) in factors.iter_mut().enumerate() {
                    let (row, column) = (index / DIMS % DIMS, index % DIMS);
                    *value = if row == column { value.abs() + 0.1 } else { *value * f32::from(u8::from(row > column)) };
                }
            }
            let mixture = Mixture::new(covariance, vec![(1.0f64 / 6.0).ln(); 6], normal(6 * DIMS), factors).unwrap();
            let distances = squared_distances(&mixture, &rows).unwrap();
            let mut pass = Pass::new(&mixture, &points).unwrap();
            while let Some(range) = pass.next() {
                for (lane, row) in range.enumerate() {
                    for component in 0..6 {
                        let joint = pass.joint[component][lane];
                        let distance = 2.0 * (mixture.log_constants[component] - joint);
                        let expected = f64::from(distances[row * 6 + component]);
                        assert!((distance - expected).abs() < 1e-4 * (1.0 + expected), "{covariance}");
                    }
                }
            }
        }
    }
}
