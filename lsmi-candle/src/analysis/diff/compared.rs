//! `diff.json` and `differences.csv`: what `lsmi diff` finds out about two analyses, the second less the first, in nats.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;

use lsmi_core::random::stream;
use lsmi_core::statistics::{Bootstrap, Interval, mean, pearson};
use lsmi_core::{Interaction, Kind};
use serde::Serialize;

use super::comparable::warnings;
use super::fits;
use super::join::{Joined, join};
use super::side::{QUANTITIES, Side};
use crate::analysis::ordered_map::as_map;
use crate::analysis::summary::{Distribution, Quantities};

/// Version of the layout of `diff.json`.
const SCHEMA: u32 = 1;
/// How many samples are named for each interaction.
pub const LISTED: usize = 5;

/// All of `diff.json`.
#[derive(Debug, Clone, Serialize)]
pub struct Diff {
    /// Version of this layout.
    pub schema: u32,
    /// Version of the program.
    pub version: &'static str,
    /// Always `nats`.
    pub units: &'static str,
    /// Seed of the intervals.
    pub seed: u64,
    /// The first analysis.
    pub first: SideSummary,
    /// The second.
    pub second: SideSummary,
    /// Samples that are in both and were compared one by one; 0 where two sets of samples are compared.
    pub shared: usize,
    /// The level of the intervals.
    pub level: f64,
    /// Means over the shared samples or else over all of each, and how they differ.
    pub means: Quantities<TwoMeans>,
    /// Pearson's correlation of both values of the shared samples; null where one side does not vary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation: Option<Quantities<Option<f64>>>,
    /// The spread of the differences of the shared samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distribution_of_differences: Option<Quantities<Distribution>>,
    /// The spread of the samples that means are over, first and second.
    pub distribution: [Quantities<Distribution>; 2],
    /// The same means for every class that both have samples of, by its name.
    #[serde(serialize_with = "as_map")]
    pub by_class: Vec<(String, ClassDifference)>,
    /// Classes that only one has samples of.
    pub classes_in_one: Vec<String>,
    /// The kinds of the samples, where they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kinds: Option<Kinds>,
    /// The shared samples of which an interaction differs most, by its name.
    #[serde(serialize_with = "as_map")]
    pub largest: Vec<(Interaction, Vec<Change>)>,
    /// What stands against a comparison, and how samples were joined, in sentences.
    pub warnings: Vec<String>,
}

/// What was compared.
#[derive(Debug, Clone, Serialize)]
pub struct SideSummary {
    /// The file of samples.
    pub file: String,
    /// The split; null where the file names none.
    pub split: Option<String>,
    /// Its samples.
    pub n: usize,
}

/// Two means, and the second less the first.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct TwoMeans {
    /// The mean of the first.
    pub first: f64,
    /// The mean of the second.
    pub second: f64,
    /// Their difference: of pairs where samples are shared, else of two samples.
    pub difference: Interval,
    /// Whether the difference is more than samples and fits vary, where all means over all samples, or of all classes, are
    /// looked at together; none where it is not known what other fits would do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub differs: Option<bool>,
}

impl TwoMeans {
    /// Whether the means differ by more than samples and fits vary.
    pub fn is_clear(&self) -> bool {
        self.differs == Some(true)
    }
}

/// The samples of a class.
#[derive(Debug, Clone, Serialize)]
pub struct ClassDifference {
    /// How many samples the first mean is over.
    pub n_first: usize,
    /// How many the second is over.
    pub n_second: usize,
    /// The means.
    #[serde(flatten)]
    pub means: Quantities<TwoMeans>,
}

/// How many samples are of which kind.
#[derive(Debug, Clone, Serialize)]
pub struct Kinds {
    /// Samples of each kind in the first.
    #[serde(serialize_with = "as_map")]
    pub first: Vec<(Kind, usize)>,
    /// Samples of each kind in the second.
    #[serde(serialize_with = "as_map")]
    pub second: Vec<(Kind, usize)>,
    /// Shared samples that are of another kind in the second; null where none is shared.
    pub changed: Option<usize>,
    /// Shared samples by kind in the first, and for each by kind in the second; empty where none is shared.
    #[serde(serialize_with = "as_map")]
    pub from_to: Vec<(Kind, BTreeMap<&'static str, usize>)>,
}

/// One interaction of a sample in both.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The id of the sample.
    pub id: String,
    /// The name of its class.
    pub label: String,
    /// Its value in the first.
    pub first: f64,
    /// Its value in the second.
    pub second: f64,
    /// The second less the first.
    pub difference: f64,
}

/// Two analyses whose samples are joined.
pub struct Compared<'a> {
    first: &'a Side,
    second: &'a Side,
    /// The shared samples; None where two sets are compared.
    pairs: Option<Vec<(usize, usize)>>,
    why_apart: Option<String>,
}

