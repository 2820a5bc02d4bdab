//! What a tracker remembers of samples: the latest features and logits of each, by row.

use std::sync::Arc;

use lsmi_core::ClassPrior;

use crate::decide::lookup::Lookup;

/// Rows of one width, row-major.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Table {
    pub(super) values: Vec<f32>,
    pub(super) width: usize,
}

impl Table {
    pub(super) fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.width..][..self.width]
    }
}

/// A batch on its way to the tracker: the rows of its samples, and a table of each modality and of the logits.
pub(super) struct Batch {
    pub(super) rows: Vec<usize>,
    pub(super) features: [Table; 2],
    pub(super) logits: Option<Table>,
}

/// What there is of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// Nothing yet.
    Nothing,
    /// Both modalities, and logits where there are any.
    Both,
    /// One modality alone, 0 or 1: of the other all values were NaN.
    Only(usize),
}

/// The latest of every sample.
pub(super) struct Memory {
    pub(super) lookup: Arc<Lookup>,
    pub(super) labels: Vec<u32>,
    pub(super) prior: ClassPrior,
    /// The group of every sample, where some belong together.
    pub(super) groups: Option<Vec<u32>>,
    /// A teacher's confidence in every sample.
    pub(super) confidence: Option<Vec<f64>>,
    /// Features of both modalities, then logits where there are any; empty until the first batch.
    pub(super) tables: Vec<Table>,
    pub(super) seen: Vec<Seen>,
    /// Rows that were left as they were, as a value was not finite.
    pub(super) spoiled: u64,
    /// The sample of the first of them.
    pub(super) first_spoiled: Option<String>,
}

impl Memory {
    pub(super) fn new(
        lookup: Arc<Lookup>,
        labels: Vec<u32>,
        prior: ClassPrior,
        groups: Option<Vec<u32>>,
        confidence: Option<Vec<f64>>,
    ) -> Self {
        let seen = vec![Seen::Nothing; labels.len()];
        Self { lookup, labels, prior, groups, confidence, tables: Vec::new(), seen, spoiled: 0, first_spoiled: None }
    }

    /// Takes the rows of a batch, whose widths are those of all batches before it.
    pub(super) fn take(&mut self, batch: Batch) {
        let Batch { rows, features: [first, second], logits } = batch;
        let of_batch: Vec<Table> = [Some(first), Some(second), logits].into_iter().flatten().collect();
        if self.tables.is_empty() {
            let empty =
                |table: &Table| Table { values: vec![0.0; self.labels.len() * table.width], width: table.width };
            self.tables = of_batch.iter().map(empty).collect();
        }
        for (index, row) in rows.into_iter().enumerate() {
            let seen = seen(&of_batch, index);
            let (first, count) = match seen {
                Seen::Nothing => {
                    self.spoiled += 1;
                    let id = || self.lookup.ids().get(row).into_owned();
                    self.first_spoiled.get_or_insert_with(id);
                    continue;
                }
                Seen::Both => (0, of_batch.len()),
                Seen::Only(modality) => (modality, 1),
            };
            for (table, of_batch) in self.tables.iter_mut().zip(&of_batch).skip(first).take(count) {
                table.values[row * table.width..][..table.width].copy_from_slice(of_batch.row(index));
            }
            self.seen[row] = seen;
        }
    }

    /// Returns the samples of which there is what is asked for.
    pub(super) fn rows(&self, seen: Seen) -> Vec<usize> {
        (0..self.seen.len()).filter(|row| self.seen[*row] == seen).collect()
    }
}

/// Returns what a row of a batch has: nothing if a value is not finite, unless all of one modality are NaN.
fn seen(tables: &[Table], row: usize) -> Seen {
    let is_finite = |table: &Table| table.row(row).iter().all(|value| value.is_finite());
    let is_lacking = |table: &Table| table.row(row).iter().all(|value| value.is_nan());
    if tables.iter().all(is_finite) {
        return Seen::Both;
    }
    let only = (0..2).find(|modality| is_finite(&tables[*modality]) && is_lacking(&tables[1 - modality]));
    only.map_or(Seen::Nothing, Seen::Only)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsmi_core::SampleIds;

    #[test]
    fn the_latest_of_a_sample_is_kept_unless_it_is_not_finite() {
        let lookup = Arc::new(Lookup::new(SampleIds::rows(3)).unwrap());
        let mut memory = Memory::new(lookup, vec![0, 1, 0], ClassPrior::uniform(2).unwrap(), None, None);
        let batch = |rows: &[usize], values: &[f32]| {
            let table = Table { values: values.to_vec(), width: 1 };
            Batch { rows: rows.to_vec(), features: [table.clone(), table], logits: None }
        };
        memory.take(batch(&[2, 0], &[1.0, 2.0]));
        memory.take(batch(&[2, 1], &[3.0, f32::NAN]));
        assert_eq!(memory.tables[0].values, [2.0, 0.0, 3.0]);
        assert_eq!(memory.seen, [Seen::Both, Seen::Nothing, Seen::Both]);
        assert_eq!((memory.spoiled, memory.first_spoiled.as_deref()), (1, Some("1")));
    }

    #[test]
    fn a_row_of_nan_is_a_modality_that_is_missing() {
        const NAN: f32 = f32::NAN;
        let table = |values: &[f32]| Table { values: values.to_vec(), width: 2 };
        let of = |first: [f32; 2], second: [f32; 2], logits: [f32; 2]| {
            seen(&[table(&first), table(&second), table(&logits)], 0)
        };
        let one = [1.0, 2.0];
        assert_eq!(of(one, one, one), Seen::Both);
        assert_eq!(of(one, [NAN; 2], one), Seen::Only(0));
        // The joint logits of such a sample are nothing that it tells.
        assert_eq!(of([NAN; 2], one, [NAN; 2]), Seen::Only(1));
        for spoiled in [[NAN, 1.0], [f32::INFINITY; 2]] {
            assert_eq!(of(spoiled, one, one), Seen::Nothing);
        }
        assert_eq!(of([NAN; 2], [NAN; 2], one), Seen::Nothing);
        assert_eq!(of(one, one, [NAN; 2]), Seen::Nothing);
    }
}
