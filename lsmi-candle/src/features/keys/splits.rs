//! The arrays of each split of a file, found by their names.

use std::collections::BTreeSet;

use super::{Keys, LENGTHS, LOGITS, PRESENT};

/// The splits that every reader knows, in the order in which they are returned.
const KNOWN_SPLITS: [&str; 3] = ["train", "val", "test"];

/// Returns the split that a common name stands for, without regard to case.
pub(crate) fn split_of(name: &str) -> Option<&'static str> {
    match name.trim().to_lowercase().as_str() {
        "train" | "training" => Some("train"),
        "val" | "valid" | "validation" => Some("val"),
        "test" | "testing" => Some("test"),
        _ => None,
    }
}

/// Whether a split consists of samples with labels or without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LabelUse {
    Needed,
    /// Several labels a row.
    Several,
    /// Labels may be there, and are not read.
    Ignored,
}

/// The arrays of one split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SplitArrays {
    pub(crate) split: String,
    pub(crate) x1: String,
    pub(crate) x2: String,
    pub(crate) label: String,
    pub(crate) id: String,
    /// The groups, if they are wanted.
    pub(crate) group: Option<String>,
    /// The metadata key under which the ids may stand instead.
    pub(crate) metadata_ids: String,
    /// The user's models' logits, of x1, x2 and both, where there are any.
    pub(crate) logits: [String; 3],
    /// The lengths of sequences, of x1, x2 and both, where there are any.
    pub(crate) lengths: [String; 3],
    /// Which samples have x1 and which x2, where that is said.
    pub(crate) present: [String; 2],
}

impl SplitArrays {
    /// Names the arrays without a suffix: a file without splits is all training data.
    pub(crate) fn unsuffixed(keys: &Keys) -> Self {
        Self::named(keys, "train", str::to_owned)
    }

    pub(crate) fn suffixed(keys: &Keys, split: &str) -> Self {
        Self::named(keys, split, |name| format!("{name}_{split}"))
    }

    fn named(keys: &Keys, split: &str, name: impl Fn(&str) -> String + Copy) -> Self {
        Self {
            split: split.to_owned(),
            x1: name(&keys.x1),
            x2: name(&keys.x2),
            label: name(&keys.label),
            id: name(keys.id.as_deref().unwrap_or("id")),
            group: keys.groups.array().map(name),
            metadata_ids: name("ids"),
            logits: LOGITS.map(name),
            lengths: LENGTHS.map(name),
            present: PRESENT.map(name),
        }
    }

    /// Names the arrays as the reference implementation of LSMI does (Yang, Wang, Hu, ICML 2025).
    fn reference(keys: &Keys, split: &str) -> Self {
        Self {
            split: split.to_owned(),
            x1: format!("{split}_modal_1_features"),
            x2: format!("{split}_modal_2_features"),
            label: format!("{split}_targets"),
            id: format!("{split}_id"),
            group: keys.groups.array().map(|group| format!("{split}_{group}")),
            metadata_ids: format!("ids_{split}"),
            logits: LOGITS.map(|name| format!("{split}_{name}")),
            lengths: LENGTHS.map(|name| format!("{split}_{name}")),
            present: PRESENT.map(|name| format!("{split}_{name}")),
        }
    }

    /// Returns the logits that are among the arrays of these names. An array that serves as something else is no logits:
    /// who names `logits1` as a modality means it as features.
    pub(crate) fn logits_in(&self, names: &BTreeSet<String>) -> [Option<&str>; 3] {
        let is_logits = |name: &String| names.contains(name) && !self.is_role(name);
        self.logits.each_ref().map(|name| is_logits(name).then_some(name.as_str()))
    }

    /// Returns the lengths of the sequences of a modality, 0 or 1, that are among the arrays of these names: its own, or those
    /// of both.
    pub(crate) fn lengths_in(&self, names: &BTreeSet<String>, modality: usize) -> Option<&String> {
        let [.., of_both] = &self.lengths;
        [&self.lengths[modality], of_both].into_iter().find(|name| names.contains(*name) && !self.is_role(name))
    }

