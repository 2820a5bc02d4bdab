//! The sensitivity of the redundancy to the gauge, the coordinates in which the modalities' densities are measured.
//!
//! To measure modality 2 in units e^(c/d) times smaller, d its dimension, adds c to every h2. No pointwise mutual
//! information changes, yet the redundancy of [`pm`] and [`sx`] does. The sweep adds every c of a grid and shows the
//! means that would have been found:
//!
//! ```text
//! h2 -> h2 + c:   c -> +infinity   r -> i1, u1 -> 0       c -> -infinity   r -> i2, u2 -> 0
//! ```
//!
//! Between these limits the r of a sample rises or falls steadily from its i2 to its i1, and the mean moves with them.
//! Two facts describe it.
//!
//! - **How far the mean redundancy moves**, over the grid and in both limits: [`Sweep::range`]. It is at least the
//!   distance between I1 and I2.
//! - **Whether one modality has the lower surprisal in nearly all samples as they are.** Its i is then the redundancy
//!   of nearly every sample and its uniqueness is 0, whatever the data are: two encoders of different width or scale
//!   make it so. [`SweepPoint::lower1`] and [`SweepPoint::lower2`] say so, and [`SweepPoint::zero_u1`] and
//!   [`SweepPoint::zero_u2`] have the share of zeros that results.
//!
//! [`GaugeVerdict`] sums both up. No gauge moves s - r = i12 - i1 - i2, u1 - u2 = i1 - i2 and the total.

use serde::{Deserialize, Serialize};

use crate::{
    decomposition::Means,
    measure::{Measure, Modality, pm, sx},
    statistics::mean,
    terms::Terms,
};

/// The largest shift in either direction, in nats.
const REACH: f64 = 8.0;
/// The number of steps from 0 to the largest shift.
const STEPS: i32 = 16;
/// The largest absolute value of a uniqueness that counts as 0, in nats.
const ZERO: f64 = 1e-12;
/// The share of samples above which a modality dominates.
const NEARLY_ALL: f64 = 0.95;
/// A movement of the redundancy matters above this, in nats ...
const LEAST_MOVEMENT: f64 = 0.05;
/// ... and above this share of the information that is decomposed.
const MOVEMENT_SHARE: f64 = 0.25;

/// A sweep over gauges; values in nats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sweep {
    /// The result for each shift from -8 to 8 in steps of 0.5, by rising shift.
    pub points: Vec<SweepPoint>,
    /// The result for the terms as they are: the point whose shift is 0.
    pub present: SweepPoint,
    /// The highest mean redundancy less the lowest, over all points and both limits.
    pub range: f64,
    /// The mean over samples of |i1 - i2|, by which the redundancy of a sample can move.
    ///
    /// It is at least `range`, and can be large where `range` is 0: samples then move in opposite directions.
    pub sample_range: f64,
    /// The conclusion.
    pub verdict: GaugeVerdict,
}

/// The means and shares of one gauge.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SweepPoint {
    /// The summand of every h2, in nats.
    pub shift: f64,
    /// The means of r, u1, u2 and s, in nats.
    #[serde(flatten)]
    pub means: Means,
    /// The share of samples with h1 below h2.
    pub lower1: f64,
    /// The share of samples with h2 below h1.
    pub lower2: f64,
    /// The share of samples whose u1 is 0, to 1e-12. The smooth minima of `sx` come close to 0 and rarely that close.
    pub zero_u1: f64,
    /// The share of samples whose u2 is 0.
    pub zero_u2: f64,
}

