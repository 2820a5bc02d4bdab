//! Weights of pooled heads: the linear opinion pool of the calibrated candidates (Stone 1961) that the held-out rows find
//! most likely.
//!
//! One winner among several good heads depends on which rows happened to decide; a pool does not, and no single head's
//! confident mistake goes unchecked in it. Where one head is plainly the best it keeps nearly all the weight.

/// Rounds of expectation maximisation.
const ROUNDS: usize = 200;
/// Heads with less weight than this are left out.
const LEAST: f64 = 0.05;

/// Returns the weights that maximise `sum_rows log sum_k w_k p_k(y|x)`, from each head's log posteriors of the held-out
/// labels; a head that the others make superfluous has weight 0.
pub(crate) fn weights(log_posteriors: &[&[f64]]) -> Vec<f64> {
    let mut weights = maximise(log_posteriors, vec![1.0; log_posteriors.len()]);
    for weight in &mut weights {
        if *weight < LEAST {
            *weight = 0.0;
        }
    }
    maximise(log_posteriors, weights)
}

fn maximise(log_posteriors: &[&[f64]], mut weights: Vec<f64>) -> Vec<f64> {
    normalise(&mut weights);
    let heads = weights.len();
    let rows = log_posteriors.first().map_or(0, |values| values.len());
    // Posteriors relative to each row's best, `[rows, heads]`.
    let mut relative = Vec::with_capacity(rows * heads);
    for row in 0..rows {
        let best = log_posteriors.iter().map(|values| values[row]).fold(f64::NEG_INFINITY, f64::max);
        relative.extend(log_posteriors.iter().map(|values| (values[row] - best).exp()));
    }
    for _ in 0..ROUNDS {
        let mut shares = vec![0.0; heads];
        for row in relative.chunks_exact(heads) {
            let total: f64 = weights.iter().zip(row).map(|(weight, value)| weight * value).sum();
            for ((share, weight), value) in shares.iter_mut().zip(&weights).zip(row) {
                *share += weight * value / total;
            }
        }
        normalise(&mut shares);
        weights = shares;
    }
    weights
}

fn normalise(weights: &mut [f64]) {
    let total: f64 = weights.iter().sum();
    for weight in weights {
        *weight /= total;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_that_is_better_on_every_row_takes_all() {
        let (good, bad) = (vec![0.8f64.ln(); 50], vec![0.3f64.ln(); 50]);
        assert_eq!(weights(&[&bad, &good]), [0.0, 1.0]);
    }

    #[test]
    fn heads_that_are_each_right_on_their_half_share() {
        let first: Vec<f64> = (0..100).map(|row| if row < 50 { 0.9f64.ln() } else { 0.1f64.ln() }).collect();
        let second: Vec<f64> = first.iter().rev().copied().collect();
        let weights = weights(&[&first, &second]);
        assert!((weights[0] - 0.5).abs() < 1e-6, "{weights:?}");
    }

    #[test]
    fn confident_mistakes_beyond_the_range_of_exp_cost_their_weight() {
        let reckless: Vec<f64> = (0..20).map(|row| if row == 0 { -2000.0 } else { 0.9f64.ln() }).collect();
        let weights = weights(&[&reckless, &[0.5f64.ln(); 20]]);
        assert!(weights.iter().all(|weight| weight.is_finite()) && weights[1] > 0.05, "{weights:?}");
    }
}
