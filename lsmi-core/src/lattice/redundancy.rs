//! The information that all sets of one antichain share, sample by sample.

use super::{
    Antichain,
    common_change::{CommonChange, MOST_SETS},
};
use crate::{
    error::{Error, Result},
    measure::{Measure, pm, sx},
    subsets::{Subset, SubsetTerms, check_modalities},
};

/// The redundancy of an antichain of sets of modalities under a measure.
///
/// For a sample and an antichain of the sets a, b, ..., with h(a|y) = h(a) - i(a), in nats:
///
/// ```text
/// pm    I = min(h(a), h(b), ...) - min(h(a|y), h(b|y), ...)
/// sx    I = log(p(a|y) + p(b|y) + ...) - log(p(a) + p(b) + ...),   p(a) = exp(-h(a)), p(a|y) = exp(-h(a|y))
/// ccs   c = sum over all collections of k of the sets, k of 1 and more, of (-1)^(k+1) i(union of the collection)
///       I = c   where i of every set, i of the union of all and c are all positive or all negative
///       I = 0   elsewhere
/// ```
///
/// An antichain of one set has I = i, and one of two sets the redundancy of two modalities of this measure
/// ([`crate::measure`]) to the bit.
///
/// # `pm` and `sx`: the units decide
///
/// Finn and Lizier (Entropy 20(4), 297, 2018) and, for densities, Ehrlich, Schick-Poland, Makkeh, Lanfermann, Wollstadt and
/// Wibral (Physical Review E 110, 014115, 2024). Events of discrete variables have p(a) at least p(b) wherever b contains a.
/// Densities do not: that of two modalities has another unit than that of one, and sets of different sizes are compared by
/// what the [gauge](crate::measure::pm) makes of them. Where the surprisal of every single modality is well above every i,
/// as in whitened coordinates of some dimensions, small sets count before large ones, as of discrete variables. Where
/// surprisals are negative, large sets do, and {1}{23} has the information of {23}.
///
/// The sum of densities takes all sets apart: for events, `sx` takes the probability of their union, which is smaller by what
/// they have in common ([`crate::discrete::lattice`]). With densities in enough dimensions nothing is in common.
///
/// # `ccs`: pointwise, and bounded
///
/// Ince (Entropy 19(7), 318, 2017), **without his step of maximum entropy**, as that of two modalities is here. The signs do
/// not suffice for three sets and more: the co-information of three counts what only all three tell as if all three shared
/// it, so that the parity of three bits has c = log 2, and wherever noise makes every i positive, {1}{2}{3} would take all
/// the synergy. **Three sets and more therefore share at most what fewer of them do**: |I| is the lowest of |c| and the |I|
/// of every collection that has one set less. On exact signs the bound takes nothing from copies and all from parity.
///
/// # Measures that do not carry over
///
/// `mmi` and `min` compare means over the data, or over a class, and give a sample the information of the weaker modality. On
/// the lattice every antichain would have a weakest set of its own, and samples would be decomposed by which mean is lower:
/// no statement about a sample. They are refused.
///
/// ```
/// use lsmi_core::{Measure, lattice::Redundancy};
///
/// let shared = Redundancy::new(Measure::Pm, 3, &"{1}{23}".parse()?)?;
/// // h and i of 1, 2, 3, 12, 13, 23 and 123: min(4, 7) - min(4 - 1, 7 - 1.5)
/// let h = [4.0, 4.0, 4.0, 7.0, 7.0, 7.0, 10.0];
/// let i = [1.0, 0.5, 0.5, 1.5, 1.5, 1.5, 2.0];
/// assert_eq!(shared.of_sample(&h, &i), 1.0);
///
/// let error = Redundancy::new(Measure::Mmi, 3, &"{1}{23}".parse()?).unwrap_err();
/// assert_eq!(error.to_string(), "`mmi` is defined for two modalities only; for more use one of pm, sx, ccs");
/// # Ok::<(), lsmi_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Redundancy {
    modalities: usize,
    subsets: Vec<Subset>,
    /// The places of the sets among all subsets of the modalities.
    places: Vec<usize>,
    rule: Rule,
}

