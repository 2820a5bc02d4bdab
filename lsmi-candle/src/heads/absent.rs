//! Classes of which a pool has seen no row: they keep the share of half a row, and the others what is left.

use lsmi_core::statistics::log_sum_exp;

/// Puts the shares of `absent` classes in the place of their posteriors, `[n, classes]`, row-major, and scales the others so
/// that each row sums to one: `p(k|x) = f_k` for an absent class k of frequency `f_k`, and
/// `p(k|x) = (1 - sum of f) p'(k|x) / (sum of p' over the classes seen)` for another.
pub(super) fn give_shares(posteriors: &mut [f64], absent: &[usize], log_frequencies: &[f64]) {
    if absent.is_empty() {
        return;
    }
    let shares: f64 = absent.iter().map(|class| log_frequencies[*class].exp()).sum();
    let kept = (1.0 - shares).ln();
    for row in posteriors.chunks_exact_mut(log_frequencies.len()) {
        for class in absent {
            row[*class] = f64::NEG_INFINITY;
        }
        let scale = kept - log_sum_exp(row);
        for value in row.iter_mut() {
            *value += scale;
        }
        for class in absent {
            row[*class] = log_frequencies[*class];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::give_shares;

    #[test]
    fn absent_classes_have_their_shares_and_rows_sum_to_one() {
        let mut posteriors = [0.5f64, 0.3, 0.2, 1e-9, 0.7, 0.3].map(f64::ln);
        give_shares(&mut posteriors, &[2], &[0.6, 0.3, 0.1].map(f64::ln));
        let expected = [0.5625, 0.3375, 0.1, 0.9e-9 / (0.7 + 1e-9), 0.9 * 0.7 / (0.7 + 1e-9), 0.1];
        for (found, expected) in posteriors.iter().zip(expected) {
            assert!((found.exp() - expected).abs() < 1e-12, "{} for {expected}", found.exp());
        }
    }
}