/// The influence of the gauge on the redundancy.
///
/// A movement matters if it is above 0.05 nat and above a quarter of the mean i12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum GaugeVerdict {
    /// The mean redundancy is much the same in every gauge. Single samples may still move, see [`Sweep::sample_range`].
    Robust,
    /// The mean redundancy moves by more than matters ([`Sweep::range`]): a statement about it is one about this gauge.
    Sensitive,
    /// The gauge has decided the value of r: in the present one, `modality` has the lower surprisal in more than 95 %
    /// of the samples, so that r is its i and its u is 0 in nearly all, exactly with `pm` and closely with `sx`. In
    /// another gauge r would be the other modality's i, and for the mean sample that is farther than matters
    /// ([`Sweep::sample_range`]).
    ///
    /// Where the modalities tell the same about every sample, as copies do, nothing can be decided, and one that
    /// always has the lower surprisal makes no difference.
    Decided {
        /// The modality whose i is the redundancy.
        modality: Modality,
    },
}

impl Sweep {
    /// Returns the sweep of these terms, for a measure that needs surprisals ([`Measure::Pm`] or [`Measure::Sx`]).
    ///
    /// None for the other measures, which no gauge moves, and without samples.
    ///
    /// ```
    /// use lsmi_core::{GaugeVerdict, Measure, Modality, SampleIds, Sweep, Terms};
    ///
    /// // Modality 2 tells nothing, but its surprisal is the lower one throughout.
    /// let terms = Terms::new(
    ///     SampleIds::rows(2),
    ///     vec![5.0, 6.0], // h1
    ///     vec![1.0, 2.0], // h2
    ///     vec![0.5, 0.5], // i1
    ///     vec![0.0, 0.0], // i2
    ///     vec![0.5, 0.5], // i12
    /// )?;
    /// let sweep = Sweep::new(&terms, Measure::Pm).unwrap();
    /// assert_eq!(sweep.present.means.r, 0.0);
    /// assert_eq!(sweep.range, 0.5);
    /// assert_eq!(sweep.verdict, GaugeVerdict::Decided { modality: Modality::Two });
    /// assert_eq!(Sweep::new(&terms, Measure::Ccs), None);
    /// # Ok::<(), lsmi_core::Error>(())
    /// ```
    pub fn new(terms: &Terms, measure: Measure) -> Option<Self> {
        let redundancy = match measure {
            Measure::Pm => pm::redundancy,
            Measure::Sx => sx::redundancy,
            _ => return None,
        };
        if terms.is_empty() {
            return None;
        }
        let at = |shift| SweepPoint::new(terms, redundancy, shift);
        let points: Vec<_> = (-STEPS..=STEPS).map(|step| at(REACH * f64::from(step) / f64::from(STEPS))).collect();
        let present = at(0.0);

        let information = terms.means();
        let (mut lowest, mut highest) = (information.i1.min(information.i2), information.i1.max(information.i2));
        for point in &points {
            lowest = lowest.min(point.means.r);
            highest = highest.max(point.means.r);
        }
        let range = highest - lowest;
        let distances: Vec<f64> = terms.i1.iter().zip(&terms.i2).map(|(i1, i2)| (i1 - i2).abs()).collect();
        let sample_range = mean(&distances);
        let verdict = GaugeVerdict::new(&present, range, sample_range, information.i12);
        Some(Self { points, present, range, sample_range, verdict })
    }
}

impl SweepPoint {
    fn new(terms: &Terms, redundancy: fn(f64, f64, f64, f64) -> f64, shift: f64) -> Self {
        let n = terms.len();
        let mut r = Vec::with_capacity(n);
        let (mut lower1, mut lower2, mut zero_u1, mut zero_u2) = (0_usize, 0_usize, 0_usize, 0_usize);
        let samples = terms.h1.iter().zip(&terms.h2).zip(terms.i1.iter().zip(&terms.i2));
        for ((&h1, &h2), (&i1, &i2)) in samples {
            let h2 = h2 + shift;
            let redundant = redundancy(h1, h2, i1, i2);
            lower1 += usize::from(h1 < h2);
            lower2 += usize::from(h2 < h1);
            zero_u1 += usize::from((i1 - redundant).abs() <= ZERO);
            zero_u2 += usize::from((i2 - redundant).abs() <= ZERO);
            r.push(redundant);
        }
        let (information, r) = (terms.means(), mean(&r));
        let (i1, i2, i12) = (information.i1, information.i2, information.i12);
        let share = |count: usize| count as f64 / n as f64;
        Self {
            shift,
            means: Means { r, u1: i1 - r, u2: i2 - r, s: i12 - i1 - i2 + r },
            lower1: share(lower1),
            lower2: share(lower2),
            zero_u1: share(zero_u1),
            zero_u2: share(zero_u2),
        }
    }
}

