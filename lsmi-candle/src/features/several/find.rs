//! The modalities of a file: x1, x2, x3, ... by their names.

use std::collections::BTreeSet;

use lsmi_core::Subset;

use crate::features::Keys;
use crate::features::data::Data;
use crate::features::error::{FeatureError, listed};
use crate::features::keys::splits::{LabelUse, find_splits};

impl Data {
    /// Lists the names of the file's modalities: `x1`, `x2` and so on as far as they follow one another without a gap, at
    /// most eight. The first two are listed whether they are there or not, as reading misses them by name.
    ///
    /// # Errors
    /// [`FeatureError`] if the file cannot be opened.
    pub fn modalities(&self, keys: &Keys) -> Result<Vec<String>, FeatureError> {
        let (_, container) = self.open()?;
        let names = container.names();
        let later = (3..=Subset::MOST_MODALITIES).map(|number| format!("x{number}"));
        let first = [keys.x1.clone(), keys.x2.clone()];
        Ok(first.into_iter().chain(later.take_while(|name| is_modality(&names, name, keys))).collect())
    }
}

/// Returns whether the file has an array of this name for a split of x1, or the reference implementation's name for it.
fn is_modality(names: &BTreeSet<String>, name: &str, keys: &Keys) -> bool {
    let (first, others) = find_splits(names, keys, LabelUse::Ignored);
    let number = name.trim_start_matches('x');
    std::iter::once(&first).chain(&others).any(|split| {
        let named =
            [name.to_owned(), format!("{name}_{}", split.split), format!("{}_modal_{number}_features", split.split)];
        named.iter().any(|name| names.contains(name) && !split.is_role(name))
    })
}

/// Says in a sentence which modalities of a file were not used by a reading of x1 and x2; `None` if there are no others.
pub(in crate::features) fn unused_modalities(names: &BTreeSet<String>, keys: &Keys) -> Option<String> {
    let usual = Keys::default();
    if keys.x1 != usual.x1 || keys.x2 != usual.x2 {
        return None;
    }
    let others = (3..=Subset::MOST_MODALITIES).map(|number| format!("x{number}"));
    let others: Vec<String> = others.filter(|name| is_modality(names, name, keys)).collect();
    let is_are = if others.len() == 1 { "is" } else { "are" };
    (!others.is_empty()).then(|| {
        format!(
            "{} {is_are} in the file but {} not used: only x1 and x2 were read; name the modalities that are meant",
            listed(&others),
            if others.len() == 1 { "was" } else { "were" }
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(of: &[&str]) -> BTreeSet<String> {
        of.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_further_modality_is_named() {
        let note = |of: &[&str]| unused_modalities(&names(of), &Keys::default());
        assert_eq!(note(&["x1", "x2", "y"]), None);
        assert_eq!(note(&["x1", "x2", "x30", "x3d", "y"]), None);
        assert!(note(&["x1", "x2", "x3", "y"]).unwrap().starts_with("x3 is in the file but was not used"));
        let split = ["x1_train", "x2_train", "x3_train", "x4_train", "y_train"];
        assert!(note(&split).unwrap().starts_with("x3, x4 are in the file but were not used"));
        // Who named other arrays did not mean x1 and x2.
        let keys: Keys = "a,b,y".parse().unwrap();
        assert_eq!(unused_modalities(&names(&["a", "b", "x3", "y"]), &keys), None);
    }
}
