//! Exponentials and logarithms without branches, which the compiler can turn into vector instructions.
//!
//! Those of the standard library are calls, one for each number. These are a few multiplications and additions: the power
//! of two in the exponent's bits, a series for the rest. A loop over them inside [`vectorised`] works on as many numbers
//! at once as the processor at hand can.

use pulp::Arch;

/// Runs a loop as compiled for the widest vector units that the processor has.
///
/// The loop, and what it calls, must be inlined, or it stays as it is: `vectorised(#[inline(always)] || ...)`.
pub(crate) fn vectorised<R>(work: impl FnOnce() -> R) -> R {
    Arch::new().dispatch(work)
}

/// The exponent below which exponentials are below the least normal f32 and count as 0.
const LEAST_EXPONENT: f32 = -86.9;
/// The exponential of this is infinite in f32.
const LARGEST_EXPONENT: f32 = 89.0;
/// 1.5 times 2^23: adding it leaves a whole number in the last bits of an f32.
const ROUND: f32 = 12_582_912.0;
/// The logarithm of 2 to 9 bits, of which small multiples are exact, and the rest of it.
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];

/// Returns `exp(x)`, to a relative error of 3e-7; 0 below about -87, infinite above 88.7.
///
/// `exp(x) = 2^k exp(r)`, `r = x - k log 2`, `|r| < 0.35`, and Taylor's series for `exp(r)`.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
pub(crate) fn exp(x: f32) -> f32 {
    // Not `min`, which would turn what is not a number into one.
    let bounded = if x > LARGEST_EXPONENT { LARGEST_EXPONENT } else { x };
    let shifted = bounded * std::f32::consts::LOG2_E + ROUND;
    let power = shifted - ROUND;
    let rest = bounded - power * LN_2[0] - power * LN_2[1];
    let mut series = 1.0 / 5040.0;
    for factorial in [720.0, 120.0, 24.0, 6.0, 2.0, 1.0, 1.0] {
        series = series * rest + 1.0 / factorial;
    }
    // 2^(k - 1), as 2^128 is beyond f32 where exp(x) need not be.
    let scale = f32::from_bits((shifted.to_bits() << 23).wrapping_add(126 << 23));
    if x < LEAST_EXPONENT { 0.0 } else { series * 2.0 * scale }
}

/// 2^52: the bits of a whole number below it, added to those of this, are the sum.
const WHOLE: f64 = 4_503_599_627_370_496.0;
const MANTISSA_BITS: u32 = 52;
/// The bias of the exponent in the bits of an f64.
const BIAS: u64 = 1023;

/// Returns `log x` of a positive normal number, to a relative error of 1e-14; something else for other numbers.
///
/// `x = 2^k m`, `sqrt(1/2) <= m < sqrt(2)`, and `log m = 2 atanh(s) = 2 (s + s^3 / 3 + s^5 / 5 + ...)` with
/// `s = (m - 1) / (m + 1)`, `|s| < 0.172`.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
pub(crate) fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let biased = bits.wrapping_add(1.0f64.to_bits() - std::f64::consts::FRAC_1_SQRT_2.to_bits()) >> MANTISSA_BITS;
    let mantissa = f64::from_bits(bits.wrapping_sub(biased << MANTISSA_BITS).wrapping_add(BIAS << MANTISSA_BITS));
    // Vector units convert no 64-bit integers: the exponent enters as the last bits of a large number.
    let power = f64::from_bits(biased | WHOLE.to_bits()) - (WHOLE + BIAS as f64);
    let ratio = (mantissa - 1.0) / (mantissa + 1.0);
    let square = ratio * ratio;
    let mut series = 1.0 / 19.0;
    for odd in [17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0] {
        series = series * square + 1.0 / odd;
    }
    power * std::f64::consts::LN_2 + 2.0 * (ratio + ratio * square * series)
}

/// The bits of `sqrt(1/2)` in f32, and how far its exponent is from the last bit.
const SQRT_HALF_BITS: u32 = std::f32::consts::FRAC_1_SQRT_2.to_bits();
const SINGLE_MANTISSA_BITS: u32 = 23;

