//! The manifest of a job that was begun: what the job is, and how much of it is finished.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use lsmi_candle::samples::Sums;

/// Version of the manifest's layout.
pub(crate) const SCHEMA: u32 = 2;

/// All of the manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// Version of this layout.
    pub(crate) schema: u32,
    /// What the job is: everything that changes its output, by name.
    pub(crate) job: Job,
    /// How much of it is finished.
    pub(crate) finished: Finished,
}

/// What a job is: everything that changes its output, by name, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Job(BTreeMap<String, String>);

/// How much of a job is finished.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Finished {
    /// Groups of rows, from the first on.
    pub(crate) groups: usize,
    /// Bytes of the partial file that they take.
    pub(crate) bytes: u64,
    /// Sums over their rows, by split, in the order of the splits.
    pub(crate) sums: Vec<(String, Sums)>,
}

impl Job {
    pub(crate) fn new<const N: usize>(facts: [(&str, String); N]) -> Self {
        Self(facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// The job with a further fact.
    pub(crate) fn with(mut self, name: String, value: String) -> Self {
        self.0.insert(name, value);
        self
    }

    /// What differs from this job in another one, in words; nothing where they are one.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let nothing = || "nothing".to_owned();
        let names: std::collections::BTreeSet<&String> = self.0.keys().chain(other.0.keys()).collect();
        let different = names.into_iter().filter(|name| self.0.get(*name) != other.0.get(*name));
        let in_words = |name: &String| {
            let [here, there] = [self, other].map(|job| job.0.get(name).cloned().unwrap_or_else(nothing));
            format!("{name} is {here}, but was {there}")
        };
        different.map(in_words).collect()
    }
}

impl Finished {
    /// Adds a group of so many bytes.
    pub(crate) fn add(&mut self, bytes: u64, split: &str, sums: &Sums) {
        self.groups += 1;
        self.bytes += bytes;
        match self.sums.last_mut().filter(|(name, _)| name == split) {
            Some((_, all)) => all.add(sums),
            None => self.sums.push((split.to_owned(), sums.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_told() {
        let job = |shard: &str| Job::new([("shard", shard.to_owned()), ("format", "csv".to_owned())]);
        assert!(job("1/2").differences(&job("1/2")).is_empty());
        assert_eq!(job("2/2").differences(&job("1/2")), ["shard is 2/2, but was 1/2"]);
        assert_eq!(Job::new([("a", "1".to_owned())]).differences(&Job::new([])), ["a is 1, but was nothing"]);
    }

    #[test]
    fn sums_are_kept_by_split() {
        let one = Sums { n: 2, values: vec![0.5], ..Sums::default() };
        let mut finished = Finished::default();
        for split in ["val", "val", "test"] {
            finished.add(10, split, &one);
        }
        assert_eq!((finished.groups, finished.bytes), (3, 30));
        let found: Vec<_> = finished.sums.iter().map(|(name, sums)| (name.as_str(), sums.n, sums.values[0])).collect();
        assert_eq!(found, [("val", 4, 1.0), ("test", 2, 0.5)]);
        let text = serde_json::to_string(&finished).unwrap();
        assert_eq!(serde_json::from_str::<Finished>(&text).unwrap(), finished);
    }
}
