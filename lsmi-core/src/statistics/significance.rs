//! Significance of figures: p-values against figures of a null, and their correction for many tests at once.

use serde::{Deserialize, Serialize};

use super::sum;

/// The figures that are evidence against the null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tail {
    /// High ones.
    Upper,
    /// Figures far from the centre on either side.
    TwoSided,
}

/// Returns the p-value of a figure, given the same figure of B data sets for which the null holds, such as permutations
/// of the labels.
///
/// ```text
/// upper      p = (1 + #{null >= observed}) / (B + 1)
/// two-sided  p = (1 + #{|null - c| >= |observed - c|}) / (B + 1)
/// ```
///
/// where c is the mean of all B + 1 figures. The figure itself counts as one of the null's, so that p is never 0:
/// Phipson and Smyth, "Permutation P-values Should Never Be Zero" (Statistical Applications in Genetics and Molecular
/// Biology 9(1), 2010). If the null holds, the B + 1 figures are exchangeable. So are their distances from c, which
/// treats them all alike; with a centre from the null's figures alone they would not be. The probability of `p <= a`
/// is therefore at most a for every a, on either tail.
///
/// 1 for an empty null; NaN if a figure is NaN, or infinite in the two-sided case.
///
/// ```
/// use lsmi_core::statistics::{Tail, permutation_p_value};
///
/// let null = [-0.5, 0.25, 0.0, -0.25];
/// assert_eq!(permutation_p_value(0.75, &null, Tail::Upper), 0.2);
/// assert_eq!(permutation_p_value(0.25, &null, Tail::Upper), 0.4);
/// assert_eq!(permutation_p_value(-0.75, &null, Tail::Upper), 1.0);
/// // The centre is -0.25, and 0.25 is as far from it as -0.75 is.
/// assert_eq!(permutation_p_value(-0.75, &null, Tail::TwoSided), 0.4);
/// ```
pub fn permutation_p_value(observed: f64, null: &[f64], tail: Tail) -> f64 {
    let all = (null.len() + 1) as f64;
    let centre = (sum(null) + observed) / all;
    let distance = |figure: f64| match tail {
        Tail::Upper => figure,
        Tail::TwoSided => (figure - centre).abs(),
    };
    let observed_distance = distance(observed);
    if observed_distance.is_nan() || null.iter().any(|figure| figure.is_nan()) {
        return f64::NAN;
    }
    let as_far = null.iter().filter(|&&figure| distance(figure) >= observed_distance).count();
    (1 + as_far) as f64 / all
}

