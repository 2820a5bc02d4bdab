//! The distribution of maximum entropy among those with the data's probabilities of every pair of variables.
//!
//! ```text
//! q(x1, x2, y) = p(x1, x2) exp(a(x1, y) + b(x2, y)) / sum over y' of exp(a(x1, y') + b(x2, y'))
//! ```
//!
//! with a and b such that q(x1, y) = p(x1, y) and q(x2, y) = p(x2, y); q(x1, x2) = p(x1, x2) always holds. These a and b
//! minimise a convex function (they are the coefficients of a logistic regression of y on x1 and x2). Iterative
//! proportional fitting ([`Fit::sweep`]) adjusts a and b in turns and is fast unless pairs forbid an outcome that no pair
//! of zero probability forbids: the probability of such an outcome falls with the number of sweeps, but no faster than
//! its inverse. Newton's method ([`newton`]) makes it fall by a factor e a step, so it takes over where sweeps alone do
//! not arrive and its matrix is not too large.

mod linear;
mod newton;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{
    error::{Result, check_cells},
    joint::Joint,
    outcome::Outcome,
};

/// The largest number of outcomes that the distribution of maximum entropy may have.
const MOST_CELLS: u128 = 20_000_000;

/// The relative deviation of a pair's probability at which the iteration ends.
const TOLERANCE: f64 = 1e-13;

/// The relative deviation of a pair's probability with which the iteration counts as converged.
const CONVERGED: f64 = 1e-11;

/// Sweeps before Newton's method is tried.
const FIRST_SWEEPS: usize = 100;

/// The largest number of visits of a cell in all sweeps; some ten seconds.
const MOST_VISITS: usize = 300_000_000;

/// Outcomes that the pairs forbid end with about this probability at most, and are left out.
const FORBIDDEN: f64 = 1e-11;

/// How well a distribution of maximum entropy was found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Convergence {
    /// Sweeps of iterative proportional fitting and steps of Newton's method.
    pub iterations: usize,
    /// The largest difference between the probability of a pair of states and its required value, relative to the
    /// latter.
    pub deviation: f64,
    /// Whether the deviation is at most 1e-11.
    pub converged: bool,
}

/// An outcome that no pair of its states forbids.
struct Cell {
    /// The place of (x1, y) among the pairs with positive probability.
    first: u32,
    /// The place of (x2, y).
    second: u32,
    target: u32,
    probability: f64,
}

/// The fit in progress.
struct Fit {
    /// The pairs (x1, x2), their probabilities and where their cells end.
    pairs: Vec<([u32; 2], f64, usize)>,
    cells: Vec<Cell>,
    /// p(x1, y) and p(x2, y).
    required: [Vec<f64>; 2],
    /// a(x1, y) and b(x2, y).
    logits: [Vec<f64>; 2],
}

/// Returns the distribution of maximum entropy that has the probabilities of every pair of variables of `joint`.
pub(super) fn maximum_entropy(joint: &Joint) -> Result<(Joint, Convergence)> {
    let mut fit = Fit::new(joint)?;
    let convergence = fit.run();
    let known: HashSet<&Outcome> = joint.outcomes().iter().collect();
    let mut outcomes = Vec::with_capacity(fit.cells.len());
    let mut probabilities = Vec::with_capacity(fit.cells.len());
    fit.each_pair(|sources, _, cells| {
        for cell in cells {
            let outcome = Outcome { sources, target: cell.target };
            // What occurs in the data is not forbidden, however rare it is.
            if cell.probability > FORBIDDEN || known.contains(&outcome) {
                outcomes.push(outcome);
                probabilities.push(cell.probability);
            }
        }
    });
    Ok((Joint::new(Arc::clone(joint.shared_states()), outcomes, probabilities), convergence))
}