/// Returns `log x` of a positive normal number in single precision, to a relative error of 3e-7; something else for
/// other numbers.
///
/// As [`ln`], with fewer terms.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
pub(crate) fn ln_single(x: f32) -> f32 {
    let bits = x.to_bits();
    let power = bits.wrapping_sub(SQRT_HALF_BITS).cast_signed() >> SINGLE_MANTISSA_BITS;
    let mantissa = f32::from_bits(bits.wrapping_sub((power << SINGLE_MANTISSA_BITS).cast_unsigned()));
    let ratio = (mantissa - 1.0) / (mantissa + 1.0);
    let square = ratio * ratio;
    let mut series = 1.0 / 9.0;
    for odd in [7.0, 5.0, 3.0] {
        series = series * square + 1.0 / odd;
    }
    let power = power as f32;
    power * LN_2[0] + (power * LN_2[1] + 2.0 * (ratio + ratio * square * series))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_logarithms_are_those_of_f64() {
        let agrees = |x: f32| {
            let (found, expected) = (f64::from(ln_single(x)), f64::from(x).ln());
            assert!((found - expected).abs() <= 3e-7 * expected.abs(), "log {x}: {found} against {expected}");
        };
        for step in 0..1_000_000 {
            let part = step as f32 / 1e6;
            agrees((175.0 * part - 87.0).exp());
            agrees(0.5 + 2.0 * part);
        }
        for x in [f32::MIN_POSITIVE, f32::MAX, 1.0, 1.0 + f32::EPSILON, 1.0 - f32::EPSILON] {
            agrees(x);
        }
        for near in [std::f32::consts::FRAC_1_SQRT_2, std::f32::consts::SQRT_2] {
            agrees(near.next_down());
            agrees(near);
            agrees(near.next_up());
        }
    }

    #[test]
    fn exponentials_are_those_of_f64() {
        for step in 0..1_000_000 {
            let x = -86.8 + 175.4 * (step as f32 / 1e6);
            let (found, expected) = (f64::from(exp(x)), f64::from(x).exp());
            assert!((found / expected - 1.0).abs() < 3e-7, "exp({x}): {found} against {expected}");
        }
        for x in [0.0f32, -0.0, 1e-30, -1e-30, f32::MIN_POSITIVE] {
            assert_eq!(exp(x), 1.0);
        }
    }

    #[test]
    fn exponentials_at_the_ends_are_0_and_infinite() {
        for x in [-87.5, -100.0, -1e4, -1e30, f32::MIN, f32::NEG_INFINITY] {
            assert_eq!(exp(x), 0.0, "exp({x})");
        }
        for x in [88.8, 89.0, 100.0, 1e30, f32::INFINITY] {
            assert_eq!(exp(x), f32::INFINITY, "exp({x})");
        }
        assert!(exp(f32::NAN).is_nan());
        // Between the last exponential that counts and the first that does not there is no jump worth speaking of.
        assert!(exp(-86.91) == 0.0 && exp(-86.89) < 2e-38);
    }

    #[test]
    fn logarithms_are_those_of_the_standard_library() {
        let agrees = |x: f64| {
            let (found, expected) = (ln(x), x.ln());
            assert!((found - expected).abs() <= 1e-14 * expected.abs(), "log {x}: {found} against {expected}");
        };
        for step in 0..1_000_000 {
            let part = f64::from(step) / 1e6;
            agrees((1416.0 * part - 707.0).exp());
            agrees(0.5 + 2.0 * part);
        }
        for x in [f64::MIN_POSITIVE, f64::MAX, 1.0, 1.0 + f64::EPSILON, 1.0 - f64::EPSILON] {
            agrees(x);
        }
        for near in [std::f64::consts::FRAC_1_SQRT_2, std::f64::consts::SQRT_2] {
            agrees(near.next_down());
            agrees(near);
            agrees(near.next_up());
        }
    }

    #[test]
    fn vectorised_loops_give_what_single_calls_give() {
        let values: Vec<f32> = (0..1003).map(|step| -95.0 + 0.18 * step as f32).collect();
        let mut found = values.clone();
        vectorised(
            #[inline(always)]
            || {
                for value in &mut found {
                    *value = exp(*value);
                }
            },
        );
        for (found, value) in found.iter().zip(values) {
            assert_eq!(found.to_bits(), exp(value).to_bits(), "exp({value})");
        }
    }
}