impl<'a> Compared<'a> {
    /// Joins the samples of two analyses.
    pub fn new(first: &'a Side, second: &'a Side) -> Self {
        let (pairs, why_apart) = match join(first, second) {
            Joined::Paired(pairs) => (Some(pairs), None),
            Joined::Apart(why) => (None, why),
        };
        Self { first, second, pairs, why_apart }
    }

    /// The rows of the first and of the second that are compared: of pairs, in the order of the pairs.
    pub fn rows(&self) -> [Vec<usize>; 2] {
        match &self.pairs {
            Some(pairs) => [pairs.iter().map(|pair| pair.0).collect(), pairs.iter().map(|pair| pair.1).collect()],
            None => [(0..self.first.len()).collect(), (0..self.second.len()).collect()],
        }
    }

    /// All there is to say.
    ///
    /// # Errors
    /// None but those of values that are not finite, which were refused when they were read.
    pub fn diff(&self, seed: u64) -> lsmi_core::Result<Diff> {
        let rows = self.rows();
        let columns = self.columns(&rows);
        let of_sides =
            |of: fn(&[f64]) -> Distribution| columns.each_ref().map(|side| side.each_ref().map(|v| of(v)).into());
        let (by_class, classes_in_one) = self.by_class(&rows, seed)?;
        let paired = |of: &dyn Fn(usize) -> Option<f64>| self.pairs.is_some().then(|| std::array::from_fn(of).into());
        Ok(Diff {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            units: "nats",
            seed,
            first: self.first.into(),
            second: self.second.into(),
            shared: self.pairs.as_ref().map_or(0, Vec::len),
            level: Bootstrap::default().level,
            means: self.differences(&columns, seed, None, 1)?,
            correlation: paired(&|column| pearson(&columns[0][column], &columns[1][column])),
            distribution_of_differences: self
                .pairs
                .is_some()
                .then(|| differences(&columns).each_ref().map(|values| Distribution::new(values)).into()),
            distribution: of_sides(Distribution::new),
            by_class,
            classes_in_one,
            kinds: self.kinds(&rows),
            largest: self.largest(),
            warnings: (self.why_apart.clone().into_iter())
                .chain(warnings(self.first, self.second))
                .chain(fits::warning(self.first, self.second))
                .chain([self.first, self.second].into_iter().filter_map(left_out))
                .collect(),
        })
    }

    /// The seven columns of both, in these rows.
    pub fn columns(&self, rows: &[Vec<usize>; 2]) -> [[Vec<f64>; 7]; 2] {
        let of = |side: &Side, rows: &[usize]| {
            side.values.each_ref().map(|values| rows.iter().map(|row| values[*row]).collect())
        };
        [of(self.first, &rows[0]), of(self.second, &rows[1])]
    }

    /// Means and their differences, of all samples or those of a class, which names the draws; they are looked at together with
    /// those of so many groups of samples.
    fn differences(
        &self,
        columns: &[[Vec<f64>; 7]; 2],
        seed: u64,
        class: Option<&str>,
        groups: usize,
    ) -> lsmi_core::Result<Quantities<TwoMeans>> {
        let of = class.map_or_else(|| "samples".to_owned(), |class| format!("class {class}"));
        let known = fits::variances(self.first, self.second, class);
        let of_fits = known.unwrap_or([0.0; 7]);
        let mut random = stream(seed, &format!("bootstrap of differences of {of}"));
        let bootstrap = Bootstrap::default();
        let intervals = if self.pairs.is_some() {
            bootstrap.intervals_with(&differences(columns).each_ref().map(Vec::as_slice), &of_fits, &mut random)?
        } else {
            let [first, second] = columns.each_ref().map(|side| side.each_ref().map(Vec::as_slice));
            bootstrap.differences_with(&first, &second, &of_fits, &mut random)?
        };
        let difference = |column: usize| TwoMeans {
            first: mean(&columns[0][column]),
            second: mean(&columns[1][column]),
            difference: intervals[column],
            differs: known.map(|_| fits::differs(&intervals[column], groups * QUANTITIES.len())),
        };
        Ok(std::array::from_fn(difference).into())
    }

