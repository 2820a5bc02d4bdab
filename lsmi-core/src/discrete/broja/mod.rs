//! BROJA: the decomposition of Bertschinger, Rauh, Olbrich, Jost and Ay, "Quantifying Unique Information" (Entropy 16(4),
//! 2014).
//!
//! The unique information of a modality should depend on p(x1, y) and p(x2, y) only. So the minimum is taken over all joint
//! distributions q with these marginals: the union information is the least information about the label that both modalities
//! together can have,
//!
//! ```text
//! I = min_q I_q(X1,X2; Y) = H(Y) + min_q sum q(x1,x2,y) log( q(x1,x2,y) / q(x1,x2) )
//! r = I(X1;Y) + I(X2;Y) - I     u1 = I - I(X2;Y)     u2 = I - I(X1;Y)     s = I(X1,X2;Y) - I
//! ```
//!
//! All four are non-negative. The minimiser need not be unique, its value is. Everything is in nats.
//!
//! [`union_information`] never returns a bare number: it gives bounds from below and above (`certificate.rs`, with the
//! proofs) that hold whatever the solver did, and their gap. Alternating minimisation (`alternating.rs`) starts from the
//! best point known without a solver; Newton's method on the dual program (`newton.rs`) finishes where that is slow. The
//! tests solve the same program with a conic solver, which is another method by other hands; it takes three times as long
//! for 4 x 4 x 4 states and seven times as long for 50 x 50 x 10.
//!
//! ```
//! use lsmi_core::discrete::broja::{Settings, union_information};
//!
//! // y = x1 and x2 of fair bits: p(x1, y) and p(x2, y) are [[1/2, 0], [1/4, 1/4]].
//! let marginal = [0.5, 0.0, 0.25, 0.25];
//! let solution = union_information(&marginal, &marginal, 2, &Settings::default())?;
//! assert!(solution.gap < 1e-7);
//!
//! let entropy = 0.25 * 4f64.ln() + 0.75 * (4.0 / 3.0_f64).ln(); // both together tell the label
//! let parts = solution.decompose(entropy);
//! let bits = |nats: f64| nats / 2f64.ln();
//! assert!((bits(parts.r) - 0.311278).abs() < 1e-6 && (bits(parts.s) - 0.5).abs() < 1e-6);
//! assert!(parts.u1.abs() < 1e-7 && parts.u2.abs() < 1e-7);
//! # Ok::<(), lsmi_core::Error>(())
//! ```

mod alternating;
mod certificate;
mod newton;
mod problem;
mod schur;
mod settings;

use crate::{Means, Result};
use certificate::Bounds;
use problem::Problem;
pub use settings::Settings;

/// Whether the wanted tolerance was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The gap is at most the tolerance.
    Converged,
    /// The solver stopped at a wider gap; the bounds hold nevertheless.
    Stalled,
}

/// An occupied cell of q.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// The state of modality 1.
    pub x1: usize,
    /// The state of modality 2.
    pub x2: usize,
    /// The class.
    pub class: usize,
    /// Its probability under q.
    pub probability: f64,
}

/// The union information with its certificate, in nats.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution {
    /// The union information: the mutual information that `q` attains, equal to `primal`.
    pub union_information: f64,
    /// Whether the gap is within the tolerance.
    pub status: Status,
    /// A bound from above.
    pub primal: f64,
    /// A bound from below.
    pub dual: f64,
    /// `primal` less `dual`, at least 0.
    pub gap: f64,
    /// The number of steps of alternation and of Newton's method together; 0 where none was needed.
    pub iterations: usize,
    /// I(X1; Y).
    pub i1: f64,
    /// I(X2; Y).
    pub i2: f64,
    /// The minimiser: its cells of positive probability, in order of x1, x2 and class.
    pub q: Vec<Cell>,
}

impl Solution {
    /// Returns redundancy, uniqueness and synergy if both modalities together have `i12` nats of information about the
    /// label.
    ///
    /// Each is off by at most `gap`: r may be too small, the others too large.
    pub fn decompose(&self, i12: f64) -> Means {
        let union = self.union_information;
        Means { r: self.i1 + self.i2 - union, u1: union - self.i2, u2: union - self.i1, s: i12 - union }
    }
}

