//! Reads files of two modalities or more, two at a time.

use std::collections::BTreeSet;

use super::{SeveralFile, SeveralSet};
use crate::features::arrays::Arrays;
use crate::features::data::Data;
use crate::features::error::FeatureError;
use crate::features::keys::LOGITS;
use crate::features::read::load;
use crate::features::read::source::Source;
use crate::features::{Classes, FeatureFile, FeatureSet, Keys, MetadataColumn, MissingModality, Pooling, Split};
use crate::numbers::matrix::Matrix;

impl Data {
    /// Reads the samples of the modalities of these names for training; see [`read`](crate::features::read). Label, id and
    /// groups are those of `keys`.
    ///
    /// # Errors
    /// As there; [`FeatureError::Modalities`] if there are not two to eight names or one comes twice.
    ///
    /// ```
    /// use lsmi_candle::features::{Data, Keys};
    ///
    /// let path = std::env::temp_dir().join(format!("lsmi several {}.csv", std::process::id()));
    /// std::fs::write(&path, "x1_0,x2_0,x3_0,y\n0.5,1,2,a\n0.25,2,4,b\n0.75,3,1,a\n0.5,4,2,b\n")?;
    /// let data = Data::from(&path);
    /// let names = data.modalities(&Keys::default())?;
    /// let file = data.read_several(&names, &Keys::default())?;
    /// assert_eq!(file.names, ["x1", "x2", "x3"]);
    /// assert_eq!(file.split("train").unwrap().modalities[2].values(), [2.0, 4.0, 1.0, 2.0]);
    /// # std::fs::remove_file(path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read_several(&self, names: &[String], keys: &Keys) -> Result<SeveralFile, FeatureError> {
        self.read_pairs(names, keys, None)
    }

    /// Reads samples of several modalities to be evaluated: their labels become indices of `classes`; see
    /// [`read_with_classes`](crate::features::read_with_classes).
    ///
    /// # Errors
    /// As there and as [`read_several`](Self::read_several).
    pub fn read_several_with_classes(
        &self,
        names: &[String],
        keys: &Keys,
        classes: &Classes,
    ) -> Result<SeveralFile, FeatureError> {
        self.read_pairs(names, keys, Some(classes))
    }

    /// Returns the pooling that the keys ask for, if one of these modalities is made of sequences; `None` for files that cannot be
    /// read.
    pub fn pooling_of_several(&self, names: &[String], keys: &Keys) -> Option<Pooling> {
        let of_pair = |pair: &[String]| Keys { x1: pair[0].clone(), x2: pair[1].clone(), ..keys.clone() };
        names.windows(2).find_map(|pair| self.pooling(&of_pair(pair)))
    }

    fn read_pairs(&self, names: &[String], keys: &Keys, known: Option<&Classes>) -> Result<SeveralFile, FeatureError> {
        read_pairs(&self.to_string(), names, &self.keys(keys), |keys| {
            let (name, (format, mut container)) = (self.to_string(), self.open()?);
            load(self.path(), Source::new(&name, format, container.as_mut()), keys, known)
        })
    }
}

impl Arrays<'_> {
    /// Reads the samples of the modalities of these names for training; see
    /// [`Data::read_several`](crate::features::Data::read_several).
    ///
    /// # Errors
    /// As there.
    pub fn read_several(mut self, names: &[String], keys: &Keys) -> Result<SeveralFile, FeatureError> {
        let (file, path) = (self.name.clone(), self.path());
        read_pairs(&file, names, keys, |keys| load(&path, self.source(), keys, None))
    }
}

/// Reads modalities two at a time, the first once more beside the last of an odd number.
fn read_pairs(
    file: &str,
    names: &[String],
    keys: &Keys,
    mut read_two: impl FnMut(&Keys) -> Result<FeatureFile, FeatureError>,
) -> Result<SeveralFile, FeatureError> {
    let distinct: BTreeSet<&String> = names.iter().collect();
    if !(2..=lsmi_core::Subset::MOST_MODALITIES).contains(&names.len()) || distinct.len() < names.len() {
        return Err(FeatureError::Modalities { file: file.to_owned(), found: names.join(",") });
    }
    let mut read_pair = |first: usize| {
        let second = (first + 1) % names.len();
        let (x1, x2) = (names[first].clone(), names[second].clone());
        read_two(&Keys { x1, x2, missing_modality: MissingModality::Refuse, ..keys.clone() })
    };
    let mut joined = Joined::new(names, read_pair(0)?);
    for first in (2..names.len()).step_by(2) {
        joined.extend(file, first, read_pair(first)?)?;
    }
    Ok(joined.finish())
}

/// The modalities that have been read.
struct Joined {
    file: SeveralFile,
    has_logits: bool,
}

impl Joined {
    fn new(names: &[String], pair: FeatureFile) -> Self {
        let has_logits = has_logits(&pair);
        let several = |FeatureSet { ids, x1, x2, labels, groups, .. }: FeatureSet| SeveralSet {
            names: names.to_vec(),
            ids,
            modalities: vec![x1, x2],
            labels,
            groups,
        };
        let FeatureFile { splits, metadata, classes, notes, path, .. } = pair;
        let splits =
            splits.into_iter().map(|Split { name, features }| Split { name, features: several(features) }).collect();
        let file = SeveralFile { names: names.to_vec(), splits, metadata, classes, notes, path };
        Self { file, has_logits }
    }

    /// Adds the modalities of a pair that has the one at the place `first` and, unless it is the last, the one after it.
    fn extend(&mut self, file: &str, first: usize, pair: FeatureFile) -> Result<(), FeatureError> {
        self.has_logits |= has_logits(&pair);
        let is_last = first + 1 == self.file.names.len();
        let lacks = |splits: &[String], of: &[String]| of.iter().find(|split| !splits.contains(split)).cloned();
        let (known, found): (Vec<String>, Vec<String>) = (
            self.file.splits.iter().map(|split| split.name.clone()).collect(),
            pair.splits.iter().map(|split| split.name.clone()).collect(),
        );
        if let Some(split) = lacks(&found, &known).or_else(|| lacks(&known, &found)) {
            let modalities = self.file.names.join(", ");
            return Err(FeatureError::SplitOfSome { file: file.to_owned(), split, modalities });
        }
        for (split, Split { features, .. }) in self.file.splits.iter_mut().zip(pair.splits) {
            let FeatureSet { x1, x2, .. } = features;
            let added: Vec<Matrix> = if is_last { vec![x1] } else { vec![x1, x2] };
            split.features.modalities.extend(added);
        }
        // A column that some pair does not carry along is one of its modalities.
        for (columns, of_pair) in self.file.metadata.iter_mut().zip(&pair.metadata) {
            let is_carried = |column: &MetadataColumn| of_pair.features.iter().any(|other| other.name == column.name);
            columns.features.retain(is_carried);
        }
        if pair.metadata.is_empty() {
            self.file.metadata.clear();
        }
        for note in pair.notes {
            if !self.file.notes.contains(&note) {
                self.file.notes.push(note);
            }
        }
        Ok(())
    }

    fn finish(mut self) -> SeveralFile {
        if self.has_logits {
            self.file.notes.push(format!(
                "the logits in the file ({}) were not used: they take the place of the heads of two modalities only",
                LOGITS.join(", ")
            ));
        }
        self.file
    }
}

fn has_logits(file: &FeatureFile) -> bool {
    file.splits.iter().any(|split| split.features.logits.iter().any(Option::is_some))
}