    /// Every class that both have samples of, and the names of the others.
    #[expect(clippy::type_complexity, reason = "a pair of what its fields are")]
    fn by_class(
        &self,
        rows: &[Vec<usize>; 2],
        seed: u64,
    ) -> lsmi_core::Result<(Vec<(String, ClassDifference)>, Vec<String>)> {
        let mut of_classes: BTreeMap<&str, [Vec<usize>; 2]> = BTreeMap::new();
        for (place, (side, rows)) in [self.first, self.second].into_iter().zip(rows).enumerate() {
            for row in rows {
                of_classes.entry(&side.labels[*row]).or_default()[place].push(*row);
            }
        }
        // Without labels there are no classes.
        of_classes.remove("");
        let groups = of_classes.values().filter(|rows| rows.iter().all(|rows| !rows.is_empty())).count();
        let (mut both, mut one) = (Vec::new(), Vec::new());
        for (class, rows) in of_classes {
            let [n_first, n_second] = rows.each_ref().map(Vec::len);
            if n_first == 0 || n_second == 0 {
                one.push(class.to_owned());
                continue;
            }
            let means = self.differences(&self.columns(&rows), seed, Some(class), groups)?;
            both.push((class.to_owned(), ClassDifference { n_first, n_second, means }));
        }
        Ok((both, one))
    }

    fn kinds(&self, rows: &[Vec<usize>; 2]) -> Option<Kinds> {
        let (first, second) = (self.first.kinds.as_ref()?, self.second.kinds.as_ref()?);
        let count = |kinds: &[Kind], rows: &[usize]| {
            let of = |kind| rows.iter().filter(|row| kinds[**row] == kind).count();
            Kind::ALL.into_iter().map(|kind| (kind, of(kind))).collect()
        };
        let pairs = self.pairs.as_deref();
        let between = |from: Kind, to: Kind| {
            pairs.unwrap_or_default().iter().filter(|(a, b)| first[*a] == from && second[*b] == to).count()
        };
        let to_all = |from: Kind| Kind::ALL.into_iter().map(|to| (to.name(), between(from, to))).collect();
        let from_all = Kind::ALL.into_iter().map(|from| (from, to_all(from)));
        Some(Kinds {
            first: count(first, &rows[0]),
            second: count(second, &rows[1]),
            changed: pairs.map(|pairs| pairs.iter().filter(|(a, b)| first[*a] != second[*b]).count()),
            from_to: if pairs.is_some() { from_all.collect() } else { Vec::new() },
        })
    }

    /// Of every interaction the shared samples that differ most, the largest difference first.
    fn largest(&self) -> Vec<(Interaction, Vec<Change>)> {
        let Some(pairs) = &self.pairs else { return Vec::new() };
        let of = |interaction: Interaction| {
            // The parts are the last four of the seven columns.
            let column = 3 + interaction as usize;
            let difference = |(a, b): &(usize, usize)| self.second.values[column][*b] - self.first.values[column][*a];
            let mut order: Vec<&(usize, usize)> = pairs.iter().collect();
            order.sort_by(|a, b| difference(b).abs().total_cmp(&difference(a).abs()));
            let change = |pair: &(usize, usize)| Change {
                id: self.first.ids[pair.0].clone(),
                label: self.first.labels[pair.0].clone(),
                first: self.first.values[column][pair.0],
                second: self.second.values[column][pair.1],
                difference: difference(pair),
            };
            (interaction, order.into_iter().take(LISTED).map(change).collect())
        };
        Interaction::ALL.map(of).into()
    }

    /// Whether there are samples to write one by one.
    pub fn is_paired(&self) -> bool {
        self.pairs.is_some()
    }

    /// The first and the second.
    pub fn sides(&self) -> [&'a Side; 2] {
        [self.first, self.second]
    }

    /// The rows of every shared sample in the first and in the second, in the order of the first.
    pub fn pairs(&self) -> Option<&[(usize, usize)]> {
        self.pairs.as_deref()
    }

    /// Of every shared sample whether it is of another kind in the second, where kinds are known.
    pub fn has_changed_kind(&self) -> Option<Vec<bool>> {
        let (first, second) = (self.first.kinds.as_ref()?, self.second.kinds.as_ref()?);
        Some(self.pairs.as_ref()?.iter().map(|(a, b)| first[*a] != second[*b]).collect())
    }

    /// Writes `differences.csv`: of every shared sample the seven differences, and both kinds.
    ///
    /// # Errors
    /// What the output or the format gives.
    pub fn write_differences(&self, output: &mut impl Write) -> Result<(), Box<dyn Error + Send + Sync>> {
        let mut writer = csv::Writer::from_writer(output);
        writer.write_record(["id", "label"].into_iter().chain(QUANTITIES).chain(["kind_first", "kind_second"]))?;
        let kind = |side: &Side, row: usize| side.kinds.as_ref().map_or("", |kinds| kinds[row].name());
        for &(a, b) in self.pairs.as_deref().unwrap_or_default() {
            let values: [f64; 7] =
                std::array::from_fn(|column| self.second.values[column][b] - self.first.values[column][a]);
            let kinds = [kind(self.first, a), kind(self.second, b)];
            writer.serialize((&self.first.ids[a], &self.first.labels[a], values, kinds))?;
        }
        Ok(writer.flush()?)
    }
}

