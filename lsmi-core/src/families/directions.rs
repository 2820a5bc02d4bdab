//! Random directions along which a bit moves a modality.

use rand::Rng;
use rand_distr::StandardNormal;

use crate::random::ChaCha8Rng;

/// Returns a unit vector, uniform on the sphere.
pub(super) fn unit(dims: usize, rng: &mut ChaCha8Rng) -> Vec<f64> {
    loop {
        let vector: Vec<f64> = (0..dims).map(|_| rng.sample(StandardNormal)).collect();
        // A vector this short, which next to never comes, has lost its direction to rounding.
        if let Some(unit) = normalised(vector, 1e-6) {
            return unit;
        }
    }
}

/// Draws N orthonormal vectors in at least N dimensions.
pub(super) fn orthonormal<const N: usize>(dims: usize, rng: &mut ChaCha8Rng) -> [Vec<f64>; N] {
    let mut vectors = orthonormal_vectors(dims, N, rng);
    std::array::from_fn(|place| std::mem::take(&mut vectors[place]))
}

/// Draws `count` orthonormal vectors in at least `count` dimensions.
pub(super) fn orthonormal_vectors(dims: usize, count: usize, rng: &mut ChaCha8Rng) -> Vec<Vec<f64>> {
    let mut vectors: Vec<Vec<f64>> = (0..count).map(|_| unit(dims, rng)).collect();
    for place in 1..count {
        vectors[place] = loop {
            let rest = without(&vectors[..place], vectors[place].clone());
            match normalised(rest, 1e-3) {
                Some(vector) => break vector,
                None => vectors[place] = unit(dims, rng),
            }
        };
    }
    vectors
}

/// Subtracts from a vector its projections on orthonormal ones.
fn without(others: &[Vec<f64>], mut vector: Vec<f64>) -> Vec<f64> {
    // Twice, since what one projection leaves of the others is as large as its rounding.
    for other in others.iter().chain(others) {
        let along = dot(other, &vector);
        vector.iter_mut().zip(other).for_each(|(value, other)| *value -= along * other);
    }
    vector
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

    fn assert_orthonormal(vectors: &[Vec<f64>]) {
        for (place, one) in vectors.iter().enumerate() {
            assert!((dot(one, one) - 1.0).abs() < 1e-14);
            assert!(vectors[..place].iter().all(|other| dot(one, other).abs() < 1e-14));
        }
    }

    #[test]
    fn directions_are_orthonormal() {
        let mut rng = stream(0, "directions");
        for dims in [2, 3, 50] {
            assert_orthonormal(&orthonormal::<2>(dims, &mut rng));
        }
        for dims in [6, 7, 50] {
            assert_orthonormal(&orthonormal::<6>(dims, &mut rng));
        }
        assert!((unit(1, &mut rng)[0].abs() - 1.0).abs() < 1e-15);
    }
}