/// Returns the least information that two modalities with the marginals p(x1, y) and p(x2, y) can have about the label
/// together.
///
/// `x1_y` is row-major `[n1, classes]`, `x2_y` `[n2, classes]`; both sum to 1 and over their states to the same p(y), to
/// 1e-9. States and classes of probability 0 are allowed.
///
/// # Errors
///
/// [`Error::TableProbability`](crate::Error::TableProbability), [`Error::ProbabilitySum`](crate::Error::ProbabilitySum)
/// and [`Error::ClassMarginals`](crate::Error::ClassMarginals) if the tables are no marginals of one distribution,
/// [`Error::TooManyCells`](crate::Error::TooManyCells) if the memory would not do, and
/// [`Error::Parameter`](crate::Error::Parameter) if a table is no multiple of `classes` or a tolerance not above 0.
pub fn union_information(x1_y: &[f64], x2_y: &[f64], classes: usize, settings: &Settings) -> Result<Solution> {
    if settings.tolerance.is_nan() || settings.tolerance <= 0.0 {
        return Err(crate::Error::parameter("tolerance", "above 0", &settings.tolerance));
    }
    let problem = Problem::new(x1_y, x2_y, classes, settings)?;
    let tolerance = settings.tolerance;
    let mut bounds = Bounds::new(&problem);
    let mut iterations = 0;
    if bounds.gap() > tolerance {
        iterations += alternating::alternate(&problem, &mut bounds, tolerance, alternating::ROUNDS);
    }
    if bounds.gap() > tolerance {
        iterations += newton::newton(&problem, &mut bounds, tolerance, settings.steps);
    }

    let (first, second) = problem.marginals.split_at(problem.first * classes);
    let class_probabilities: Vec<f64> =
        (0..classes).map(|class| first.iter().skip(class).step_by(classes).sum()).collect();
    let entropy = entropy(&class_probabilities);
    let primal = entropy + bounds.upper;
    let dual = entropy + bounds.lower;
    let gap = bounds.gap();
    let mut informations = [information(first, &class_probabilities), information(second, &class_probabilities)];
    if problem.exchanged {
        informations.reverse();
    }
    Ok(Solution {
        union_information: primal,
        status: if gap <= tolerance { Status::Converged } else { Status::Stalled },
        primal,
        dual,
        gap,
        iterations,
        i1: informations[0],
        i2: informations[1],
        q: occupied(&problem, &bounds.q),
    })
}

fn entropy(probabilities: &[f64]) -> f64 {
    -probabilities.iter().filter(|p| **p > 0.0).map(|p| p * p.ln()).sum::<f64>()
}

/// Returns the mutual information of a table `[states, classes]` whose columns sum to `class_probabilities`.
fn information(table: &[f64], class_probabilities: &[f64]) -> f64 {
    let mut sum = 0.0;
    for joint in table.chunks(class_probabilities.len()) {
        let state_probability: f64 = joint.iter().sum();
        let terms = joint.iter().zip(class_probabilities).filter(|(p, _)| **p > 0.0);
        sum += terms.map(|(p, class_probability)| p * (p / state_probability / class_probability).ln()).sum::<f64>();
    }
    sum
}

/// Returns the cells of positive probability, in order of x1, x2 and class.
fn occupied(problem: &Problem, q: &[f64]) -> Vec<Cell> {
    let cells = problem.cells.iter().zip(q).filter(|(_, q)| **q > 0.0);
    let cell = |(cell, q): (&problem::Cell, &f64)| {
        let (first, second) = (cell.row / problem.classes, cell.column / problem.classes - problem.first);
        let (x1, x2) = if problem.exchanged { (second, first) } else { (first, second) };
        Cell { x1, x2, class: cell.row % problem.classes, probability: *q }
    };
    let mut occupied: Vec<Cell> = cells.map(cell).collect();
    occupied.sort_by_key(|cell| (cell.x1, cell.x2, cell.class));
    occupied
}
