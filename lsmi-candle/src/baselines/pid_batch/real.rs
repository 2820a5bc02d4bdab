//! The numbers that the loss is computed in: single precision, and double precision for tests of its gradient.

use faer::traits::RealField;

use crate::numbers::simd_math::{exp, ln_single};

/// A floating-point number whose exponential and logarithm stand in loops.
pub(crate) trait Real: RealField + Copy + Send + Sync {
    /// Returns the nearest number.
    fn from_f64(value: f64) -> Self;
    /// Returns the number in double precision.
    fn to_f64(self) -> f64;
    /// Returns `exp(self)`.
    fn exponential(self) -> Self;
    /// Returns `log self` of a positive normal number.
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

/// The number of partial sums of a sum, so that they are added side by side.
const LANES: usize = 16;

/// Returns the sum of products of two vectors of one length.
///
/// Loops here go over arrays of known length by index, which leaves nothing to be called and no bound to be checked.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
pub(super) fn product<T: Real>(values: &[T], others: &[T]) -> T {
    let others = &others[..values.len()];
    let ((whole, rest), (others, other_rest)) = (values.as_chunks::<LANES>(), others.as_chunks::<LANES>());
    let mut partial = [T::from_f64(0.0); LANES];
    for chunk in 0..whole.len().min(others.len()) {
        let (values, others) = (&whole[chunk], &others[chunk]);
        for lane in 0..LANES {
            partial[lane] += values[lane] * others[lane];
        }
    }
    let mut total = folded(partial);
    for index in 0..rest.len().min(other_rest.len()) {
        total += rest[index] * other_rest[index];
    }
    total
}

/// Returns the sum of values.
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
    let mut total = folded(partial);
    for value in rest {
        total += *value;
    }
    total
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
fn folded<T: Real>(partial: [T; LANES]) -> T {
    // One after the other: halving the number of sums time and again makes the compiler split the loops above, too.
    let mut total = T::from_f64(0.0);
    for value in partial {
        total += value;
    }
    total
}

/// Adds a vector, times a weight, to sums.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
pub(super) fn add<T: Real>(sums: &mut [T], weight: T, values: &[T]) {
    let values = &values[..sums.len()];
    for index in 0..sums.len() {
        sums[index] += weight * values[index];
    }
}
