//! The average of the weights over training, in which late steps count most.
//!
//! `a_t = (1 - s_t) a_(t-1) + s_t w_t` with `s_t = (g + 1) / (t + g)` (Polyak, Juditsky 1992; Shamir, Zhang 2013, section 4).
//! Its memory grows with the steps done, so that it serves after few steps and after many, whatever number was planned. At
//! a constant step size it is what lets weights settle.

use crate::numbers::simd_math::vectorised;

/// `g`: the weights in the average are `t / (g + 2)` steps old in the mean.
const CONCENTRATION: f64 = 8.0;

/// Returns the share `s_t` that a step's weights have in the average, steps being counted from 1.
pub(super) fn share(step: i32) -> f64 {
    (CONCENTRATION + 1.0) / (f64::from(step) + CONCENTRATION)
}

/// Moves averages towards values by a share of the way.
#[expect(clippy::cast_possible_truncation, reason = "parameters are f32 by design")]
pub(super) fn towards(averages: &mut [f32], values: &[f32], share: f64) {
    let share = share as f32;
    vectorised(
        #[inline(always)]
        move || {
            for (average, value) in averages.iter_mut().zip(values) {
                *average += share * (*value - *average);
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_of_steps_is_of_late_ones() {
        let mut average = [7.0];
        towards(&mut average, &[1.0], share(1));
        assert_eq!(average, [1.0], "the start does not count");
        for step in 2..=1000u16 {
            towards(&mut average, &[f32::from(step)], share(i32::from(step)));
        }
        // Weights in proportion to t (t+1) ... (t+7) average t to 9/10 of the last, and near that for finite t.
        assert!((average[0] - 900.0).abs() < 1.0, "{average:?}");
    }
}
