//! Rows that have one of the two modalities and lack the other.

use lsmi_core::SampleIds;

use crate::features::columns::metadata::MetadataColumn;
use crate::features::groups::Groups;
use crate::numbers::matrix::Matrix;

/// The rows of a split that lack a modality, apart from its complete rows.
///
/// Nothing is imputed: of a row without x2 there are x1 and the label, and what can be computed of them.
///
/// ```
/// use lsmi_candle::features::{Format, Keys, MissingModality, read_bytes};
///
/// let table = b"x1_0,x2_0,y\n1,2,a\n3,,b\n5,6,b\n,8,a\n";
/// let keys = Keys { missing_modality: MissingModality::Keep, ..Keys::default() };
/// let file = read_bytes("t.csv", table, Format::Csv, &keys)?;
/// assert_eq!(file.splits[0].features.x1.values(), [1.0, 5.0]);
/// let partial = file.partial_of("train").unwrap();
/// let [without_x2, without_x1] = &partial.only;
/// assert_eq!((without_x2.x.values(), without_x2.places.as_slice()), ([3.0].as_slice(), [1].as_slice()));
/// assert_eq!((without_x1.x.values(), without_x1.places.as_slice()), ([8.0].as_slice(), [3].as_slice()));
/// assert_eq!(partial.complete_places(), [0, 2]);
/// # Ok::<(), lsmi_candle::features::FeatureError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PartialRows {
    /// The rows that have x1 alone, and those that have x2 alone.
    pub only: [OneModality; 2],
    /// The number of rows of the split, complete ones among them.
    pub rows: usize,
}

/// Rows that have one modality: row i of everything is the same sample.
#[derive(Debug, Clone, PartialEq)]
pub struct OneModality {
    /// The ids of the rows, which no complete row of the split has.
    pub ids: SampleIds,
    /// The place of each row among all rows of the split, rising.
    pub places: Vec<usize>,
    /// The modality, `[n, d]`.
    pub x: Matrix,
    /// The class index of every row; empty where the rows were read without labels.
    pub labels: Vec<u32>,
    /// Which rows belong together, where that is known.
    pub groups: Option<Groups>,
    /// The columns carried along with the rows.
    pub metadata: Vec<MetadataColumn>,
}

impl PartialRows {
    /// Returns the number of rows that lack a modality.
    pub fn count(&self) -> usize {
        self.only.iter().map(OneModality::rows).sum()
    }

    /// Returns the places of the complete rows among all rows of the split, rising.
    pub fn complete_places(&self) -> Vec<usize> {
        let mut is_complete = vec![true; self.rows];
        for place in self.only.iter().flat_map(|only| &only.places) {
            if let Some(is_complete) = is_complete.get_mut(*place) {
                *is_complete = false;
            }
        }
        (0..self.rows).filter(|place| is_complete[*place]).collect()
    }
}

impl PartialRows {
    /// Takes the columns carried along with the rows that lack a modality from those of all rows. Returns those of the complete rows.
    pub fn take_metadata(&mut self, columns: &[MetadataColumn]) -> Vec<MetadataColumn> {
        for only in &mut self.only {
            only.metadata = selected(columns, &only.places);
        }
        selected(columns, &self.complete_places())
    }
}

fn selected(columns: &[MetadataColumn], rows: &[usize]) -> Vec<MetadataColumn> {
    let of_rows = |MetadataColumn { name, values }: &MetadataColumn| MetadataColumn {
        name: name.clone(),
        values: values.select(rows),
    };
    columns.iter().map(of_rows).collect()
}

impl OneModality {
    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.places.len()
    }
}
