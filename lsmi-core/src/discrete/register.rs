//! Outcomes collected by the names of their states.
//!
//! States and outcomes get numbers as they come, by hashing; at the end both are sorted by name, so that neither the order
//! of the rows nor that of a hash map shows in what is computed.

use std::collections::HashMap;

use super::outcome::{Outcome, States};

/// Outcomes in the making, each with a value.
pub(super) struct Register<const SOURCES: usize, V> {
    sources: [Interner; SOURCES],
    target: Interner,
    places: HashMap<Outcome<SOURCES>, usize>,
    entries: Vec<(Outcome<SOURCES>, V)>,
}

impl<const SOURCES: usize, V> Register<SOURCES, V> {
    pub(super) fn new() -> Self {
        const { assert!(SOURCES >= 2 && SOURCES <= 4, "there are 2, 3 or 4 sources") };
        Self {
            sources: std::array::from_fn(|_| Interner::default()),
            target: Interner::default(),
            places: HashMap::new(),
            entries: Vec::new(),
        }
    }

    /// Returns the value of an outcome if it is known; otherwise gives it `value` and returns `None`.
    pub(super) fn known_or_insert(&mut self, sources: [&str; SOURCES], target: &str, value: V) -> Option<&mut V> {
        let mut numbers = [0; SOURCES];
        for ((number, interner), name) in numbers.iter_mut().zip(&mut self.sources).zip(sources) {
            *number = interner.number(name);
        }
        let outcome = Outcome { sources: numbers, target: self.target.number(target) };
        if let Some(&place) = self.places.get(&outcome) {
            return Some(&mut self.entries[place].1);
        }
        self.places.insert(outcome, self.entries.len());
        self.entries.push((outcome, value));
        None
    }

    /// Returns the names and the outcomes that `keep` chooses, both sorted. States of outcomes that are left out have
    /// no name.
    pub(super) fn finish(self, keep: impl Fn(&V) -> bool) -> (States<SOURCES>, Vec<(Outcome<SOURCES>, V)>) {
        let mut entries: Vec<_> = self.entries.into_iter().filter(|(_, value)| keep(value)).collect();
        let mut place = 0;
        let sources = self.sources.map(|interner| {
            let names = interner.sorted(entries.iter_mut().map(|(outcome, _)| &mut outcome.sources[place]));
            place += 1;
            names
        });
        let target = self.target.sorted(entries.iter_mut().map(|(outcome, _)| &mut outcome.target));
        entries.sort_unstable_by_key(|(outcome, _)| *outcome);
        (States { sources, target }, entries)
    }
}

/// Numbers for names.
#[derive(Default)]
struct Interner {
    numbers: HashMap<String, u32>,
    names: Vec<String>,
}

impl Interner {
    fn number(&mut self, name: &str) -> u32 {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        #[expect(clippy::cast_possible_truncation, reason = "2^32 names are beyond any memory")]
        let number = self.names.len() as u32;
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }

    /// Returns the names in use, sorted; the numbers in use become places among them.
    fn sorted<'a>(self, numbers: impl Iterator<Item = &'a mut u32>) -> Vec<String> {
        let numbers: Vec<&mut u32> = numbers.collect();
        let mut used = vec![false; self.names.len()];
        for number in &numbers {
            used[**number as usize] = true;
        }
        let mut kept: Vec<(String, usize)> =
            self.names.into_iter().enumerate().filter(|(number, _)| used[*number]).map(|(n, name)| (name, n)).collect();
        kept.sort_unstable();
        let mut place_of = vec![0; used.len()];
        for (place, (_, number)) in (0..).zip(&kept) {
            place_of[*number] = place;
        }
        for number in numbers {
            *number = place_of[*number as usize];
        }
        kept.into_iter().map(|(name, _)| name).collect()
    }
}
