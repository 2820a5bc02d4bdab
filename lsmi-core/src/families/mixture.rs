//! Mixtures of spherical Gaussians: the modalities are independent given a hidden cell.
//!
//! A cell fixes the label and one centre a modality; then `x_m = centre + sigma * N` with N standard normal. All
//! families of bits are such mixtures. With P the probability of cells,
//!
//! ```text
//! p(x_m, y) = sum over centres k of P(k, y) Normal(x_m; centre k, sigma² I)
//! p(x1, x2, y) = sum over cells (k1, k2, y) of P(k1, k2, y) Normal(x1; centre k1) Normal(x2; centre k2)
//! ```
//!
//! The sums are formed from logarithms, and every Gaussian from the distance to its own centre, so that far centres
//! cost no digits.

use std::collections::BTreeMap;

use rand::Rng;
use rand_distr::StandardNormal;

use super::{Draw, Family, check_draw, log_scale};
use crate::{
    error::{Error, Result},
    ids::SampleIds,
    random::ChaCha8Rng,
    statistics::log_sum_exp,
    terms::Terms,
};

/// The largest deviation of the sum of the probabilities of cells from 1.
const SUM_TOLERANCE: f64 = 1e-9;

/// The label and centres that a hidden cell of a [`Mixture`] fixes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// The centre around which modality 1 is drawn.
    pub centre1: usize,
    /// The centre around which modality 2 is drawn.
    pub centre2: usize,
    /// The class.
    pub label: u32,
    /// The probability of the cell.
    pub probability: f64,
}

/// A mixture of spherical Gaussians with one standard deviation, see [`Family`].
#[derive(Debug, Clone, PartialEq)]
pub struct Mixture {
    centres: [Vec<Vec<f64>>; 2],
    sigma: f64,
    /// The cells of a probability above 0.
    cells: Vec<Cell>,
    /// The log-probabilities of these cells.
    log_cells: Vec<f64>,
    /// For each modality, the centres k and classes y that occur together, with log P(k, y).
    log_marginals: [Vec<(usize, u32, f64)>; 2],
    /// log P(y).
    log_prior: Vec<f64>,
}

impl Mixture {
    /// Creates a mixture of cells around the centres of the modalities, with Gaussian noise of the standard deviation
    /// `sigma`.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if the centres of a modality are not of one dimension, above 0, and finite; if `sigma` is
    /// not above 0 and finite; if a cell names no centre or its probability is negative or not finite.
    /// [`Error::ProbabilitySum`] if the probabilities do not sum to 1; [`Error::AbsentClass`] if a class below the
    /// highest label has probability 0.
    ///
    /// ```
    /// use lsmi_core::families::{Cell, Mixture};
    ///
    /// // Three classes on a line, seen by modality 1 alone.
    /// let cells = (0..3)
    ///     .map(|label| Cell { centre1: label as usize, centre2: 0, label, probability: 1.0 / 3.0 })
    ///     .collect();
    /// let line = vec![vec![-4.0], vec![0.0], vec![4.0]];
    /// let mixture = Mixture::new(line, vec![vec![0.0, 0.0]], 1.0, cells)?;
    /// # Ok::<(), lsmi_core::Error>(())
    /// ```
    pub fn new(centres1: Vec<Vec<f64>>, centres2: Vec<Vec<f64>>, sigma: f64, mut cells: Vec<Cell>) -> Result<Self> {
        check_centres("centres1", &centres1)?;
        check_centres("centres2", &centres2)?;
        check_positive("sigma", sigma)?;
        check_cells(&cells, centres1.len(), centres2.len())?;
        cells.retain(|cell| cell.probability > 0.0);

        let log_prior = log_prior(cells.iter().map(|cell| (cell.label, cell.probability)))?;
        let log_cells = cells.iter().map(|cell| cell.probability.ln()).collect();
        let log_marginals = [log_marginal(&cells, |cell| cell.centre1), log_marginal(&cells, |cell| cell.centre2)];
        Ok(Self { centres: [centres1, centres2], sigma, cells, log_cells, log_marginals, log_prior })
    }