impl GaugeVerdict {
    fn new(present: &SweepPoint, range: f64, sample_range: f64, i12: f64) -> Self {
        let matters = LEAST_MOVEMENT.max(MOVEMENT_SHARE * i12);
        let lower = [(Modality::One, present.lower1), (Modality::Two, present.lower2)];
        match lower.into_iter().find(|(_, share)| *share > NEARLY_ALL) {
            Some((modality, _)) if sample_range > matters => Self::Decided { modality },
            _ if range > matters => Self::Sensitive,
            _ => Self::Robust,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        families::{Cell, Family, FamilyName, Gauss, Mixture, Settings},
        ids::SampleIds,
        random::stream,
        statistics::sum,
    };

    const MEASURES: [Measure; 2] = [Measure::Pm, Measure::Sx];

    fn terms_of(family: &dyn Family, n: usize) -> Terms {
        family.terms(&family.sample(n, &mut stream(0, "sweep test"))).unwrap()
    }

    fn shifted(terms: &Terms, shift: f64) -> Terms {
        let mut shifted = terms.clone();
        shifted.h2.iter_mut().for_each(|h2| *h2 += shift);
        shifted
    }

    /// `x1 = e_y + 0.5 u` and `x2 = e_y + 0.8 v` with two classes, e the one-hot vectors.
    ///
    /// All noise of a mixture has one deviation, so modality 2 is drawn in units 1.6 times larger; its two dimensions
    /// put 2 log 1.6 back into h2.
    fn unequal_noise(n: usize) -> Terms {
        let one_hot = |scale: f64| vec![vec![scale, 0.0], vec![0.0, scale]];
        let cell = |label| Cell { centre1: label as usize, centre2: label as usize, label, probability: 0.5 };
        let mixture = Mixture::new(one_hot(1.0), one_hot(1.0 / 1.6), 0.5, vec![cell(0), cell(1)]).unwrap();
        shifted(&terms_of(&mixture, n), 2.0 * 1.6_f64.ln())
    }

    /// The known table of exact densities, itself from a simulation: r has a deviation of 0.5 or so, hence a standard
    /// error of 0.0011 on either side from 200,000 samples; three of the difference and the rounding of the table make
    /// 0.006. Shares are given to two decimals and have standard errors of at most 0.0011: 0.01.
    #[test]
    fn the_redundancy_of_unequal_noise_moves_as_is_known() {
        let sweep = Sweep::new(&unequal_noise(200_000), Measure::Pm).unwrap();
        for (shift, [r, u1, u2, s], [lower1, zero_u2, zero_u1]) in [
            (-8.0, [0.285, 0.215, 0.0, 0.071], [0.0, 1.0, 0.0]),
            (-3.0, [0.306, 0.195, -0.021, 0.091], [0.04, 0.93, 0.04]),
            (-1.0, [0.420, 0.081, -0.134, 0.205], [0.35, 0.50, 0.33]),
            (0.0, [0.496, 0.005, -0.211, 0.281], [0.79, 0.15, 0.74]),
            (1.0, [0.503, -0.002, -0.218, 0.288], [0.93, 0.05, 0.91]),
            (3.0, [0.502, -0.001, -0.217, 0.287], [0.99, 0.01, 0.99]),
            (8.0, [0.501, 0.0, -0.216, 0.286], [1.0, 0.0, 1.0]),
        ] {
            let point = sweep.points.iter().find(|point| point.shift == shift).unwrap();
            let Means { r: found_r, u1: found_u1, u2: found_u2, s: found_s } = point.means;
            for (found, expected) in [found_r, found_u1, found_u2, found_s].into_iter().zip([r, u1, u2, s]) {
                assert!((found - expected).abs() < 0.006, "{shift}: {point:?}");
            }
            let shares = [point.lower1, point.zero_u2, point.zero_u1];
            for (found, expected) in shares.into_iter().zip([lower1, zero_u2, zero_u1]) {
                assert!((found - expected).abs() < 0.01, "{shift}: {point:?}");
            }
        }
        assert!((sweep.range - 0.218).abs() < 0.006);
        assert_eq!(sweep.verdict, GaugeVerdict::Sensitive);
    }

    #[test]
    fn a_gauge_far_off_decides_for_one_modality() {
        let terms = unequal_noise(2000);
        let range = Sweep::new(&terms, Measure::Pm).unwrap().range;
        // As far off as encoders of different widths are: the grid does not reach the other limit.
        for (shift, modality) in [(3.0, Modality::One), (200.0, Modality::One), (-200.0, Modality::Two)] {
            for measure in MEASURES {
                let sweep = Sweep::new(&shifted(&terms, shift), measure).unwrap();
                assert_eq!(sweep.verdict, GaugeVerdict::Decided { modality }, "{measure} {shift}");
                assert!(sweep.range > 0.9 * range, "{measure} {shift}: {}", sweep.range);
            }
        }
        // Equal noise: the mean is much the same in every gauge, but samples are not.
        let equal = terms_of(&Gauss::new(2, 2, 0.0, 0.5).unwrap(), 2000);
        assert_eq!(Sweep::new(&equal, Measure::Pm).unwrap().verdict, GaugeVerdict::Robust);
        let verdict = Sweep::new(&shifted(&equal, 50.0), Measure::Pm).unwrap().verdict;
        assert_eq!(verdict, GaugeVerdict::Decided { modality: Modality::One });
    }

    /// No modality of xor tells anything alone: r = 0 and s = i12 in every gauge.
    #[test]
    fn no_gauge_moves_xor() {
        let family = FamilyName::Xor.build(&Settings { amplitude: 8.0, ..Settings::default() }).unwrap();
        let terms = terms_of(family.as_ref(), 2000);
        for measure in MEASURES {
            for far in [0.0, 100.0] {
                let sweep = Sweep::new(&shifted(&terms, far), measure).unwrap();
                for point in &sweep.points {
                    let Means { r, u1, u2, s } = point.means;
                    assert!([r, u1, u2, s - 2.0_f64.ln()].iter().all(|value| value.abs() < 1e-9), "{point:?}");
                }
                assert!(sweep.range < 1e-9 && sweep.sample_range < 1e-9);
                assert_eq!(sweep.verdict, GaugeVerdict::Robust);
            }
        }
    }

    /// A copy of modality 1 has its i, and r = i whatever the surprisals.
    #[test]
    fn no_gauge_moves_copies() {
        let mut terms = terms_of(&Gauss::new(3, 3, 0.5, 0.5).unwrap(), 2000);
        (terms.h2, terms.i2, terms.i12) = (terms.h1.clone(), terms.i1.clone(), terms.i1.clone());
        for measure in MEASURES {
            for far in [0.0, 100.0] {
                let sweep = Sweep::new(&shifted(&terms, far), measure).unwrap();
                assert_eq!((sweep.present.lower1, sweep.present.lower2), (f64::from(far > 0.0), 0.0));
                for point in &sweep.points {
                    assert!((point.means.r - terms.means().i1).abs() < 1e-12);
                    assert!(point.means.u1.abs() < 1e-12 && point.means.s.abs() < 1e-12);
                    assert_eq!((point.zero_u1, point.zero_u2), (1.0, 1.0));
                }
                assert_eq!(sweep.verdict, GaugeVerdict::Robust);
            }
        }
    }

    #[test]
    fn measures_without_surprisals_have_no_sweep() {
        let terms = unequal_noise(10);
        let swept: Vec<_> = Measure::ALL.into_iter().filter(|&one| Sweep::new(&terms, one).is_some()).collect();
        assert_eq!(swept, MEASURES);
        assert_eq!(Sweep::new(&terms.select(&[]), Measure::Pm), None);
    }

    #[test]
    fn a_sweep_is_read_as_it_is_written() {
        let sweep = Sweep::new(&shifted(&unequal_noise(50), 20.0), Measure::Pm).unwrap();
        let json = serde_json::to_value(&sweep).unwrap();
        assert_eq!(json["verdict"], serde_json::json!({"name": "decided", "modality": "one"}));
        assert_eq!(json["present"]["shift"], 0.0);
        assert!(json["points"][32]["u2"].is_number());
        let read: Sweep = serde_json::from_str(&serde_json::to_string(&sweep).unwrap()).unwrap();
        assert_eq!(read, sweep);
    }

    fn any_terms() -> impl Strategy<Value = Terms> {
        let sample = (-9.0..9.0, -9.0..9.0, -5.0..2.0, -5.0..2.0, -5.0..2.0);
        prop::collection::vec(sample, 1..20).prop_map(|rows: Vec<(f64, f64, f64, f64, f64)>| {
            let column = |of: fn(&(f64, f64, f64, f64, f64)) -> f64| rows.iter().map(of).collect();
            let ids = SampleIds::rows(rows.len());
            Terms::new(ids, column(|t| t.0), column(|t| t.1), column(|t| t.2), column(|t| t.3), column(|t| t.4))
                .unwrap()
        })
    }

    proptest! {
        #[test]
        fn every_point_is_the_decomposition_in_its_gauge(terms in any_terms()) {
            for (measure, redundancy) in
                [(Measure::Pm, pm::redundancy as fn(f64, f64, f64, f64) -> f64), (Measure::Sx, sx::redundancy)]
            {
                let sweep = Sweep::new(&terms, measure).unwrap();
                prop_assert_eq!(sweep.points.len(), 33);
                prop_assert_eq!(sweep.points[16], sweep.present);
                let n = terms.len();
                let means = terms.means();
                for point in &sweep.points {
                    let r: Vec<f64> = (0..n)
                        .map(|k| redundancy(terms.h1[k], terms.h2[k] + point.shift, terms.i1[k], terms.i2[k]))
                        .collect();
                    let found = point.means;
                    prop_assert!((found.r - sum(&r) / n as f64).abs() < 1e-12);
                    prop_assert!((found.r + found.u1 - means.i1).abs() < 1e-12);
                    prop_assert!((found.r + found.u2 - means.i2).abs() < 1e-12);
                    prop_assert!((found.s - found.r - (means.i12 - means.i1 - means.i2)).abs() < 1e-12);
                    prop_assert!((point.lower1 + point.lower2 - 1.0).abs() < 1e-12);
                }
                let i_range = (means.i1 - means.i2).abs();
                prop_assert!(i_range <= sweep.range + 1e-12 && sweep.range <= sweep.sample_range + 1e-12);
            }
        }

        #[test]
        fn the_gauge_of_the_other_modality_is_swept_backwards(terms in any_terms()) {
            for measure in MEASURES {
                let sweep = Sweep::new(&terms, measure).unwrap();
                let swapped = Sweep::new(&terms.swapped(), measure).unwrap();
                for (point, other) in sweep.points.iter().zip(swapped.points.iter().rev()) {
                    prop_assert!((point.means.r - other.means.r).abs() < 1e-9);
                    prop_assert!((point.means.u1 - other.means.u2).abs() < 1e-9);
                }
                prop_assert!((sweep.range - swapped.range).abs() < 1e-9);
            }
        }
    }
}