/// Returns the p-values of m tests adjusted so that a threshold on them bounds the false discovery rate, in the order
/// given.
///
/// With `p_1 <= ... <= p_m` sorted, the adjusted value of the k-th is the least of `m p_j / j` over all j from k to m,
/// and at most 1. Among tests called significant where the adjusted value is at most q, an expected share of at most q
/// is so by chance, if the tests are independent or positively dependent: Benjamini and Hochberg, "Controlling the
/// False Discovery Rate" (Journal of the Royal Statistical Society B 57(1), 1995).
///
/// NaN stays NaN and does not count as a test.
///
/// ```
/// use lsmi_core::statistics::benjamini_hochberg;
///
/// assert_eq!(benjamini_hochberg(&[0.5, 0.01, 0.375]), [0.5, 0.03, 0.5]);
/// ```
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).filter(|&test| !p_values[test].is_nan()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![f64::NAN; p_values.len()];
    let mut least = 1.0_f64;
    for (rank, &test) in order.iter().enumerate().rev() {
        // Divided first, so that the largest is multiplied by exactly 1.
        least = least.min(p_values[test] * (order.len() as f64 / (rank + 1) as f64));
        adjusted[test] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::Rng;

    use super::*;
    use crate::random::stream;

    #[test]
    fn the_figure_counts_as_one_of_the_null() {
        let null: Vec<f64> = (0..99).map(f64::from).collect();
        assert_eq!(permutation_p_value(1000.0, &null, Tail::Upper), 0.01);
        assert_eq!(permutation_p_value(-1.0, &null, Tail::Upper), 1.0);
        assert_eq!(permutation_p_value(1000.0, &null, Tail::TwoSided), 0.01);
        assert_eq!(permutation_p_value(-1000.0, &null, Tail::TwoSided), 0.01);
        // 49 is the centre, and nothing is nearer.
        assert_eq!(permutation_p_value(49.0, &null, Tail::TwoSided), 1.0);
        assert_eq!(permutation_p_value(3.0, &[], Tail::TwoSided), 1.0);
    }

    #[test]
    fn what_is_no_number_has_no_p_value() {
        for tail in [Tail::Upper, Tail::TwoSided] {
            assert!(permutation_p_value(f64::NAN, &[1.0], tail).is_nan());
            assert!(permutation_p_value(1.0, &[0.0, f64::NAN], tail).is_nan());
        }
        assert!(permutation_p_value(f64::INFINITY, &[0.0], Tail::TwoSided).is_nan());
    }

    /// Under the null, p is k/B with equal probability for k = 1 to B, B the number of all figures. Of 10,000 trials the
    /// standard error of a share is at most 0.005; the tolerance is four of them. Figures are skewed, and where they are
    /// few, distances from a centre without the figure itself would give too many small p-values.
    #[test]
    fn p_values_of_the_null_are_uniform() {
        let mut rng = stream(0, "significance test");
        for (tail, figures) in [(Tail::Upper, 20), (Tail::TwoSided, 20), (Tail::TwoSided, 4)] {
            let p_values: Vec<f64> = (0..10_000)
                .map(|_| {
                    let figures: Vec<f64> = (0..figures).map(|_| rng.sample(rand_distr::Exp1)).collect();
                    permutation_p_value(figures[0], &figures[1..], tail)
                })
                .collect();
            for rank in [figures / 4, figures / 2] {
                let level = f64::from(rank) / f64::from(figures);
                let share = p_values.iter().filter(|p| **p <= level + 1e-9).count() as f64 / 10_000.0;
                assert!((share - level).abs() < 0.02, "{tail:?} {level}: {share}");
            }
        }
    }

    /// The fifteen p-values of the example of Benjamini and Hochberg (1995), section 3.2: at a rate of 0.05 four are
    /// significant, since 0.0095 <= 4/15 * 0.05, and no later one is.
    #[test]
    fn the_example_of_benjamini_and_hochberg() {
        let p_values = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
            0.7590, 1.0,
        ];
        let adjusted = benjamini_hochberg(&p_values);
        assert_eq!(adjusted.iter().filter(|p| **p <= 0.05).count(), 4);
        assert!((adjusted[3] - 0.0095 * 15.0 / 4.0).abs() < 1e-12);
        // 0.0298 * 15 / 7 is below 0.0278 * 15 / 6 and 0.0201 * 15 / 5.
        assert!((adjusted[5] - 0.0298 * 15.0 / 7.0).abs() < 1e-12);
        assert_eq!(adjusted[14], 1.0);
    }

    #[test]
    fn a_missing_p_value_is_no_test() {
        let adjusted = benjamini_hochberg(&[0.02, f64::NAN, 0.5]);
        assert!(adjusted[1].is_nan());
        assert_eq!([adjusted[0], adjusted[2]], [0.04, 0.5]);
        assert!(benjamini_hochberg(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn adjusted_p_values_keep_their_order(p_values in prop::collection::vec(0.0..=1.0, 1..30)) {
            let adjusted = benjamini_hochberg(&p_values);
            for a in 0..p_values.len() {
                prop_assert!(adjusted[a] <= 1.0 && adjusted[a] >= p_values[a]);
                prop_assert!(adjusted[a] <= p_values[a] * p_values.len() as f64 + 1e-12);
                for b in 0..p_values.len() {
                    prop_assert!(p_values[a] > p_values[b] || adjusted[a] <= adjusted[b]);
                }
            }
        }
    }
}
