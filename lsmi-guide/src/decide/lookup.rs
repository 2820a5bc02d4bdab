//! Where the sample of an id is, for whatever is kept by sample: terms, plans, a teacher's outputs.

use std::collections::HashMap;

use lsmi_core::SampleIds;

use crate::error::{GuideError, Result};

/// Ids with the row of each, built once and asked for every batch.
#[derive(Debug)]
pub(crate) struct Lookup {
    ids: SampleIds,
    rows: HashMap<String, usize>,
}

impl Lookup {
    /// An index of ids that are all different.
    pub(crate) fn new(ids: SampleIds) -> Result<Self> {
        ids.check_unique()?;
        let rows = ids.iter().enumerate().map(|(row, id)| (id.into_owned(), row)).collect();
        Ok(Self { ids, rows })
    }

    pub(crate) fn ids(&self) -> &SampleIds {
        &self.ids
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// The row of an id, if there is such an id.
    pub(crate) fn row(&self, id: &str) -> Option<usize> {
        self.rows.get(id).copied()
    }

    /// The rows of a batch, none of which may come twice; `what` names what is looked up.
    pub(crate) fn rows_of(&self, batch: &SampleIds, what: &'static str) -> Result<Vec<usize>> {
        if batch == &self.ids {
            return Ok((0..self.len()).collect());
        }
        let row = |id: &str| self.row(id).ok_or_else(|| GuideError::UnknownId { what, id: id.to_owned() });
        let rows: Vec<usize> = batch.iter().map(|id| row(&id)).collect::<Result<_>>()?;
        // Rows are quicker to compare than ids; these are only gone through for the error.
        let mut sorted = rows.clone();
        sorted.sort_unstable();
        if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
            batch.check_unique()?;
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_id() {
        let lookup = Lookup::new(SampleIds::from_names(["a", "b", "c"]).unwrap()).unwrap();
        let batch = SampleIds::from_names(["c", "a"]).unwrap();
        assert_eq!(lookup.rows_of(&batch, "weights").unwrap(), [2, 0]);
    }

    #[test]
    fn unknown_and_repeated_ids_are_named() {
        let lookup = Lookup::new(SampleIds::rows(3)).unwrap();
        let error = lookup.rows_of(&SampleIds::from_names(["1", "x"]).unwrap(), "weights").unwrap_err();
        assert!(matches!(error, GuideError::UnknownId { what: "weights", ref id } if id == "x"), "{error}");
        let error = lookup.rows_of(&SampleIds::rows(3).select(&[1, 2, 1]), "weights").unwrap_err();
        assert!(error.to_string().contains("rows 0 and 2 have the same id `1`"), "{error}");
    }
}