    /// Returns the arrays among those of these names that say which samples have a modality.
    pub(crate) fn present_in(&self, names: &BTreeSet<String>) -> [Option<&String>; 2] {
        self.present.each_ref().map(|name| (names.contains(name) && !self.is_role(name)).then_some(name))
    }

    /// Lists the names of all arrays that the split may have.
    pub(crate) fn all(&self) -> impl Iterator<Item = &String> {
        [&self.x1, &self.x2, &self.label, &self.id].into_iter().chain(&self.logits).chain(&self.present)
    }

    /// Returns whether the array serves as modality, label or id.
    pub(crate) fn is_role(&self, array: &String) -> bool {
        [&self.x1, &self.x2, &self.label, &self.id].contains(&array)
    }

    /// Lists the arrays without which there is no split.
    fn needed(&self, labels: LabelUse) -> impl Iterator<Item = &String> {
        [&self.x1, &self.x2].into_iter().chain((labels != LabelUse::Ignored).then_some(&self.label))
    }
}

/// Finds the splits of a file with arrays of these `names`: `train`, `val`, `test`, then others by name.
///
/// One array is enough to announce a known split, so that the others are missed rather than the split passed over;
/// an unknown suffix (`x1_raw`) makes a split only if all three arrays have it (without labels, both). Arrays without a suffix come first, as
/// a split `train`, even beside a suffixed one of that name: the caller refuses that. They also stand in where there is
/// nothing at all, to be missed by name. The first split is apart from the others, for there always is one.
pub(crate) fn find_splits(names: &BTreeSet<String>, keys: &Keys, labels: LabelUse) -> (SplitArrays, Vec<SplitArrays>) {
    let is_announced = |arrays: &SplitArrays| arrays.needed(labels).any(|name| names.contains(name));
    let is_complete = |arrays: &SplitArrays| arrays.needed(labels).all(|name| names.contains(name));
    let prefix = format!("{}_", keys.x1);
    let others = names
        .iter()
        .filter_map(|name| name.strip_prefix(&prefix))
        .filter(|split| !split.is_empty() && !KNOWN_SPLITS.contains(split))
        .map(|split| SplitArrays::suffixed(keys, split));
    let mut splits: Vec<SplitArrays> = KNOWN_SPLITS
        .map(|split| SplitArrays::suffixed(keys, split))
        .into_iter()
        .filter(is_announced)
        .chain(others.filter(is_complete))
        .collect();
    let unsuffixed = SplitArrays::unsuffixed(keys);
    if is_complete(&unsuffixed) || (splits.is_empty() && is_announced(&unsuffixed)) {
        splits.insert(0, unsuffixed);
    }
    let Keys { missing, groups, pool, missing_modality, .. } = keys.clone();
    let usual = Keys { missing, groups, pool, missing_modality, ..Keys::default() };
    if splits.is_empty() && *keys == usual {
        let reference = KNOWN_SPLITS.map(|split| SplitArrays::reference(keys, split));
        splits.extend(reference.into_iter().filter(is_announced));
    }
    let mut splits = splits.into_iter();
    let first = splits.next();
    (first.unwrap_or_else(|| SplitArrays::unsuffixed(keys)), splits.collect())
}

/// Lists all names that logits may have: without suffix, with that of a known split, by the reference's custom.
pub(crate) fn all_logit_names() -> impl Iterator<Item = String> {
    LOGITS.into_iter().flat_map(|name| {
        let suffixed = KNOWN_SPLITS.map(|split| format!("{name}_{split}"));
        let reference = KNOWN_SPLITS.map(|split| format!("{split}_{name}"));
        std::iter::once(name.to_owned()).chain(suffixed).chain(reference)
    })
}

#[cfg(test)]
mod tests {
    use super::{Keys, LabelUse, find_splits};
    use std::collections::BTreeSet;