    /// Draws n independent samples and shows the cell of each.
    pub(super) fn sample_cells(&self, n: usize, rng: &mut ChaCha8Rng, mut show: impl FnMut(&Cell)) -> Draw {
        let dims = self.dims();
        let mut draw = Draw {
            x1: Vec::with_capacity(n * dims.0),
            x2: Vec::with_capacity(n * dims.1),
            labels: Vec::with_capacity(n),
            dims,
            classes: self.classes(),
            groups: None,
        };
        for _ in 0..n {
            let cell = pick(&self.cells, |cell| cell.probability, rng.random());
            let mut around = |centre: &[f64], x: &mut Vec<f64>| {
                x.extend(centre.iter().map(|value| value + self.sigma * rng.sample::<f64, _>(StandardNormal)));
            };
            around(&self.centres[0][cell.centre1], &mut draw.x1);
            around(&self.centres[1][cell.centre2], &mut draw.x2);
            draw.labels.push(cell.label);
            show(cell);
        }
        draw
    }

    /// Returns -log p(x) and log p(y|x) - log p(y) of one row of one modality, given the log-densities around its
    /// centres.
    fn terms_of_one(&self, modality: usize, label: u32, near: &[f64], sums: &mut Sums) -> (f64, f64) {
        let joint = self.log_marginals[modality].iter();
        let (any, given) = sums.of(joint.map(|&(centre, class, log)| (class, log + near[centre])), label);
        (-any, given - any - self.log_prior[label as usize])
    }
}

impl Family for Mixture {
    fn dims(&self) -> (usize, usize) {
        (self.centres[0][0].len(), self.centres[1][0].len())
    }

    fn classes(&self) -> usize {
        self.log_prior.len()
    }

    fn sample(&self, n: usize, rng: &mut ChaCha8Rng) -> Draw {
        self.sample_cells(n, rng, |_| {})
    }

    fn terms(&self, draw: &Draw) -> Result<Terms> {
        let dims = self.dims();
        check_draw(draw, dims, self.classes())?;
        let n = draw.labels.len();
        let column = || Vec::with_capacity(n);
        let (mut h1, mut h2, mut i1, mut i2, mut i12) = (column(), column(), column(), column(), column());
        let (mut near1, mut near2, mut sums) = (Vec::new(), Vec::new(), Sums::default());

        for ((x1, x2), &label) in draw.x1.chunks_exact(dims.0).zip(draw.x2.chunks_exact(dims.1)).zip(&draw.labels) {
            log_densities(x1, &self.centres[0], self.sigma, &mut near1);
            log_densities(x2, &self.centres[1], self.sigma, &mut near2);
            let (h, i) = self.terms_of_one(0, label, &near1, &mut sums);
            h1.push(h);
            i1.push(i);
            let (h, i) = self.terms_of_one(1, label, &near2, &mut sums);
            h2.push(h);
            i2.push(i);
            let joint = self.cells.iter().zip(&self.log_cells);
            let at = |cell: &Cell, log: f64| log + near1[cell.centre1] + near2[cell.centre2];
            let (any, given) = sums.of(joint.map(|(cell, &log)| (cell.label, at(cell, log))), label);
            i12.push(given - any - self.log_prior[label as usize]);
        }
        Terms::new(SampleIds::rows(n), h1, h2, i1, i2, i12)
    }
}

/// Room for log-sum-exp over cells, kept from sample to sample.
#[derive(Default)]
pub(super) struct Sums {
    any: Vec<f64>,
    given: Vec<f64>,
}

impl Sums {
    /// Returns the log-sum-exp of the values of all classes, and of the values of one class.
    pub(super) fn of(&mut self, values: impl Iterator<Item = (u32, f64)>, label: u32) -> (f64, f64) {
        self.any.clear();
        self.given.clear();
        for (class, value) in values {
            self.any.push(value);
            if class == label {
                self.given.push(value);
            }
        }
        (log_sum_exp(&self.any), log_sum_exp(&self.given))
    }
}

