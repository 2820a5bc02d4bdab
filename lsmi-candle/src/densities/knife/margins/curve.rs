//! A smooth rising curve: a spline between knots, and tails that bend like logarithms.
//!
//! A value x is first taken to `u = asinh((x - centre) / scale)` (Jones, Pewsey 2009), in which heavy tails are moderate.
//! Between knots `u_k`, where the curve has the score `z_k` and the slope `s_k = dz / du`, it is the monotone rational
//! quadratic spline of Gregory and Delbourgo (1982). Beyond the last knot, at a distance t,
//!
//! `z = z_K + log(1 + b s_K t) / b`
//!
//! with the bend `b` that takes exponential tails to normal ones at that score, `b = phi(z_K) / (1 - Phi(z_K)) - z_K`, and
//! likewise before the first. A row outside of what was seen so has a large surprisal but never an endless one.

use std::f64::consts::FRAC_1_SQRT_2;

use super::scores;

/// Scores that knots have at most: as many standard deviations are beyond any sample.
const LARGEST_SCORE: f64 = 8.0;
/// The largest slope of a curve; steeper ones come from values that are equal but for rounding.
const LARGEST_SLOPE: f64 = 1e9;

/// A rising curve; see the [module](self).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Curve {
    /// The centre, which is subtracted from values.
    pub(crate) centre: f64,
    /// The scale, by which they are then divided.
    pub(crate) scale: f64,
    pub(crate) knots: Vec<Knot>,
    /// The bends of the tail before the first knot and of that after the last.
    bends: [f64; 2],
}

/// A point of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Knot {
    /// The place of the knot, `u_k`.
    pub(crate) place: f64,
    /// `z_k`
    pub(crate) score: f64,
    /// `s_k`
    pub(crate) slope: f64,
}

impl Curve {
    /// Creates the curve through knots. Returns `None` if they do not rise, are fewer than two, or are too steep or too
    /// flat.
    pub(crate) fn new(centre: f64, scale: f64, knots: Vec<Knot>) -> Option<Self> {
        let is_slope = |slope: f64| (LARGEST_SLOPE.recip()..LARGEST_SLOPE).contains(&slope);
        let rises = |pair: &[Knot]| {
            let (width, height) = (pair[1].place - pair[0].place, pair[1].score - pair[0].score);
            width > 0.0 && height > 0.0 && is_slope(height / width)
        };
        let is_knot = |knot: &Knot| knot.place.is_finite() && knot.score.abs() <= LARGEST_SCORE && is_slope(knot.slope);
        let is_scaled = centre.is_finite() && scale > 0.0 && scale.is_finite();
        let [first, .., last] = knots.as_slice() else { return None };
        let bends = [bend(-first.score), bend(last.score)];
        (is_scaled && knots.iter().all(is_knot) && knots.windows(2).all(rises)).then_some(Self {
            centre,
            scale,
            knots,
            bends,
        })
    }

    /// Returns the score `T(x)` of a value and `log T'(x)`.
    pub(crate) fn at(&self, value: f64) -> (f64, f64) {
        let scaled = (value - self.centre) / self.scale;
        let (score, log_slope) = self.at_place(scaled.asinh());
        // du / dx = 1 / (scale sqrt(1 + scaled^2)).
        (score, log_slope - scaled.hypot(1.0).ln() - self.scale.ln())
    }

    /// Returns the score at u and the logarithm of the slope there.
    fn at_place(&self, u: f64) -> (f64, f64) {
        let right = self.knots.partition_point(|knot| knot.place <= u);
        if right == 0 {
            let first = self.knots[0];
            let (rise, log_slope) = tail(first.place - u, first.slope, self.bends[0]);
            return (first.score - rise, log_slope);
        }
        let left = self.knots[right - 1];
        let Some(right) = self.knots.get(right) else {
            let (rise, log_slope) = tail(u - left.place, left.slope, self.bends[1]);
            return (left.score + rise, log_slope);
        };
        let (width, height) = (right.place - left.place, right.score - left.score);
        let mean = height / width;
        let part = (u - left.place) / width;
        let rest = 1.0 - part;
        let denominator = mean + (left.slope + right.slope - 2.0 * mean) * part * rest;
        let rise = height * (mean * part * part + left.slope * part * rest) / denominator;
        let slope = right.slope * part * part + 2.0 * mean * part * rest + left.slope * rest * rest;
        (left.score + rise, 2.0 * (mean / denominator).ln() + slope.ln())
    }
}

