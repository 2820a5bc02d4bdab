//! A joint distribution of sources and a target.

use std::sync::{Arc, OnceLock};

use super::{
    error::{Error, Result},
    information::Information,
    marginals::Marginals,
    outcome::{Outcome, States, describe},
    register::Register,
};
use crate::ids::SampleIds;
use crate::lattice::all_sources;
use crate::statistics::{Sum, sum};
use crate::terms::Terms;

/// The largest deviation of the sum of given probabilities from 1, as rounding to ten digits makes. They are divided by
/// their sum.
const SUM_TOLERANCE: f64 = 1e-9;

/// The joint distribution of `SOURCES` sources x1, x2, ... and a target y with at least two states.
///
/// Only outcomes of positive probability are held, sorted by the names of their states.
#[derive(Debug, Clone)]
pub struct Joint<const SOURCES: usize = 2> {
    states: Arc<States<SOURCES>>,
    outcomes: Vec<Outcome<SOURCES>>,
    probabilities: Vec<f64>,
    marginals: OnceLock<Marginals<SOURCES>>,
}

impl<const SOURCES: usize> Joint<SOURCES> {
    /// Creates the distribution with the given probabilities; an outcome that is not given has probability 0.
    ///
    /// # Errors
    ///
    /// [`Error::Probability`] if a probability is negative or not finite, [`Error::Repeated`] if an outcome is given
    /// twice, [`Error::Sum`] if they miss a sum of 1 by more than 1e-9 (within that they are divided by their sum),
    /// [`Error::ConstantTarget`] if y has one state only.
    ///
    /// ```
    /// use lsmi_core::discrete::Joint;
    ///
    /// let and = [(["0", "0"], "0", 0.25), (["0", "1"], "0", 0.25), (["1", "0"], "0", 0.25), (["1", "1"], "1", 0.25)];
    /// let joint = Joint::from_probabilities(and)?;
    /// assert_eq!(joint.states().names(&joint.outcomes()[3]), ["1", "1", "1"]);
    ///
    /// let error = Joint::from_probabilities([(["a", "b"], "c", 0.5), (["a", "b"], "c", 0.5)]).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "the outcome (x1=a, x2=b, y=c) is given twice; give it once, with the sum of both"
    /// );
    /// # Ok::<(), lsmi_core::discrete::Error>(())
    /// ```
    pub fn from_probabilities<'a>(
        outcomes: impl IntoIterator<Item = ([&'a str; SOURCES], &'a str, f64)>,
    ) -> Result<Self> {
        let mut register = Register::new();
        for (sources, target, probability) in outcomes {
            if !(probability.is_finite() && probability >= 0.0) {
                return Err(Error::Probability { outcome: describe(&sources, target), found: probability });
            }
            if register.known_or_insert(sources, target, probability).is_some() {
                return Err(Error::Repeated { outcome: describe(&sources, target) });
            }
        }
        let (states, entries) = register.finish(|probability| *probability > 0.0);
        let (outcomes, mut probabilities): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
        let found = sum(&probabilities);
        if (found - 1.0).abs() > SUM_TOLERANCE {
            return Err(Error::Sum { found });
        }
        for probability in &mut probabilities {
            *probability /= found;
        }
        check_target(&states)?;
        Ok(Self::new(Arc::new(states), outcomes, probabilities))
    }

    /// Creates a distribution of probabilities that are known to be valid, whatever its target.
    pub(super) fn new(states: Arc<States<SOURCES>>, outcomes: Vec<Outcome<SOURCES>>, probabilities: Vec<f64>) -> Self {
        Self { states, outcomes, probabilities, marginals: OnceLock::new() }
    }

    /// Returns the names of the states.
    pub fn states(&self) -> &States<SOURCES> {
        &self.states
    }

    /// Returns the names of the states, shared.
    pub(super) fn shared_states(&self) -> &Arc<States<SOURCES>> {
        &self.states
    }

    /// Returns the outcomes of positive probability.
    pub fn outcomes(&self) -> &[Outcome<SOURCES>] {
        &self.outcomes
    }

    /// Returns the probabilities of the outcomes, in their order.
    pub fn probabilities(&self) -> &[f64] {
        &self.probabilities
    }

    /// Returns the marginals, computed once.
    pub(super) fn marginals(&self) -> &Marginals<SOURCES> {
        self.marginals.get_or_init(|| Marginals::new(&self.outcomes, &self.probabilities))
    }

    /// Returns the mean over all outcomes of one value each.
    pub(super) fn mean(&self, values: impl Iterator<Item = f64>) -> f64 {
        self.probabilities.iter().zip(values).fold(Sum::default(), |sum, (p, value)| sum.with(p * value)).value()
    }

    /// Returns the entropy of the target, of no source: H(Y), in nats.
    pub fn target_entropy(&self) -> f64 {
        self.entropy(0, true)
    }

    /// Returns the entropy of all variables together, H(X1, X2, ..., Y), in nats.
    pub fn entropy_of_all(&self) -> f64 {
        self.entropy(all_sources::<SOURCES>(), true)
    }

    /// Returns the entropy of a set of sources (bit k for source k + 1), with the target or without it.
    pub(super) fn entropy(&self, set: usize, with_target: bool) -> f64 {
        let marginal = self.marginals().of(set, with_target);
        self.mean((0..self.outcomes.len()).map(|row| -marginal.at(row).ln()))
    }

    /// Returns the mutual information of a set of sources (bit k for source k + 1) and the target, in nats.
    pub(super) fn information_of(&self, set: usize) -> f64 {
        let marginals = self.marginals();
        self.mean((0..self.outcomes.len()).map(|row| marginals.information(set, row)))
    }
}

impl Joint<2> {
    /// Returns the mutual informations of the sources and the target, in nats.
    ///
    /// ```
    /// use lsmi_core::discrete::Joint;
    ///
    /// let xor = [(["0", "0"], "0", 0.25), (["0", "1"], "1", 0.25), (["1", "0"], "1", 0.25), (["1", "1"], "0", 0.25)];
    /// let information = Joint::from_probabilities(xor)?.information();
    /// assert_eq!((information.i1, information.i2), (0.0, 0.0));
    /// assert!((information.i12 - 2.0_f64.ln()).abs() < 1e-15);
    /// # Ok::<(), lsmi_core::discrete::Error>(())
    /// ```
    pub fn information(&self) -> Information {
        Information { i1: self.information_of(1), i2: self.information_of(2), i12: self.information_of(3) }
    }

    /// Returns the terms of every outcome, in the order of the outcomes; their ids are row numbers.
    pub(super) fn terms(&self) -> Terms {
        let marginals = self.marginals();
        let n = self.outcomes.len();
        let surprisals = |set| (0..n).map(|row| marginals.surprisal(set, row)).collect();
        let informations = |set| (0..n).map(|row| marginals.information(set, row)).collect();
        Terms {
            ids: SampleIds::rows(n),
            h1: surprisals(1),
            h2: surprisals(2),
            i1: informations(1),
            i2: informations(2),
            i12: informations(3),
        }
    }
}

/// Returns an error if the target has one state only.
pub(super) fn check_target<const SOURCES: usize>(states: &States<SOURCES>) -> Result<()> {
    match &states.target[..] {
        [state] => Err(Error::ConstantTarget { state: state.clone() }),
        _ => Ok(()),
    }
}
