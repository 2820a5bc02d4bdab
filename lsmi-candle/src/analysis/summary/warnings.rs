//! `warnings` of `summary.json`: what has to be known before any number is read, in sentences.
//!
//! They are about rows that belong together and about the heads: whether the joint head finds less than is known to be there, whether it is blind to what only
//! both modalities together tell, and whether nothing was found at all.

use std::f64::consts::LN_2;

use crate::gates::{Gate, Verdict};

use super::groups;
use super::quantities::Information;
use super::{SplitSummary, Summary};
use crate::analysis::names::Words;
use crate::analysis::names::nats;
use crate::analysis::summary::StreamedSplit;

/// Half of the last of the three decimals that are shown: what differs by less looks equal.
const SHOWN: f64 = 0.0005;

impl Summary {
    /// The same with what has to be known before its numbers. To be called last: gates, null and words are part of it.
    #[must_use]
    pub fn with_warnings(mut self) -> Self {
        let (words, power) = (self.words(), power_of(self.gates.as_deref()));
        let blind = power.filter(|gate| gate.verdict == Verdict::Fail).map(blind);
        let of_splits = self.splits.iter().flat_map(|(name, split)| {
            let of_heads = of_joint_head(words, name, &split.information, split.late_fusion);
            nothing_found(words, name, split, power).into_iter().chain(of_heads)
        });
        let of_groups = groups::of_grouping(words, self.grouping.as_ref(), self.n);
        let seen = self.splits.iter().flat_map(|(name, split)| groups::of_seen(words, name, split.n, &split.seen));
        let missing = self
            .splits
            .iter()
            .flat_map(|(name, split)| split.missing.iter().flat_map(move |missing| missing.warnings(words, name)));
        let further: Vec<String> = missing.chain(of_groups).chain(seen).chain(blind).chain(of_splits).collect();
        self.warnings.extend(further);
        self
    }
}

impl Summary<StreamedSplit> {
    /// The same with what has to be known before its numbers.
    #[must_use]
    pub fn with_warnings(mut self) -> Self {
        let words = self.words();
        let of_split = |(name, split): &(String, StreamedSplit)| {
            let missing = split.missing.iter().flat_map(|missing| missing.warnings(words, name));
            missing.chain(of_joint_head(words, name, &split.information, None)).collect::<Vec<_>>()
        };
        self.warnings = self.splits.iter().flat_map(of_split).collect();
        self
    }
}

/// The gate that plants an exclusive or in the very features, where it was asked.
pub fn power_of(gates: Option<&[Gate]>) -> Option<&Gate> {
    gates?.iter().find(|gate| gate.name == "power")
}

/// What a failed gate `power` says of the joint head.
fn blind(power: &Gate) -> String {
    let figure = |name| power.figures.get(name).copied().unwrap_or(f64::NAN);
    let planted = format!("of an exclusive or planted in these very features, S = {} nats,", nats(figure("planted")));
    let found = figure("s");
    if found / LN_2 < power.threshold {
        return format!(
            "The joint head does not see what only both modalities together tell in data of this size: {planted} it found {}. \
             S near 0 is no evidence that there is no synergy",
            nats(found)
        );
    }
    format!(
        "What only both modalities together tell comes out as something else in data of this size: {planted} the fit made \
         S = {} and R = {}. Neither R nor S of these data can be believed",
        nats(found),
        nats(figure("r"))
    )
}