impl Fit {
    fn new(joint: &Joint) -> Result<Self> {
        let marginals = joint.marginals();
        let mut by_first: Vec<Vec<(u32, u32)>> = vec![Vec::new(); joint.states().sources[0].len()];
        let mut seconds = HashMap::new();
        let mut pairs: Vec<([u32; 2], f64, usize)> = Vec::new();
        let [first_marginal, second_marginal, pair_marginal] =
            [(1, true), (2, true), (3, false)].map(|(set, y)| marginals.of(set, y));
        // Groups are numbered as they come, so that a number above all before is a new one.
        let mut known = [0; 2];
        for (row, &Outcome { sources, target }) in joint.outcomes().iter().enumerate() {
            let (first, second) = (first_marginal.group[row], second_marginal.group[row]);
            if first == known[0] {
                by_first[sources[0] as usize].push((target, first));
                known[0] += 1;
            }
            if second == known[1] {
                seconds.insert((sources[1], target), second);
                known[1] += 1;
            }
            if pair_marginal.group[row] as usize == pairs.len() {
                pairs.push((sources, pair_marginal.at(row), 0));
            }
        }
        let cells = pairs.iter().map(|(sources, ..)| by_first[sources[0] as usize].len() as u128).sum();
        check_cells("the distribution of maximum entropy for `ccs`", cells, size_of::<Cell>(), MOST_CELLS)?;
        let mut cells = Vec::new();
        for (sources, _, end) in &mut pairs {
            for &(target, first) in &by_first[sources[0] as usize] {
                if let Some(&second) = seconds.get(&(sources[1], target)) {
                    cells.push(Cell { first, second, target, probability: 0.0 });
                }
            }
            *end = cells.len();
        }
        let required = [first_marginal.probability.clone(), second_marginal.probability.clone()];
        // The logits of independent sources given y would be log p(x, y) each, but for y counted twice.
        let logits = required.clone().map(|required| required.iter().map(|p| p.ln()).collect());
        let mut fit = Self { pairs, cells, required, logits };
        fit.evaluate();
        Ok(fit)
    }

    fn run(&mut self) -> Convergence {
        let mut iterations = self.sweeps(FIRST_SWEEPS);
        if self.deviation() > TOLERANCE && newton::is_affordable(self) {
            iterations += newton::run(self);
        }
        if self.deviation() > CONVERGED {
            iterations += self.sweeps(MOST_VISITS / self.cells.len());
        }
        let deviation = self.deviation();
        Convergence { iterations, deviation, converged: deviation <= CONVERGED }
    }

    /// Makes up to `most` sweeps and returns their number.
    fn sweeps(&mut self, most: usize) -> usize {
        (0..most)
            .find(|_| {
                self.deviation() <= TOLERANCE || {
                    self.sweep();
                    false
                }
            })
            .unwrap_or(most)
    }

    /// Makes one sweep of iterative proportional fitting: the pairs with each source get their probabilities in turn.
    fn sweep(&mut self) {
        for source in 0..2 {
            let found = self.found();
            let corrections =
                self.required[source].iter().zip(&found[source]).map(|(required, found)| (required / found).ln());
            self.logits[source].iter_mut().zip(corrections).for_each(|(logit, correction)| *logit += correction);
            self.evaluate();
        }
    }

    /// Computes the probabilities from the logits.
    fn evaluate(&mut self) {
        let mut start = 0;
        for &(_, probability, end) in &self.pairs {
            let cells = &mut self.cells[start..end];
            let mut largest = f64::NEG_INFINITY;
            for cell in &mut *cells {
                cell.probability = self.logits[0][cell.first as usize] + self.logits[1][cell.second as usize];
                largest = largest.max(cell.probability);
            }
            let mut sum = 0.0;
            for cell in &mut *cells {
                cell.probability = (cell.probability - largest).exp();
                sum += cell.probability;
            }
            for cell in cells {
                cell.probability *= probability / sum;
            }
            start = end;
        }
    }

    /// Returns the probabilities of the pairs (x1, y) and (x2, y) at present.
    fn found(&self) -> [Vec<f64>; 2] {
        let mut found = self.required.each_ref().map(|required| vec![0.0; required.len()]);
        for cell in &self.cells {
            found[0][cell.first as usize] += cell.probability;
            found[1][cell.second as usize] += cell.probability;
        }
        found
    }

    /// Returns the largest relative deviation of such a probability.
    fn deviation(&self) -> f64 {
        let found = self.found();
        let pairs = self.required.iter().flatten().zip(found.iter().flatten());
        pairs.map(|(required, found)| (found / required - 1.0).abs()).fold(0.0, f64::max)
    }

    /// Visits every pair (x1, x2) with its probability and its cells.
    fn each_pair(&self, mut visit: impl FnMut([u32; 2], f64, &[Cell])) {
        let mut start = 0;
        for &(sources, probability, end) in &self.pairs {
            visit(sources, probability, &self.cells[start..end]);
            start = end;
        }
    }
}
