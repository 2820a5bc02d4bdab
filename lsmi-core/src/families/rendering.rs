//! Tables of discrete sources and a label, rendered as Gaussians: known densities of more than two modalities.

use std::collections::BTreeMap;

use rand::Rng;
use rand_distr::StandardNormal;

use super::mixture::{Sums, check_centres, check_positive, check_sum, log_densities, log_prior, pick};
use crate::{
    error::{Error, Result, check_length},
    ids::SampleIds,
    random::ChaCha8Rng,
    subsets::{Subset, SubsetTerms, check_modalities},
};

/// One row of a table p(s1, ..., sM, y).
#[derive(Debug, Clone, PartialEq)]
pub struct TableState {
    /// The state of every source, from 0.
    pub sources: Vec<usize>,
    /// The class.
    pub label: u32,
    /// The probability of this row.
    pub probability: f64,
}

/// A table of two to eight discrete sources and a label, each source rendered as a modality of its own.
///
/// A row (s1, ..., sM, y) is drawn from the table, then, with N standard normal,
///
/// ```text
/// x_m = centre(m, s_m) + sigma * N
/// ```
///
/// The modalities are independent given the row, so that for every subset A of them, with P the marginals of the table,
///
/// ```text
/// p(x_A, y) = sum over the states s_A of P(s_A, y) product over m in A of Normal(x_m; centre(m, s_m), sigma² I)
/// ```
///
/// and all terms are exact: short sums of exponentials, formed from logarithms. [`TableName`](super::TableName) names tables
/// of three sources whose information lies in one node of the lattice each.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendering {
    /// For every modality, a centre for every state.
    centres: Vec<Vec<Vec<f64>>>,
    sigma: f64,
    /// The rows of a probability above 0.
    states: Vec<TableState>,
    /// For every subset of the modalities, in their order, the states that occur together.
    marginals: Vec<(Subset, Vec<Marginal>)>,
    /// log P(y).
    log_prior: Vec<f64>,
}

/// States of some of the sources and a class that occur together.
#[derive(Debug, Clone, PartialEq)]
struct Marginal {
    /// The modality and the state of each of these sources.
    sources: Vec<(usize, usize)>,
    label: u32,
    /// log P(s, y).
    log: f64,
}

/// Samples drawn from a [`Rendering`].
#[derive(Debug, Clone, PartialEq)]
pub struct RenderedDraw {
    /// For every modality, n rows of its `dims` values, row after row.
    pub modalities: Vec<Vec<f64>>,
    /// The class of each of the n samples, from 0.
    pub labels: Vec<u32>,
    /// The number of values in a row of each modality.
    pub dims: Vec<usize>,
    /// The number of classes.
    pub classes: usize,
}

impl Rendering {
    /// Creates the rendering of a table, with a centre for every state of every source and Gaussian noise of the standard
    /// deviation `sigma`.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if there are not two to eight modalities; if the centres of one are not of one dimension, above
    /// 0, and finite; if `sigma` is not above 0 and finite; if a row of the table has not one state for every source, names
    /// no centre, or its probability is negative or not finite. [`Error::ProbabilitySum`] if the probabilities do not sum
    /// to 1; [`Error::AbsentClass`] if a class below the highest label has probability 0.
    ///
    /// ```
    /// use lsmi_core::{families::{Rendering, TableState}, random::stream};
    ///
    /// // The same fair bit in four modalities, on a line each.
    /// let table = [0, 1].map(|bit| TableState { sources: vec![bit as usize; 4], label: bit, probability: 0.5 });
    /// let rendering = Rendering::new(vec![vec![vec![-8.0], vec![8.0]]; 4], 1.0, table.to_vec())?;
    /// let draw = rendering.sample(100, &mut stream(0, "example"));
    /// let terms = rendering.terms(&draw)?;
    /// assert!((terms.information("24".parse()?)[0] - 2.0_f64.ln()).abs() < 1e-9);
    /// # Ok::<(), lsmi_core::Error>(())
    /// ```
    pub fn new(centres: Vec<Vec<Vec<f64>>>, sigma: f64, mut states: Vec<TableState>) -> Result<Self> {
        check_modalities(centres.len())?;
        for centres in &centres {
            check_centres("centres", centres)?;
        }
        check_positive("sigma", sigma)?;
        check_states(&states, &centres)?;
        states.retain(|state| state.probability > 0.0);
        let log_prior = log_prior(states.iter().map(|state| (state.label, state.probability)))?;
        let marginals = Subset::all(centres.len()).map(|subset| (subset, marginals(&states, subset))).collect();
        Ok(Self { centres, sigma, states, marginals, log_prior })
    }

    /// Returns the number of values in a row of each modality.
    pub fn dims(&self) -> Vec<usize> {
        self.centres.iter().map(|centres| centres[0].len()).collect()
    }