/// The second columns less the first, row by row.
fn differences([first, second]: &[[Vec<f64>; 7]; 2]) -> [Vec<f64>; 7] {
    std::array::from_fn(|column| {
        second[column].iter().zip(&first[column]).map(|(second, first)| second - first).collect()
    })
}

/// Tells how many samples of a side lack a modality, if there are any.
fn left_out(Side { file, left_out, .. }: &Side) -> Option<String> {
    (*left_out > 0).then(|| format!("{file}: {left_out} samples lack a modality and are left out"))
}

impl From<&Side> for SideSummary {
    fn from(side: &Side) -> Self {
        let split = Some(side.split.clone()).filter(|split| !split.is_empty());
        Self { file: side.file.clone(), split, n: side.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples with ids from `start` on, of the classes `a` and `b` in turn, of which r is the id and s ten times that.
    fn side(start: usize, n: usize, kind: Kind) -> Side {
        let ids = start..start + n;
        let times = |factor: f64| ids.clone().map(|id| factor * id as f64).collect::<Vec<_>>();
        Side {
            ids: ids.clone().map(|id| id.to_string()).collect(),
            labels: ids.clone().map(|id| if id % 2 == 0 { "a" } else { "b" }.to_owned()).collect(),
            kinds: Some(vec![kind; n]),
            values: [times(0.0), times(0.0), times(0.0), times(1.0), times(0.0), times(0.0), times(10.0)],
            ..Side::default()
        }
    }

    #[test]
    fn shared_samples_are_compared_one_by_one() {
        let (first, mut second) = (side(0, 6, Kind::None), side(2, 6, Kind::Redundant));
        second.values[3].iter_mut().for_each(|value| *value += 0.5);
        second.values[6][1] -= 9.0;
        let compared = Compared::new(&first, &second);
        let diff = compared.diff(0).unwrap();
        assert_eq!((diff.shared, diff.first.n, diff.by_class.len()), (4, 6, 2));
        let TwoMeans { first, second, difference, .. } = diff.means.parts.r;
        assert_eq!((first, second), (3.5, 4.0));
        // All differ by the same, which leaves nothing to chance.
        assert_eq!((difference.mean, difference.lower, difference.upper), (0.5, 0.5, 0.5));
        assert!((diff.correlation.unwrap().parts.r.unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(diff.correlation.unwrap().information.i1, None);
        assert_eq!((diff.by_class[0].0.as_str(), diff.by_class[0].1.n_first), ("a", 2));
        let kinds = diff.kinds.unwrap();
        assert_eq!(kinds.changed, Some(4));
        assert_eq!(kinds.from_to[4].1["redundant"], 4);
        let (interaction, largest) = &diff.largest[3];
        assert_eq!((*interaction, largest.len()), (Interaction::Synergy, 4));
        let change = Change { id: "3".into(), label: "b".into(), first: 30.0, second: 21.0, difference: -9.0 };
        assert_eq!(largest[0], change);

        let mut bytes = Vec::new();
        compared.write_differences(&mut bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text.lines().next(), Some("id,label,i1,i2,i12,r,u1,u2,s,kind_first,kind_second"));
        assert_eq!(text.lines().nth(2), Some("3,b,0.0,0.0,0.0,0.5,0.0,0.0,-9.0,none,redundant"));
    }

    #[test]
    fn two_sets_of_samples_are_compared_as_such() {
        let (first, second) = (side(0, 40, Kind::None), side(100, 60, Kind::None));
        let diff = Compared::new(&first, &second).diff(0).unwrap();
        assert_eq!((diff.shared, diff.largest.len()), (0, 0));
        assert!(diff.correlation.is_none() && diff.distribution_of_differences.is_none());
        let TwoMeans { first, second, difference, .. } = diff.means.parts.r;
        assert_eq!((first, second, difference.mean), (19.5, 129.5, 110.0));
        // Means of 40 values of deviation 11.7 and of 60 of deviation 17.5: a standard error of 2.92.
        assert!((difference.standard_error.unwrap() - 2.92).abs() < 0.01, "{difference:?}");
        assert!(difference.lower > 103.0 && difference.upper < 117.0);
        assert_eq!(diff.kinds.unwrap().changed, None);
        assert_eq!((diff.by_class[1].1.n_first, diff.by_class[1].1.n_second), (20, 30));
    }

    #[test]
    fn classes_of_one_are_named() {
        let (first, mut second) = (side(0, 4, Kind::None), side(10, 4, Kind::None));
        second.labels.iter_mut().for_each(|label| *label = label.replace('b', "c"));
        let diff = Compared::new(&first, &second).diff(0).unwrap();
        assert_eq!((diff.by_class.len(), diff.classes_in_one), (1, vec!["b".to_owned(), "c".to_owned()]));
    }
}
