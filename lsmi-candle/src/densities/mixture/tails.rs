//! Tails of a mixture's components: normal, or heavy as those of Student's distribution.

use super::Sample;
use crate::numbers::linear_algebra::{product_transposed, whitening_factor};

/// Degrees of freedom that are tried where tails are heavy: the first one to find the number of components, the others
/// with that number.
pub(crate) const FREEDOMS: [f64; 3] = [5.0, 2.5, 10.0];
/// The number of standard errors beyond which a fourth moment is not that of a normal sample.
const ERRORS: f64 = 3.0;

/// Returns the logarithm of the scale of a component's density, without the determinant of its factor.
pub(super) fn log_normaliser(freedom: Option<f64>, dims: usize) -> f64 {
    let size = dims as f64;
    match freedom {
        None => -0.5 * size * std::f64::consts::TAU.ln(),
        Some(freedom) => {
            libm::lgamma(0.5 * (freedom + size))
                - libm::lgamma(0.5 * freedom)
                - 0.5 * size * (freedom * std::f64::consts::PI).ln()
        }
    }
}

/// Returns whether rows lie further out than those of a normal sample would: whether the mean fourth power of their
/// distance from the mean, in units of the covariance, is above `d (d + 2)` by more than chance (Mardia 1970, eq.
/// 3.12).
pub(crate) fn are_tails_heavy(sample: &Sample) -> bool {
    let (rows, dims) = (sample.moments.rows, sample.points.columns());
    let mut means = vec![0.0; dims];
    for row in sample.points.values().chunks_exact(dims) {
        for (mean, value) in means.iter_mut().zip(row) {
            *mean += f64::from(*value) / rows;
        }
    }
    let covariance: Vec<f64> = (0..dims * dims)
        .map(|index| sample.second_moments()[index] / rows - means[index / dims] * means[index % dims])
        .collect();
    // Columns that determine one another are no sample of a density.
    let Some(factor) = whitening_factor(&covariance, dims) else { return false };
    let centred: Vec<f64> =
        sample.points.values().iter().zip(means.iter().cycle()).map(|(value, mean)| f64::from(*value) - mean).collect();
    let whitened = product_transposed(&centred, &factor, dims);
    let fourth = whitened.chunks_exact(dims).map(|row| row.iter().map(|value| value * value).sum::<f64>().powi(2));
    let normal = (dims * (dims + 2)) as f64;
    fourth.sum::<f64>() / rows > normal + ERRORS * (8.0 * normal / rows).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::densities::points::{Points, single};
    use candle_core::Device;
    use lsmi_core::random::stream;
    use rand_distr::{ChiSquared, Distribution, StandardNormal};

    use super::super::{Covariance, Limits, Mixture, NoEvidence, STARTS, Shape, Start, fit};

    fn student(rows: usize, dims: usize, freedom: f64, name: &str) -> Sample {
        let mut random = stream(0, name);
        let mut values = Vec::with_capacity(rows * dims);
        let squares = ChiSquared::new(freedom).unwrap();
        for _ in 0..rows {
            let scale = (freedom / squares.sample(&mut random)).sqrt();
            for _ in 0..dims {
                let normal: f64 = StandardNormal.sample(&mut random);
                values.push(scale * normal);
            }
        }
        Sample::new(single(&values), dims, &Device::Cpu).unwrap()
    }

    #[test]
    fn the_density_of_a_known_component() {
        let mixture = Mixture::new(Covariance::Full, vec![0.0], vec![0.5], vec![1.0]).unwrap();
        // One degree of freedom is Cauchy's distribution, 1 / (pi (1 + x^2)).
        let cauchy = mixture.clone().with_freedom(Some(1.0)).unwrap();
        let rows = Points::new(vec![0.5, 2.5], 1, &Device::Cpu).unwrap();
        for (found, square) in cauchy.log_density(&rows).unwrap().into_iter().zip([0.0, 4.0f64]) {
            assert!((found + (std::f64::consts::PI * (1.0 + square)).ln()).abs() < 1e-6);
        }
        let back = cauchy.with_freedom(None).unwrap();
        assert_eq!(back.shape(), mixture.shape());
        for (back, normal) in back.log_density(&rows).unwrap().into_iter().zip(mixture.log_density(&rows).unwrap()) {
            assert!((back - normal).abs() < 1e-12);
        }
        assert!(mixture.with_freedom(Some(0.0)).is_err());
    }

    #[test]
    fn heavy_tails_are_told_from_normal_ones_and_from_clusters() {
        assert!(are_tails_heavy(&student(500, 4, 4.0, "student")));
        let mut random = stream(0, "normal");
        let mut values: Vec<f64> = (0..2000).map(|_| StandardNormal.sample(&mut random)).collect();
        assert!(!are_tails_heavy(&Sample::new(single(&values), 4, &Device::Cpu).unwrap()));
        for (row, value) in values.iter_mut().step_by(4).enumerate() {
            *value += if row % 2 == 0 { 3.0 } else { -3.0 };
        }
        assert!(!are_tails_heavy(&Sample::new(single(&values), 4, &Device::Cpu).unwrap()));
        let twice: Vec<f64> = values.iter().flat_map(|value| [*value, *value]).collect();
        assert!(!are_tails_heavy(&Sample::new(single(&twice), 8, &Device::Cpu).unwrap()));
    }

    #[test]
    fn a_heavy_tailed_density_is_found() {
        let (sample, fresh) = (student(3000, 3, 4.0, "sample"), student(3000, 3, 4.0, "fresh"));
        let surprisal = |freedom| {
            let shape = Shape { covariance: Covariance::Tied, freedom };
            let start = Start::Clusters { components: 1, random: &mut stream(0, "fit") };
            let mixture =
                fit(&sample, shape, start, &NoEvidence, Limits { starts: STARTS, rounds: 100, tolerance: 1e-6 })
                    .unwrap();
            let densities = mixture.mixture.log_density(&fresh.points).unwrap();
            -densities.iter().sum::<f64>() / 3000.0
        };
        let exact = |row: &[f32]| {
            let square = row.iter().map(|value| f64::from(value * value)).sum::<f64>();
            -log_normaliser(Some(4.0), 3) + 3.5 * (square / 4.0).ln_1p()
        };
        let truth = fresh.points.values().chunks_exact(3).map(exact).sum::<f64>() / 3000.0;
        // Nine parameters from 3,000 rows cost .0015 nats.
        assert!((surprisal(Some(4.0)) - truth).abs() < 0.01);
        assert!(surprisal(None) > truth + 0.1);
    }
}