    /// Returns the number of classes.
    pub fn classes(&self) -> usize {
        self.log_prior.len()
    }

    /// Returns the rows of the table that have a probability above 0.
    pub fn states(&self) -> &[TableState] {
        &self.states
    }

    /// Draws n independent samples.
    pub fn sample(&self, n: usize, rng: &mut ChaCha8Rng) -> RenderedDraw {
        let dims = self.dims();
        let mut modalities: Vec<Vec<f64>> = dims.iter().map(|dims| Vec::with_capacity(n * dims)).collect();
        let mut labels = Vec::with_capacity(n);
        for _ in 0..n {
            let state = pick(&self.states, |state| state.probability, rng.random());
            for ((x, centres), &source) in modalities.iter_mut().zip(&self.centres).zip(&state.sources) {
                let around = |value: &f64| value + self.sigma * rng.sample::<f64, _>(StandardNormal);
                x.extend(centres[source].iter().map(around));
            }
            labels.push(state.label);
        }
        RenderedDraw { modalities, labels, dims, classes: self.classes() }
    }

    /// Returns the exact terms of samples, in nats: i and h of every subset of the modalities, keyed by their row numbers.
    ///
    /// # Errors
    ///
    /// [`Error::Modalities`] if the draw has not as many modalities as the family, [`Error::Length`] if an array does not
    /// fit, [`Error::Label`] if a label is no class, [`Error::TermNotFinite`] if a value of the draw is not finite.
    pub fn terms(&self, draw: &RenderedDraw) -> Result<SubsetTerms> {
        self.check(draw)?;
        let (n, dims) = (draw.labels.len(), self.dims());
        let mut columns = vec![(Vec::with_capacity(n), Vec::with_capacity(n)); self.marginals.len()];
        let (mut near, mut sums) = (vec![Vec::new(); dims.len()], Sums::default());
        for (row, &label) in draw.labels.iter().enumerate() {
            for (((near, x), dims), centres) in near.iter_mut().zip(&draw.modalities).zip(&dims).zip(&self.centres) {
                log_densities(&x[row * dims..(row + 1) * dims], centres, self.sigma, near);
            }
            for ((_, marginals), (informations, surprisals)) in self.marginals.iter().zip(&mut columns) {
                let values = marginals.iter().map(|Marginal { sources, label, log }| {
                    let around: f64 = sources.iter().map(|&(modality, state)| near[modality][state]).sum();
                    (*label, log + around)
                });
                let (any, given) = sums.of(values, label);
                informations.push(given - any - self.log_prior[label as usize]);
                surprisals.push(-any);
            }
        }
        let columns = self.marginals.iter().zip(columns).map(|((subset, _), columns)| (*subset, columns));
        let (informations, surprisals): (Vec<_>, Vec<_>) =
            columns.map(|(subset, (informations, surprisals))| ((subset, informations), (subset, surprisals))).unzip();
        SubsetTerms::new(SampleIds::rows(n), dims.len(), informations, surprisals)
    }

    /// Checks that a draw has the shape and the classes of the family.
    fn check(&self, draw: &RenderedDraw) -> Result<()> {
        let (dims, classes) = (self.dims(), self.classes());
        if draw.modalities.len() != dims.len() {
            return Err(Error::Modalities { expected: dims.len(), found: draw.modalities.len() });
        }
        for (x, dims) in draw.modalities.iter().zip(dims) {
            check_length("modalities", draw.labels.len() * dims, x.len())?;
        }
        match draw.labels.iter().position(|&label| label as usize >= classes) {
            Some(row) => Err(Error::Label { row, found: draw.labels[row], classes }),
            None => Ok(()),
        }
    }
}

/// Returns the states of a subset of the sources and classes that occur together.
fn marginals(states: &[TableState], subset: Subset) -> Vec<Marginal> {
    let mut marginal = BTreeMap::<_, f64>::new();
    for state in states {
        let sources: Vec<(usize, usize)> = subset.members().map(|member| (member, state.sources[member])).collect();
        *marginal.entry((sources, state.label)).or_default() += state.probability;
    }
    let marginal = marginal.into_iter();
    marginal.map(|((sources, label), probability)| Marginal { sources, label, log: probability.ln() }).collect()
}

fn check_states(states: &[TableState], centres: &[Vec<Vec<f64>>]) -> Result<()> {
    for TableState { sources, probability, .. } in states {
        let have_centres = sources.iter().zip(centres).all(|(&source, centres)| source < centres.len());
        if sources.len() != centres.len() || !have_centres {
            let found = format!("a row of the sources {sources:?}");
            return Err(Error::parameter("states", "at centres that there are, one for every modality", &found));
        }
        if !(*probability >= 0.0 && probability.is_finite()) {
            return Err(Error::parameter("states", "of probabilities from 0 to 1", probability));
        }
    }
    check_sum("the table", states.iter().map(|state| state.probability))
}
