//! The nodes of the lattice, their order and the inversion.

use std::{cmp::Reverse, fmt, str::FromStr};

use crate::{
    error::{Error, Result},
    subsets::Subset,
};

/// Returns the set of all sources.
pub(crate) const fn all_sources<const SOURCES: usize>() -> usize {
    (1 << SOURCES) - 1
}

/// Sets of sources none of which contains another; written as in `{1}{23}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Antichain {
    /// The sets, smaller ones first; bit k of a set stands for source k + 1.
    pub sets: Vec<u8>,
}

impl Antichain {
    /// Creates an antichain of sets in any order.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if there is no set, or one contains another or comes twice.
    ///
    /// ```
    /// use lsmi_core::{Subset, lattice::Antichain};
    ///
    /// let antichain = Antichain::new(["23".parse()?, "1".parse()?])?;
    /// assert_eq!(antichain.to_string(), "{1}{23}");
    /// assert_eq!("{1}{23}".parse::<Antichain>()?, antichain);
    /// assert!("{1}{12}".parse::<Antichain>().is_err());
    /// # Ok::<(), lsmi_core::Error>(())
    /// ```
    pub fn new(sets: impl IntoIterator<Item = Subset>) -> Result<Self> {
        let mut sets: Vec<u8> = sets.into_iter().map(Subset::bits).collect();
        sets.sort_by_key(|set| (set.count_ones(), *set));
        let antichain = Self { sets };
        if antichain.is_valid() {
            Ok(antichain)
        } else {
            let expected = "one set or more, none of which contains another";
            Err(Error::parameter("antichain", expected, &antichain))
        }
    }

    /// Returns the antichain of the single modalities, `{1}{2}` and so on: what all of them share.
    ///
    /// # Panics
    ///
    /// If `modalities` is 0 or above [`Subset::MOST_MODALITIES`].
    pub fn of_singles(modalities: usize) -> Self {
        Self { sets: Subset::all(modalities).filter(|subset| subset.len() == 1).map(Subset::bits).collect() }
    }

    /// Iterates over its sets, smaller ones first.
    pub fn subsets(&self) -> impl Iterator<Item = Subset> {
        self.sets.iter().filter_map(|&bits| Subset::from_bits(bits))
    }

    /// Returns whether there are sets, none is empty and none contains another.
    pub(super) fn is_valid(&self) -> bool {
        let apart = |place: usize, a: u8| self.sets.iter().enumerate().all(|(b, set)| b == place || a & set != a);
        !self.sets.is_empty() && self.sets.iter().enumerate().all(|(place, &set)| set != 0 && apart(place, set))
    }
}

impl FromStr for Antichain {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let unknown = || Error::UnknownName {
            kind: "node of the lattice",
            found: name.to_owned(),
            expected: "{1}{2}, {1}{23}, {123} and the like: sets in braces, none within another".to_owned(),
        };
        let inner = name.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).ok_or_else(unknown)?;
        let sets = inner.split("}{").map(str::parse).collect::<Result<Vec<_>>>().map_err(|_| unknown())?;
        Self::new(sets).map_err(|_| unknown())
    }
}

impl fmt::Display for Antichain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = |set: &u8| {
            let members = (0..8).filter(|k| set >> k & 1 == 1).map(|k| (k + 1).to_string());
            format!("{{{}}}", members.collect::<String>())
        };
        formatter.pad(&self.sets.iter().map(set).collect::<String>())
    }
}

/// The redundancy lattice of `SOURCES` sources, from the bottom to the top: every node comes after all below it.
#[derive(Debug, Clone)]
pub struct Lattice<const SOURCES: usize> {
    nodes: Vec<Node>,
}

/// A node and how its atom follows.
#[derive(Debug, Clone)]
struct Node {
    antichain: Antichain,
    /// The sets of sources that contain a set of the antichain: bit k for set k.
    up_set: u16,
    /// The nodes whose redundancies make up the atom, with their signs.
    terms: Vec<(usize, f64)>,
}

impl<const SOURCES: usize> Default for Lattice<SOURCES> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const SOURCES: usize> Lattice<SOURCES> {
    /// Returns the lattice.
    ///
    /// ```
    /// use lsmi_core::lattice::Lattice;
    ///
    /// let names = |lattice: Lattice<2>| lattice.antichains().map(ToString::to_string).collect::<Vec<_>>();
    /// assert_eq!(names(Lattice::new()), ["{1}{2}", "{1}", "{2}", "{12}"]);
    /// assert_eq!((Lattice::<3>::new().len(), Lattice::<4>::new().len()), (18, 166));
    /// ```
    pub fn new() -> Self {
        const { assert!(SOURCES >= 2 && SOURCES <= 4, "there are 2, 3 or 4 sources") };
        let sets = 1..=all_sources::<SOURCES>();
        // Every collection of sets as the bits of a number, less the empty one; the antichains among them.
        let mut antichains: Vec<(Vec<u8>, u16)> = (1_u32..1 << all_sources::<SOURCES>())
            .map(|collection| sets.clone().filter(|set| collection >> (set - 1) & 1 == 1).collect::<Vec<_>>())
            .filter(|members| members.iter().all(|a| members.iter().all(|b| a == b || a & b != *a)))
            .map(|members| {
                let above = |set: &usize| members.iter().any(|member| member & set == *member);
                let up_set = sets.clone().filter(above).fold(0, |bits, set| bits | 1 << set);
                #[expect(clippy::cast_possible_truncation, reason = "a set of at most four sources")]
                let mut antichain: Vec<u8> = members.into_iter().map(|set| set as u8).collect();
                antichain.sort_by_key(|set| (set.count_ones(), *set));
                (antichain, up_set)
            })
            .collect();
        antichains.sort_by_cached_key(|(sets, up_set)| (Reverse(up_set.count_ones()), sets.clone()));
        let place_of = |up_set: u16| antichains.iter().position(|(_, other)| *other == up_set);
        let terms = |up_set: u16| {
            let missing = |set: usize| up_set >> set & 1 == 0;
            let is_largest = |set: &usize| {
                missing(*set) && sets.clone().all(|other| other == *set || other & set != *set || !missing(other))
            };
            let largest: Vec<usize> = sets.clone().filter(is_largest).collect();
            (0_u32..1 << largest.len())
                .filter_map(|chosen| {
                    let added = largest.iter().enumerate().filter(|(k, _)| chosen >> k & 1 == 1);
                    let below = added.fold(up_set, |bits, (_, set)| bits | 1 << set);
                    let sign = if chosen.count_ones() % 2 == 0 { 1.0 } else { -1.0 };
                    place_of(below).map(|place| (place, sign))
                })
                .collect()
        };
        let nodes = antichains
            .iter()
            .map(|(sets, up_set)| Node {
                antichain: Antichain { sets: sets.clone() },
                up_set: *up_set,
                terms: terms(*up_set),
            })
            .collect();
        Self { nodes }
    }

