//! The numbers that the loss is computed in: single precision, and double precision for tests of its gradient.

use std::iter::Sum;

use faer::traits::RealField;

use crate::elementary::{exp, ln_single};

/// A floating-point number whose exponential and logarithm stand in loops.
pub(crate) trait Real: RealField + Copy + Sum + Send + Sync {
    /// The nearest number.
    fn from_f64(value: f64) -> Self;
    /// The number in double precision.
    fn to_f64(self) -> f64;
    /// `exp(self)`.
    fn exponential(self) -> Self;
    /// `log self` of a positive normal number.
    fn logarithm(self) -> Self;
}

#[expect(clippy::inline_always, reason = "calls would keep loops from being vectorised")]
impl Real for f32 {
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the loss is f32 by design")]
    fn from_f64(value: f64) -> Self {
        value as Self
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn exponential(self) -> Self {
        exp(self)
    }

    #[inline(always)]
    fn logarithm(self) -> Self {
        ln_single(self)
    }
}

impl Real for f64 {
    fn from_f64(value: f64) -> Self {
        value
    }

    fn to_f64(self) -> f64 {
        self
    }

    fn exponential(self) -> Self {
        self.exp()
    }

    fn logarithm(self) -> Self {
        self.ln()
    }
}

/// Partial sums of a sum: as many as vector units hold, so that they are added side by side.
const LANES: usize = 16;

/// The products of rows of a matrix with a vector.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
pub(super) fn products<T: Real, const ROWS: usize>(rows: [&[T]; ROWS], vector: &[T]) -> [T; ROWS] {
    let zero = T::from_f64(0.0);
    let (whole, rest) = vector.as_chunks::<LANES>();
    let mut partial = [[zero; LANES]; ROWS];
    for (chunk, vector) in whole.iter().enumerate() {
        for row in 0..ROWS {
            let values = &rows[row].as_chunks::<LANES>().0[chunk];
            for lane in 0..LANES {
                partial[row][lane] += values[lane] * vector[lane];
            }
        }
    }
    let mut sums = [zero; ROWS];
    for row in 0..ROWS {
        let of_rest = rows[row].as_chunks::<LANES>().1.iter().zip(rest).map(|(value, other)| *value * *other);
        sums[row] = partial[row].iter().copied().chain(of_rest).sum();
    }
    sums
}

/// The sum of values.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
pub(super) fn sum<T: Real>(values: &[T]) -> T {
    let (whole, rest) = values.as_chunks::<LANES>();
    let mut partial = [T::from_f64(0.0); LANES];
    for values in whole {
        for lane in 0..LANES {
            partial[lane] += values[lane];
        }
    }
    partial.iter().chain(rest).copied().sum()
}