/// A measure, prepared.
#[derive(Debug, Clone)]
enum Rule {
    Pm,
    Sx,
    Ccs(CommonChange),
}

impl Redundancy {
    /// Prepares the redundancy of an antichain of sets of `modalities` modalities.
    ///
    /// # Errors
    ///
    /// [`Error::TwoModalitiesOnly`] if the measure is `mmi` or `min`; [`Error::Parameter`] if there are not two to eight
    /// modalities, or the antichain is none of theirs or has more than eight sets.
    pub fn new(measure: Measure, modalities: usize, antichain: &Antichain) -> Result<Self> {
        check_modalities(modalities)?;
        if !antichain.is_valid()
            || antichain.sets.len() > MOST_SETS
            || antichain.subsets().any(|s| !s.is_of(modalities))
        {
            let expected = "one to eight sets of the modalities, none within another";
            return Err(Error::parameter("antichain", expected, antichain));
        }
        let subsets: Vec<Subset> = antichain.subsets().collect();
        let rule = match measure {
            Measure::Pm => Rule::Pm,
            Measure::Sx => Rule::Sx,
            Measure::Ccs => Rule::Ccs(CommonChange::new(modalities, &subsets)),
            Measure::Mmi | Measure::Min => return Err(Error::TwoModalitiesOnly { measure: measure.name() }),
        };
        let all: Vec<Subset> = Subset::all(modalities).collect();
        let places = subsets.iter().filter_map(|subset| all.iter().position(|other| other == subset)).collect();
        Ok(Self { modalities, subsets, places, rule })
    }

    /// Prepares the redundancy of all modalities, {1}{2}...{M}: what every single one of them tells.
    ///
    /// Needs the surprisals of the single modalities, or none for `ccs`.
    ///
    /// # Errors
    ///
    /// As [`Self::new`].
    ///
    /// ```
    /// use lsmi_core::{Measure, SampleIds, Subset, SubsetTerms, lattice::Redundancy};
    ///
    /// // Five modalities with the same half of a nat.
    /// let columns = |value: f64| Subset::all(5).map(move |subset| (subset, vec![value]));
    /// let singles = columns(1.5).filter(|(subset, _)| subset.len() == 1);
    /// let terms = SubsetTerms::new(SampleIds::rows(1), 5, columns(0.5), singles)?;
    /// assert_eq!(Redundancy::of_all(Measure::Pm, 5)?.of(&terms)?, [0.5]);
    /// # Ok::<(), lsmi_core::Error>(())
    /// ```
    pub fn of_all(measure: Measure, modalities: usize) -> Result<Self> {
        check_modalities(modalities)?;
        Self::new(measure, modalities, &Antichain::of_singles(modalities))
    }

    /// Returns whether surprisals of the antichain's sets are needed: for `pm` and `sx`.
    pub fn needs_surprisals(&self) -> bool {
        !matches!(self.rule, Rule::Ccs(_))
    }

    /// Returns the redundancy of one sample, in nats, given h and i of all subsets of the modalities in the order of
    /// [`Subset::all`]; takes nothing from the heap.
    ///
    /// Only h of the antichain's own sets is looked at, and none for `ccs`: what stands in other places has no effect, and
    /// places after the last of the sets may be absent.
    ///
    /// # Panics
    ///
    /// If a value that is needed is absent.
    #[inline]
    pub fn of_sample(&self, surprisals: &[f64], informations: &[f64]) -> f64 {
        match &self.rule {
            Rule::Pm => pm::redundancy_of_sets(&self.places, surprisals, informations),
            Rule::Sx => sx::redundancy_of_sets(&self.places, surprisals, informations),
            Rule::Ccs(common_change) => common_change.of_sample(informations),
        }
    }