/// Returns the rise of the score beyond the last knot, at a distance from it, and the logarithm of the slope there.
fn tail(distance: f64, slope: f64, bend: f64) -> (f64, f64) {
    let bent = (bend * slope * distance).ln_1p();
    (bent / bend, slope.ln() - bent)
}

/// Returns `phi(z) / (1 - Phi(z)) - z`.
fn bend(score: f64) -> f64 {
    scores::density(score) / (0.5 * libm::erfc(score * FRAC_1_SQRT_2)) - score
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knot(place: f64, score: f64, slope: f64) -> Knot {
        Knot { place, score, slope }
    }

    fn curve() -> Curve {
        let knots = vec![knot(-1.2, -2.0, 3.0), knot(-0.1, -0.3, 0.7), knot(0.4, 0.5, 2.0), knot(2.0, 1.5, 0.4)];
        Curve::new(0.3, 1.7, knots).unwrap()
    }

    #[test]
    fn derivatives_are_finite_differences() {
        let curve = curve();
        // Central differences with steps of 1e-6 are good to 1e-9 where the curve is smooth, which it is but at its knots.
        for step in 0..400 {
            let x = -20.0 + 0.1003 * f64::from(step);
            let difference = (curve.at(x + 1e-6).0 - curve.at(x - 1e-6).0) / 2e-6;
            assert!((curve.at(x).1 - difference.ln()).abs() < 1e-6, "{x}");
        }
    }

    #[test]
    fn the_curve_rises_through_its_knots_and_its_slope_does_not_jump() {
        let curve = curve();
        for knot in &curve.knots {
            let x = curve.centre + curve.scale * knot.place.sinh();
            assert!((curve.at(x).0 - knot.score).abs() < 1e-12);
            let slope = |x: f64| curve.at(x).1;
            assert!((slope(x - 1e-9) - slope(x + 1e-9)).abs() < 1e-6);
        }
        let scores: Vec<f64> = (-1000..1000).map(|step| curve.at(f64::from(step) * 0.05).0).collect();
        assert!(scores.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn a_straight_line_stays_one() {
        let knots = [-1.0, 0.0, 2.0].map(|place| knot(place, place, 1.0)).to_vec();
        let line = Curve::new(0.0, 1.0, knots).unwrap();
        let (score, log_derivative) = line.at(0.7f64.sinh());
        assert!((score - 0.7).abs() < 1e-12);
        assert!((log_derivative + 0.7f64.cosh().ln()).abs() < 1e-12);
    }

    #[test]
    fn values_far_outside_are_finite() {
        for x in [-1e30, 1e30, f64::from(f32::MAX)] {
            let (score, log_derivative) = curve().at(x);
            assert!(score.is_finite() && log_derivative.is_finite());
        }
    }

    #[test]
    fn what_does_not_rise_is_no_curve() {
        let [first, second] = [knot(0.0, -1.0, 1.0), knot(1.0, 1.0, 1.0)];
        assert!(Curve::new(0.0, 1.0, vec![first, second]).is_some());
        assert!(Curve::new(0.0, 1.0, vec![second, first]).is_none());
        assert!(Curve::new(0.0, 1.0, vec![first]).is_none());
        assert!(Curve::new(0.0, 1.0, vec![first, first]).is_none());
        assert!(Curve::new(0.0, 0.0, vec![first, second]).is_none());
        for slope in [0.0, -1.0, f64::NAN, 1e300] {
            assert!(Curve::new(0.0, 1.0, vec![first, Knot { slope, ..second }]).is_none());
        }
        assert!(Curve::new(0.0, 1.0, vec![first, Knot { score: 100.0, ..second }]).is_none());
    }
}