/// Computes the log-densities of a row around every centre.
pub(super) fn log_densities(x: &[f64], centres: &[Vec<f64>], sigma: f64, log_densities: &mut Vec<f64>) {
    let scale = x.len() as f64 * log_scale(sigma);
    log_densities.clear();
    log_densities.extend(centres.iter().map(|centre| {
        let squares: f64 = x.iter().zip(centre).map(|(x, centre)| ((x - centre) / sigma).powi(2)).sum();
        -squares / 2.0 - scale
    }));
}

/// Returns the cell in which a number from [0, 1) falls.
pub(super) fn pick<T>(cells: &[T], probability: impl Fn(&T) -> f64, number: f64) -> &T {
    let mut upper = 0.0;
    cells[..cells.len() - 1]
        .iter()
        .find(|cell| {
            upper += probability(cell);
            number < upper
        })
        // Rounding may leave the sum of all a little below 1.
        .unwrap_or(&cells[cells.len() - 1])
}

/// Returns log P(k, y) for the centres k of one modality.
fn log_marginal(cells: &[Cell], centre: impl Fn(&Cell) -> usize) -> Vec<(usize, u32, f64)> {
    let mut marginal = BTreeMap::<_, f64>::new();
    for cell in cells {
        *marginal.entry((centre(cell), cell.label)).or_default() += cell.probability;
    }
    marginal.into_iter().map(|((centre, label), probability)| (centre, label, probability.ln())).collect()
}

/// Returns log P(y), given the classes and probabilities of all cells.
pub(super) fn log_prior(cells: impl Iterator<Item = (u32, f64)> + Clone) -> Result<Vec<f64>> {
    let classes = cells.clone().map(|(label, _)| label as usize + 1).max().unwrap_or(0);
    let mut prior = vec![0.0; classes];
    for (label, probability) in cells {
        prior[label as usize] += probability;
    }
    match prior.iter().position(|&probability| probability <= 0.0) {
        Some(class) => Err(Error::AbsentClass { class }),
        None => Ok(prior.into_iter().map(f64::ln).collect()),
    }
}

pub(super) fn check_centres(name: &'static str, centres: &[Vec<f64>]) -> Result<()> {
    let dims = centres.first().map_or(0, Vec::len);
    let expected = "vectors of finite values, at least one and all of one length";
    if dims == 0 || centres.iter().any(|centre| centre.len() != dims) {
        let lengths: Vec<_> = centres.iter().map(Vec::len).collect();
        return Err(Error::parameter(name, expected, &format!("vectors of the lengths {lengths:?}")));
    }
    match centres.iter().flatten().find(|value| !value.is_finite()) {
        Some(value) => Err(Error::parameter(name, expected, &value)),
        None => Ok(()),
    }
}

fn check_cells(cells: &[Cell], centres1: usize, centres2: usize) -> Result<()> {
    for cell in cells {
        if cell.centre1 >= centres1 || cell.centre2 >= centres2 {
            let found = format!("a cell at the centres {} and {}", cell.centre1, cell.centre2);
            return Err(Error::parameter("cells", "at centres that there are", &found));
        }
        if !(cell.probability >= 0.0 && cell.probability.is_finite()) {
            return Err(Error::parameter("cells", "of probabilities from 0 to 1", &cell.probability));
        }
    }
    check_sum("the cells", cells.iter().map(|cell| cell.probability))
}

/// Checks that probabilities sum to 1.
pub(super) fn check_sum(array: &'static str, probabilities: impl Iterator<Item = f64>) -> Result<()> {
    let found: f64 = probabilities.sum();
    if (found - 1.0).abs() > SUM_TOLERANCE { Err(Error::ProbabilitySum { array, found }) } else { Ok(()) }
}

pub(super) fn check_positive(name: &'static str, value: f64) -> Result<()> {
    if value > 0.0 && value.is_finite() { Ok(()) } else { Err(Error::parameter(name, "above 0 and finite", &value)) }
}
