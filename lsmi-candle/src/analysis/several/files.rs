//! The files of an analysis of several modalities.
//!
//! A file of samples has for every sample, in input order and nats: `id`, `split`, `fold`, `label`, the surprisals `h1`,
//! ... of the sets of modalities with a density, the informations `i1`, ... and the predicted classes `pred1`, ... of those
//! with a head; the atoms of the lattice by their names, `redundancy` of all modalities, `shapley1`, ... and
//! `interaction12`, ... where there are any; of each pair `r_12`, `u1_12`, `u2_12` and `s_12`, where `u3_13` is what x3 tells
//! alone beside x1; the same by further measures under names that end in the measure's, as in `{1}{2}_ccs`; and the further
//! columns of the input.

use std::collections::BTreeSet;
use std::error::Error;
use std::io::Write;
use std::path::Path;

use lsmi_core::lattice::LatticeColumns;
use lsmi_core::{Decomposition, Interaction, Measure, Subset};

use super::summary::node_name;
use super::{SeveralAnalysis, SeveralSplit};
use crate::analysis::files::{ESTIMATOR, SUMMARY, WriteError, write_files};
use crate::features::MetadataColumn;
use crate::samples::table::{Column, SampleTable};
use crate::samples::{ExtraColumns, Format};

fn numbers(name: String, values: &[f64]) -> (String, Column) {
    (name, Column::Numbers(values.to_vec()))
}

/// The columns of what modalities share, under names with an ending.
fn shared(lattice: Option<&LatticeColumns>, redundancy: Option<&Vec<f64>>, ending: &str) -> Vec<(String, Column)> {
    let atoms = lattice.into_iter().flat_map(|lattice| lattice.nodes.iter().zip(&lattice.atoms));
    let atoms = atoms.map(|(node, values)| numbers(format!("{}{ending}", node_name(node)), values));
    let redundancy = redundancy.into_iter().map(|values| numbers(format!("redundancy{ending}"), values));
    atoms.chain(redundancy).collect()
}

/// The columns of the decomposition of a pair, under names with an ending.
fn parts(pair: Subset, of: &Decomposition, ending: &str) -> Vec<(String, Column)> {
    let member = |place: usize| pair.members().nth(place).map_or(0, |member| member + 1);
    let names = ["r".to_owned(), format!("u{}", member(0)), format!("u{}", member(1)), "s".to_owned()];
    let values = Interaction::ALL.map(|part| of.values(part));
    names.iter().zip(values).map(|(name, values)| numbers(format!("{name}_{pair}{ending}"), values)).collect()
}

impl SeveralAnalysis {
    /// Returns the samples of all splits as a table of columns.
    pub fn samples(&self) -> SampleTable {
        let mut table = SampleTable::default();
        for split in &self.splits {
            for (name, column) in self.columns(split) {
                table.extend(&name, column);
            }
        }
        let taken: BTreeSet<String> = table.names().map(str::to_owned).collect();
        let metadata = || self.splits.iter().flat_map(|split| &split.metadata);
        let kinds = metadata().map(|column: &MetadataColumn| (column.name.as_str(), column.values.kind()));
        let extra = ExtraColumns::beside(&taken, kinds);
        for split in &self.splits {
            let values = extra.values_of(&split.metadata);
            let rows: Vec<_> = (0..split.scores.labels.len()).map(values).collect();
            for (place, column) in extra.metadata.iter().enumerate() {
                let values = rows.iter().map(|row| row[place].clone().into_owned()).collect();
                table.extend(&column.name, Column::Metadata(column.kind, values));
            }
        }
        table
    }

    /// The columns of a split but those of the input, in their order.
    fn columns(&self, split: &SeveralSplit) -> Vec<(String, Column)> {
        let scores = &split.scores;
        let rows = scores.labels.len();
        let class = |index: &u32| self.estimator.classes().names()[*index as usize].clone();
        let folds = (0..rows).map(|row| scores.folds.as_ref().map(|folds| folds[row])).collect();
        let mut columns = vec![
            ("id".to_owned(), Column::Texts(scores.ids.iter().map(std::borrow::Cow::into_owned).collect())),
            ("split".to_owned(), Column::Texts(vec![split.name.clone(); rows])),
            ("fold".to_owned(), Column::Folds(folds)),
            ("label".to_owned(), Column::Texts(scores.labels.iter().map(class).collect())),
        ];
        let of = &scores.columns;
        columns.extend(of.surprisals.iter().map(|(set, values)| numbers(format!("h{set}"), values)));
        columns.extend(of.informations.iter().map(|(set, values)| numbers(format!("i{set}"), values)));
        let classes = |values: &Vec<u32>| Column::Texts(values.iter().map(class).collect());
        columns.extend(of.predictions.iter().map(|(set, values)| (format!("pred{set}"), classes(values))));
        columns.extend(shared(split.lattice.as_ref(), split.redundancy.as_ref(), ""));
        if let Some(shapley) = &split.shapley {
            let values = shapley.values.iter().enumerate();
            columns.extend(values.map(|(place, values)| numbers(format!("shapley{}", place + 1), values)));
            let interactions = shapley.pairs.iter().zip(&shapley.interactions);
            columns.extend(interactions.map(|(pair, values)| numbers(format!("interaction{pair}"), values)));
        }
        for (pair, of_pair) in &split.pairs {
            columns.extend(parts(*pair, &of_pair.decomposition, ""));
        }
        for by in &split.measures {
            columns.extend(shared(by.lattice.as_ref(), by.redundancy.as_ref(), &format!("_{}", by.measure)));
        }
        for (pair, of_pair) in &split.pairs {
            let by = |(measure, of): &(Measure, Decomposition)| parts(*pair, of, &format!("_{measure}"));
            columns.extend(of_pair.measures.iter().flat_map(by));
        }
        columns
    }

    /// Writes `samples.csv`, `summary.json` and `estimator.safetensors` to a directory, which is made if it is not there.
    /// Files of these names are replaced, and none is before all are written.
    ///
    /// # Errors
    /// [`WriteError`] if the file system refuses.
    pub fn write(&self, directory: impl AsRef<Path>) -> Result<(), WriteError> {
        write_files(directory.as_ref(), |name, output| match name {
            SUMMARY => self.write_summary(output),
            ESTIMATOR => self.write_estimator(output),
            _ => self.write_samples(output, Format::Csv),
        })
    }

    /// Writes the samples of all splits, one split after the other.
    ///
    /// # Errors
    /// What the output or the format gives.
    pub fn write_samples(
        &self,
        output: &mut (impl Write + Send),
        format: Format,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.samples().write(output, format)
    }

    /// Writes the estimator.
    ///
    /// # Errors
    /// What the output gives, or an error of the bundle.
    pub fn write_estimator(&self, output: &mut impl Write) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(output.write_all(&self.estimator.to_bytes()?)?)
    }

    /// Writes the summary as indented JSON.
    ///
    /// # Errors
    /// What the output gives.
    pub fn write_summary(&self, output: &mut impl Write) -> Result<(), Box<dyn Error + Send + Sync>> {
        serde_json::to_writer_pretty(&mut *output, &self.summary)?;
        Ok(output.write_all(b"\n")?)
    }
}
