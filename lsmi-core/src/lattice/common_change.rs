//! The common change in surprisal of the sets of an antichain, by `ccs`.

use std::collections::BTreeMap;

use crate::subsets::Subset;

/// The most sets that an antichain may have; their collections are 2 to this power.
pub(super) const MOST_SETS: usize = 8;

/// How the common change in surprisal of some sets is computed, see [`Redundancy`](super::Redundancy).
#[derive(Debug, Clone)]
pub(super) struct CommonChange {
    /// The places of the sets.
    sets: Vec<usize>,
    /// The collections of two sets or more, every one after those within it. The last is of all sets.
    collections: Vec<Collection>,
}

/// A collection of two sets or more.
#[derive(Debug, Clone)]
struct Collection {
    /// Bit k stands for set k.
    members: usize,
    /// The place of the union of its sets.
    union: usize,
    /// The places of the informations that make up the co-information, and how often each is added.
    co_information: Vec<(usize, f64)>,
}

impl CommonChange {
    /// Plans the computation for sets of `modalities` modalities.
    pub(super) fn new(modalities: usize, sets: &[Subset]) -> Self {
        let subsets: Vec<Subset> = Subset::all(modalities).collect();
        let place = |bits: u8| subsets.iter().position(|subset| subset.bits() == bits);
        let union = |members: usize| {
            let chosen = sets.iter().enumerate().filter(|(k, _)| members >> k & 1 == 1);
            chosen.fold(0, |bits, (_, set)| bits | set.bits())
        };
        let collection = |members: usize| {
            let mut counts = BTreeMap::new();
            for within in (1..=members).filter(|within| within & members == *within) {
                let sign = if within.count_ones() % 2 == 1 { 1.0 } else { -1.0 };
                *counts.entry(place(union(within))?).or_insert(0.0) += sign;
            }
            let co_information = counts.into_iter().filter(|(_, count)| *count != 0.0).collect();
            Some(Collection { members, union: place(union(members))?, co_information })
        };
        Self {
            sets: sets.iter().filter_map(|set| place(set.bits())).collect(),
            collections: (1..1_usize << sets.len()).filter(|m| m.count_ones() > 1).filter_map(collection).collect(),
        }
    }

    /// Returns the common change of one sample, in nats, given the informations of all subsets of the modalities.
    #[inline]
    pub(super) fn of_sample(&self, i: &[f64]) -> f64 {
        let all = |agrees: fn(&f64) -> bool| self.sets.iter().all(|&set| agrees(&i[set]));
        let sign = if all(|value| *value > 0.0) {
            1.0
        } else if all(|value| *value < 0.0) {
            -1.0
        } else {
            return 0.0;
        };
        // Most antichains have few sets, and need little room.
        let size = match self.sets.len() {
            1 => return i[self.sets[0]],
            2..=3 => self.in_room::<8>(i, sign),
            4..=6 => self.in_room::<64>(i, sign),
            _ => self.in_room::<{ 1 << MOST_SETS }>(i, sign),
        };
        sign * size
    }

    /// Returns the size of the common change of sets whose informations all have this sign.
    #[inline]
    fn in_room<const ROOM: usize>(&self, i: &[f64], sign: f64) -> f64 {
        let mut sizes = [0.0; ROOM];
        let mut size = 0.0;
        for Collection { members, union, co_information } in &self.collections {
            size = 0.0;
            if sign * i[*union] > 0.0 {
                let common = co_information.iter().fold(0.0, |sum, &(place, count)| sum + count * i[place]);
                size = (sign * common).max(0.0);
                if members.count_ones() > 2 {
                    let without = (0..self.sets.len()).map(|k| 1 << k).filter(|bit| members & bit != 0);
                    size = without.fold(size, |size, bit| size.min(sizes[members ^ bit]));
                }
            }
            sizes[*members] = size;
        }
        size
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;
    use crate::{measure::ccs, random::stream};

    fn plan(modalities: usize, sets: &[&str]) -> CommonChange {
        CommonChange::new(modalities, &sets.iter().map(|set| set.parse().unwrap()).collect::<Vec<_>>())
    }

    #[test]
    fn two_sets_are_two_modalities() {
        let two = plan(2, &["1", "2"]);
        let pairs = plan(3, &["12", "13"]);
        let mut random = stream(0, "common change test");
        for _ in 0..1000 {
            let [one, both, other] = [0; 3].map(|_| random.random_range(-3.0..3.0));
            assert_eq!(two.of_sample(&[one, other, both]), ccs::redundancy(one, other, both));
            let of_pairs = pairs.of_sample(&[0.0, 0.0, 0.0, one, other, 0.0, both]);
            assert_eq!(of_pairs, ccs::redundancy(one, other, both));
        }
    }

    #[test]
    fn three_sets_share_at_most_what_two_of_them_do() {
        let three = plan(3, &["1", "2", "3"]);
        // c = 3 - 4.5 + 2 = 0.5, and each pair has 0.5.
        assert_eq!(three.of_sample(&[1.0, 1.0, 1.0, 1.5, 1.5, 1.5, 2.0]), 0.5);
        assert_eq!(three.of_sample(&[-1.0, -1.0, -1.0, -1.5, -1.5, -1.5, -2.0]), -0.5);
        // c = 1.25, but the modalities 1 and 2 share 0.25.
        assert_eq!(three.of_sample(&[1.0, 1.0, 1.0, 1.75, 1.5, 1.5, 3.0]), 0.25);
        // Parity, with a little noise: c = 0.625 comes of synergy.
        let hundredth = 1.0 / 128.0;
        let mut parity = [hundredth; 7];
        parity[6] = 0.625;
        assert_eq!(three.of_sample(&parity), hundredth);
        // One modality contradicts the others; their union does.
        assert_eq!(three.of_sample(&[1.0, 1.0, -1.0, 1.5, 1.5, 1.5, 2.0]), 0.0);
        assert_eq!(three.of_sample(&[1.0, 1.0, 1.0, 1.5, 1.5, 1.5, -2.0]), 0.0);
        // A pair of its own is synergistic.
        assert_eq!(three.of_sample(&[1.0, 1.0, 1.0, 2.5, 1.5, 1.5, 3.0]), 0.0);
    }

    #[test]
    fn one_set_has_its_own_information() {
        for value in [0.5, 0.0, -0.5] {
            assert_eq!(plan(2, &["12"]).of_sample(&[9.0, 9.0, value]), value);
        }
    }
}