    /// Returns the redundancy of every sample, in nats, in the order of the ids.
    ///
    /// # Errors
    ///
    /// [`Error::Modalities`] if the terms are of another number of modalities; [`Error::MissingTerm`] if a set of the
    /// antichain has no surprisals and they are needed.
    pub fn of(&self, terms: &SubsetTerms) -> Result<Vec<f64>> {
        check_same(self.modalities, terms)?;
        let needed = if self.needs_surprisals() { self.subsets.as_slice() } else { &[] };
        let rows = Rows::new(terms, needed)?;
        let (mut surprisals, mut informations) = (rows.room(), rows.room());
        let of_row = |row| {
            rows.copy(row, &mut surprisals, &mut informations);
            self.of_sample(&surprisals, &informations)
        };
        Ok((0..terms.len()).map(of_row).collect())
    }
}

/// Checks that terms are of this number of modalities.
pub(super) fn check_same(expected: usize, terms: &SubsetTerms) -> Result<()> {
    let found = terms.modalities();
    if found == expected { Ok(()) } else { Err(Error::Modalities { expected, found }) }
}

/// Terms that are read sample by sample.
pub(super) struct Rows<'a> {
    informations: Vec<&'a [f64]>,
    /// The places of the surprisals that are needed, and the surprisals.
    surprisals: Vec<(usize, &'a [f64])>,
}

impl<'a> Rows<'a> {
    /// Finds the columns of all informations and of the surprisals of some subsets.
    pub(super) fn new(terms: &'a SubsetTerms, with_surprisals: &[Subset]) -> Result<Self> {
        let is_needed = |(_, subset): &(usize, Subset)| with_surprisals.contains(subset);
        let surprisals = Subset::all(terms.modalities()).enumerate().filter(is_needed);
        Ok(Self {
            informations: terms.informations().map(|(_, column)| column).collect(),
            surprisals: surprisals
                .map(|(place, subset)| Ok((place, terms.required_surprisal(subset)?)))
                .collect::<Result<_>>()?,
        })
    }

    /// Returns room for the values of one sample.
    pub(super) fn room(&self) -> Vec<f64> {
        vec![0.0; self.informations.len()]
    }

    /// Copies the values of one sample.
    #[inline]
    pub(super) fn copy(&self, row: usize, surprisals: &mut [f64], informations: &mut [f64]) {
        for (value, column) in informations.iter_mut().zip(&self.informations) {
            *value = column[row];
        }
        for (place, column) in &self.surprisals {
            surprisals[*place] = column[row];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SampleIds;

    fn terms(modalities: usize, with_surprisals: usize) -> SubsetTerms {
        let columns = || Subset::all(modalities).map(|subset| (subset, vec![subset.len() as f64]));
        let surprisals = columns().filter(|(subset, _)| subset.len() <= with_surprisals);
        SubsetTerms::new(SampleIds::rows(1), modalities, columns(), surprisals).unwrap()
    }

    #[test]
    fn what_is_needed_must_be_given() {
        let node = |measure, name: &str| Redundancy::new(measure, 3, &name.parse().unwrap()).unwrap();
        let error = node(Measure::Pm, "{1}{23}").of(&terms(3, 1)).unwrap_err();
        assert_eq!(error, Error::MissingTerm { term: "h23".to_owned() });
        assert!(node(Measure::Sx, "{1}{2}").of(&terms(3, 1)).is_ok());
        assert!(node(Measure::Ccs, "{1}{23}").of(&terms(3, 0)).is_ok());
        let error = node(Measure::Ccs, "{1}{23}").of(&terms(4, 0)).unwrap_err();
        assert_eq!(error, Error::Modalities { expected: 3, found: 4 });
    }

    #[test]
    fn what_is_no_antichain_is_refused() {
        for sets in [vec![], vec![0], vec![1, 3], vec![2, 2], vec![8]] {
            let error = Redundancy::new(Measure::Pm, 3, &Antichain { sets }).unwrap_err();
            assert!(matches!(error, Error::Parameter { name: "antichain", .. }), "{error}");
        }
        for measure in [Measure::Mmi, Measure::Min] {
            let error = Redundancy::of_all(measure, 3).unwrap_err();
            assert_eq!(error, Error::TwoModalitiesOnly { measure: measure.name() });
        }
        for modalities in [0, 1, 9] {
            assert!(Redundancy::of_all(Measure::Pm, modalities).is_err());
        }
        assert!(Redundancy::of_all(Measure::Ccs, 8).is_ok());
    }
}
