//! Random directions in which a bit shows in a modality.

use rand::Rng;
use rand_distr::StandardNormal;

use crate::random::ChaCha8Rng;

/// A unit vector, uniform on the sphere.
pub(super) fn unit(dims: usize, rng: &mut ChaCha8Rng) -> Vec<f64> {
    loop {
        let vector: Vec<f64> = (0..dims).map(|_| rng.sample(StandardNormal)).collect();
        // A vector this short, which next to never comes, has lost its direction to rounding.
        if let Some(unit) = normalised(vector, 1e-6) {
            return unit;
        }
    }
}

/// Two orthonormal vectors in at least two dimensions.
pub(super) fn orthonormal(dims: usize, rng: &mut ChaCha8Rng) -> (Vec<f64>, Vec<f64>) {
    let first = unit(dims, rng);
    loop {
        let mut second = unit(dims, rng);
        // Twice, since what one projection leaves of `first` is as large as its rounding.
        for _ in 0..2 {
            let along = dot(&first, &second);
            second.iter_mut().zip(&first).for_each(|(value, first)| *value -= along * first);
        }
        if let Some(second) = normalised(second, 1e-3) {
            return (first, second);
        }
    }
}

fn normalised(vector: Vec<f64>, shortest: f64) -> Option<Vec<f64>> {
    let length = dot(&vector, &vector).sqrt();
    (length > shortest).then(|| vector.into_iter().map(|value| value / length).collect())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;

    #[test]
    fn directions_are_orthonormal() {
        let mut rng = stream(0, "directions");
        for dims in [2, 3, 50] {
            let (first, second) = orthonormal(dims, &mut rng);
            assert!((dot(&first, &first) - 1.0).abs() < 1e-14);
            assert!((dot(&second, &second) - 1.0).abs() < 1e-14);
            assert!(dot(&first, &second).abs() < 1e-14);
        }
        assert!((unit(1, &mut rng)[0].abs() - 1.0).abs() < 1e-15);
    }
}