    /// Returns the number of nodes.
    #[expect(clippy::len_without_is_empty, reason = "a lattice is never empty")]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Returns the nodes, from the bottom to the top.
    pub fn antichains(&self) -> impl Iterator<Item = &Antichain> {
        self.nodes.iter().map(|node| &node.antichain)
    }

    /// Returns the place of a node among [`Self::antichains`]; None if it is no node of this lattice.
    ///
    /// ```
    /// use lsmi_core::lattice::Lattice;
    ///
    /// let lattice = Lattice::<3>::new();
    /// assert_eq!(lattice.place_of(&"{1}{2}{3}".parse()?), Some(0));
    /// assert_eq!(lattice.place_of(&"{123}".parse()?), Some(17));
    /// assert_eq!(lattice.place_of(&"{4}".parse()?), None);
    /// # Ok::<(), lsmi_core::Error>(())
    /// ```
    pub fn place_of(&self, antichain: &Antichain) -> Option<usize> {
        self.nodes.iter().position(|node| node.antichain == *antichain)
    }

    /// Returns whether node `a` is node `b` or below it.
    ///
    /// # Panics
    ///
    /// If there is no such node.
    pub fn is_at_most(&self, a: usize, b: usize) -> bool {
        self.nodes[a].up_set & self.nodes[b].up_set == self.nodes[b].up_set
    }

    /// Returns the sets of sources that contain a set of each node's antichain, as bits of a number.
    pub(crate) fn up_sets(&self) -> impl Iterator<Item = u16> {
        self.nodes.iter().map(|node| node.up_set)
    }

    /// Returns the atoms that the redundancies of all nodes consist of, see the [module](super).
    ///
    /// # Panics
    ///
    /// If there is not one redundancy a node.
    pub fn invert(&self, redundancies: &[f64]) -> Vec<f64> {
        let mut atoms = vec![0.0; self.len()];
        self.invert_into(redundancies, &mut atoms);
        atoms
    }

    /// Does the same as [`Self::invert`] in memory of the caller; takes nothing from the heap.
    ///
    /// # Panics
    ///
    /// If there is not one redundancy a node.
    pub fn invert_into(&self, redundancies: &[f64], atoms: &mut [f64]) {
        for (atom, node) in atoms.iter_mut().zip(&self.nodes) {
            *atom = node.terms.iter().map(|(place, sign)| sign * redundancies[*place]).sum();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition itself: what is left of I(a) when all atoms below are taken away.
    fn by_definition<const SOURCES: usize>(lattice: &Lattice<SOURCES>, redundancies: &[f64]) -> Vec<f64> {
        let mut atoms = Vec::new();
        for (node, redundancy) in redundancies.iter().enumerate() {
            let below: f64 = (0..node).filter(|&other| lattice.is_at_most(other, node)).map(|other| atoms[other]).sum();
            atoms.push(redundancy - below);
        }
        atoms
    }

    fn check<const SOURCES: usize>(nodes: usize) {
        let lattice = Lattice::<SOURCES>::new();
        assert_eq!(lattice.len(), nodes);
        for a in 0..nodes {
            assert!(lattice.is_at_most(0, a) && lattice.is_at_most(a, nodes - 1));
            for b in 0..a {
                assert!(!lattice.is_at_most(a, b), "a node stands before one below it");
            }
        }
        // Powers of the golden ratio are in no simple relation.
        let redundancies: Vec<f64> = (0..nodes).map(|node| (node as f64 * 0.618_033_988_75).fract()).collect();
        for (found, expected) in lattice.invert(&redundancies).iter().zip(by_definition(&lattice, &redundancies)) {
            assert!((found - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn the_inversion_is_that_of_the_definition() {
        check::<2>(4);
        check::<3>(18);
        check::<4>(166);
    }

    #[test]
    fn antichains_are_ordered_as_by_williams_and_beer() {
        let lattice = Lattice::<3>::new();
        let place = |name: &str| lattice.antichains().position(|antichain| antichain.to_string() == name).unwrap();
        assert_eq!((place("{1}{2}{3}"), place("{123}")), (0, 17));
        for (below, above) in
            [("{1}{23}", "{1}"), ("{1}{23}", "{12}{23}"), ("{12}{13}{23}", "{12}{13}"), ("{1}", "{12}{13}")]
        {
            assert!(lattice.is_at_most(place(below), place(above)), "{below} {above}");
        }
        assert!(!lattice.is_at_most(place("{1}"), place("{2}")) && !lattice.is_at_most(place("{1}"), place("{23}")));
    }
}
