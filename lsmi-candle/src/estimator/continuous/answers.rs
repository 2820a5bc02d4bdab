//! What the models of a fold say of rows, and how folds are put together.

use crate::estimator::scoring::log_mean;

/// Log densities and predictive distributions of rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Answers {
    /// log p(x1), log p(x2), log p(y), log p(y|x1), log p(y|x2), log p(y|x1,x2), `[n]` each.
    pub(super) log_densities: [Vec<f64>; 6],
    /// Means of the predictive distributions given x1, x2 and both, `[n, L]`, row-major.
    pub(super) means: [Vec<f64>; 3],
    /// Probability integral transforms under them, `[n, L]`, row-major.
    pub(super) transforms: [Vec<f64>; 3],
}

impl Answers {
    pub(super) fn zeros(rows: usize, targets: usize) -> Self {
        let wide = || std::array::from_fn(|_| vec![0.0; rows * targets]);
        Self { log_densities: std::array::from_fn(|_| vec![0.0; rows]), means: wide(), transforms: wide() }
    }

    /// Appends the first rows of others.
    pub(super) fn extend(&mut self, others: Self, rows: usize) {
        let all = others.log_densities[0].len().max(1);
        for (own, others) in self.log_densities.iter_mut().zip(others.log_densities) {
            own.extend(others.into_iter().take(rows));
        }
        let wide = self.means.iter_mut().zip(others.means).chain(self.transforms.iter_mut().zip(others.transforms));
        for (own, others) in wide {
            let targets = others.len() / all;
            own.extend(others.into_iter().take(rows * targets));
        }
    }

    /// Writes the answers for some rows to their places.
    pub(super) fn scatter(&mut self, rows: &[usize], part: &Self) {
        for (own, part) in self.log_densities.iter_mut().zip(&part.log_densities) {
            for (row, value) in rows.iter().zip(part) {
                own[*row] = *value;
            }
        }
        let wide = self.means.iter_mut().zip(&part.means).chain(self.transforms.iter_mut().zip(&part.transforms));
        for (own, part) in wide {
            let targets = part.len() / rows.len().max(1);
            for (row, values) in rows.iter().zip(part.chunks_exact(targets.max(1))) {
                own[row * targets..(row + 1) * targets].copy_from_slice(values);
            }
        }
    }

    /// Averages the distributions of several models, all with the same weight.
    pub(super) fn averaged(all: &[Self]) -> Self {
        let log_densities = std::array::from_fn(|which| {
            log_mean(&all.iter().map(|answers| &answers.log_densities[which]).collect::<Vec<_>>())
        });
        let linear = |of: &dyn Fn(&Self) -> &Vec<f64>| -> Vec<f64> {
            let length = all.first().map_or(0, |answers| of(answers).len());
            (0..length).map(|at| all.iter().map(|answers| of(answers)[at]).sum::<f64>() / all.len() as f64).collect()
        };
        Self {
            log_densities,
            means: std::array::from_fn(|head| linear(&|answers| &answers.means[head])),
            transforms: std::array::from_fn(|head| linear(&|answers| &answers.transforms[head])),
        }
    }
}