    fn names(list: &str) -> BTreeSet<String> {
        list.split_whitespace().map(str::to_owned).collect()
    }

    fn found_with(list: &str, keys: &Keys, labels: LabelUse) -> Vec<(String, String)> {
        let (first, others) = find_splits(&names(list), keys, labels);
        std::iter::once(first).chain(others).map(|arrays| (arrays.split, arrays.x1)).collect()
    }

    fn found(list: &str, keys: &Keys) -> Vec<(String, String)> {
        found_with(list, keys, LabelUse::Needed)
    }

    #[test]
    fn splits_come_in_order() {
        let all = "x1_train x2_train y_train x1_test x2_test y_test x1_val x2_val y_val \
                   x1_ood x2_ood y_ood x1_alt x2_alt y_alt";
        let splits: Vec<String> = found(all, &Keys::default()).into_iter().map(|(split, _)| split).collect();
        assert_eq!(splits, ["train", "val", "test", "alt", "ood"]);
    }

    #[test]
    fn unknown_suffixes_need_all_three_arrays() {
        let splits = found("x1 x2 y x1_raw y_raw", &Keys::default());
        assert_eq!(splits, [("train".to_owned(), "x1".to_owned())]);
    }

    #[test]
    fn one_array_announces_a_known_split() {
        let splits = found("x1 x2 y x1_val", &Keys::default());
        assert_eq!(splits.len(), 2);
        assert_eq!(splits[1].0, "val");
        // Without a suffix, all three are needed beside suffixed ones: `y` may be anything here.
        let splits = found("x1_train x2_train y_train y", &Keys::default());
        assert_eq!(splits, [("train".to_owned(), "x1_train".to_owned())]);
    }

    #[test]
    fn renamed_keys_take_suffixes() {
        let keys: Keys = "image,text,label".parse().unwrap();
        let splits = found("image_train text_train label_train image_test text_test label_test", &keys);
        assert_eq!(splits[1], ("test".to_owned(), "image_test".to_owned()));
    }

    #[test]
    fn reference_names_are_understood_only_without_others() {
        let list = "train_modal_1_features train_modal_2_features train_targets";
        assert_eq!(found(list, &Keys::default())[0].1, "train_modal_1_features");
        let keys: Keys = "image,text,label".parse().unwrap();
        assert_eq!(found(list, &keys)[0].1, "image");
    }

    #[test]
    fn without_labels_two_modalities_are_a_split() {
        let splits = |list| -> Vec<String> {
            found_with(list, &Keys::default(), LabelUse::Ignored).into_iter().map(|(split, _)| split).collect()
        };
        assert_eq!(splits("x1_test x2_test x1_ood x2_ood x1_raw y_val"), ["test", "ood"]);
        assert_eq!(splits("x1 x2"), ["train"]);
        assert_eq!(splits("test_modal_1_features test_modal_2_features"), ["test"]);
        assert_eq!(splits("y"), ["train"], "to be missed by name");
    }

    #[test]
    fn logits_go_with_their_split() {
        let logits = |list: &str, keys: &str| {
            let names = names(list);
            let (first, _) = find_splits(&names, &keys.parse().unwrap(), LabelUse::Needed);
            first.logits_in(&names).map(|name| name.map(str::to_owned))
        };
        let some = |name: &str| Some(name.to_owned());
        assert_eq!(
            logits("x1_train x2_train y_train logits1_train logits12_train logits2", "x1,x2,y"),
            [some("logits1_train"), None, some("logits12_train")]
        );
        let reference = "train_modal_1_features train_modal_2_features train_targets train_logits2";
        assert_eq!(logits(reference, "x1,x2,y"), [None, some("train_logits2"), None]);
        assert_eq!(logits("image text label logits1", "image,text,label"), [some("logits1"), None, None]);
        // What is named as a modality is one.
        assert_eq!(logits("logits1 logits2 y logits12", "logits1,logits2,y"), [None, None, some("logits12")]);
    }
}