/// Where the joint head finds less than one modality alone, or than the late fusion of both.
///
/// In the distribution itself I(x1,x2;y) is at least I(x1;y) and I(x2;y), so that what is missing is the head's fault, and S
/// lacks it too. `late_fusion` is the mean over the samples of
///
/// ```text
/// log q(y) / p(y),   q(y) = p(y|x1) p(y|x2) / p(y), divided by its sum over all classes
/// ```
///
/// the information of the posterior that holds where the modalities are independent given the label, from the posteriors of
/// all classes by the two other heads; None where it is not known.
fn of_joint_head(words: Words<'_>, split: &str, information: &Information, late_fusion: Option<f64>) -> Vec<String> {
    let Words { names, label } = words;
    let Information { i1, i2, i12 } = *information;
    let mut warnings = Vec::new();
    let (stronger, most) = if i2 > i1 { (&names.x2, i2) } else { (&names.x1, i1) };
    if i12 + SHOWN < most {
        warnings.push(format!(
            "`{split}`: {} and {} together tell less about {label} ({} nats) than {stronger} alone ({}), which cannot be: the \
             joint head has not found all there is, and S is too low by at least {}",
            names.x1,
            names.x2,
            nats(i12),
            nats(most),
            nats(most - i12)
        ));
    }
    if let Some(late) = late_fusion.filter(|late| i12 + SHOWN < *late) {
        warnings.push(format!(
            "`{split}`: the joint head finds less about {label} ({} nats) than the heads of {} and {} do when their posteriors \
             are multiplied, p(y|x1) p(y|x2) / p(y) ({}): it has not found all there is, and S is too low by at least {}",
            nats(i12),
            names.x1,
            names.x2,
            nats(late),
            nats(late - i12)
        ));
    }
    warnings
}

/// Where the information of both modalities is exactly 0, as no joint head beat the class frequencies.
fn nothing_found(words: Words<'_>, name: &str, split: &SplitSummary, power: Option<&Gate>) -> Option<String> {
    let Words { names, label } = words;
    let most = split.intervals.information.i12;
    let planted = power.filter(|gate| gate.verdict != Verdict::Fail).and_then(|gate| gate.figures.get("planted"));
    let reason = match planted {
        Some(planted) => format!("an exclusive or of {} nats planted in these very features was found", nats(*planted)),
        None => "no more can be told about it".to_owned(),
    };
    most.not_found.then(|| {
        format!(
            "`{name}`: no information about {label} was found in {} and {} together: no head beats the class frequencies. This \
             is said of the heads, not of the data, which may tell up to {} nats ({reason})",
            names.x1,
            names.x2,
            nats(most.interval.upper)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(i1: f64, i2: f64, i12: f64, late: Option<f64>) -> Vec<String> {
        let names = "picture,name".parse().unwrap();
        of_joint_head(Words { names: &names, label: "the label" }, "train", &Information { i1, i2, i12 }, late)
    }

    #[test]
    fn less_than_one_modality_alone_is_told() {
        assert_eq!(
            of(0.25, 0.6, 0.45, None),
            [
                "`train`: picture and name together tell less about the label (0.450 nats) than name alone (0.600), which \
              cannot be: the joint head has not found all there is, and S is too low by at least 0.150"
            ]
        );
        assert!(of(0.6, 0.25, 0.45, None)[0].contains("than picture alone (0.600)"));
        // What looks equal is equal.
        assert!(of(0.5, 0.25, 0.4996, None).is_empty() && of(0.0, 0.0, 0.0, None).is_empty());
    }

    #[test]
    fn less_than_the_late_fusion_is_told() {
        let told = of(0.25, 0.25, 0.4, Some(0.5));
        assert_eq!(told.len(), 1);
        assert!(told[0].contains("p(y|x1) p(y|x2) / p(y) (0.500)") && told[0].ends_with("at least 0.100"), "{told:?}");
        assert!(of(0.25, 0.25, 0.6, Some(0.5)).is_empty());
        assert_eq!(of(0.45, 0.25, 0.4, Some(0.5)).len(), 2);
    }

    #[test]
    fn a_joint_head_that_is_blind_is_told() {
        let gate = |r: f64, s: f64| Gate {
            name: "power".into(),
            did: String::new(),
            figure: s / LN_2,
            figures: [("r", r), ("s", s), ("planted", 0.683)].map(|(name, value)| (name.to_owned(), value)).into(),
            threshold: 0.5,
            why: String::new(),
            verdict: Verdict::Fail,
            advice: None,
        };
        let told = blind(&gate(0.0, 0.012));
        assert!(told.contains("S = 0.683 nats, it found 0.012") && told.contains("no evidence"), "{told}");
        let told = blind(&gate(0.4, 0.6));
        assert!(told.contains("the fit made S = 0.600 and R = 0.400"), "{told}");
    }
}
