//! What the numbers mean, in one plain sentence.
//!
//! The sentence reads the adjusted means: they are what of I(x1,x2;y) both modalities tell (R), one alone tells (U1,
//! U2) and only both together tell (S). It says so where nothing was found, and where the parts are no amounts.

use lsmi_core::Adjusted;

use lsmi_candle::analysis::names::{Names, Words};
use lsmi_candle::analysis::summary::Information;

/// Less than this many nats is nothing worth a word.
const NOTHING: f64 = 0.005;
/// A shortfall of less than this share of I(x1,x2;y) is taken for an error of estimation.
const TOLERANCE: f64 = 0.05;

/// The sentence for one split.
pub(crate) fn sentence(words: Words<'_>, information: &Information, adjusted: &Adjusted) -> String {
    let Words { names: Names { x1, x2 }, label } = words;
    let total = information.i12;
    if total < NOTHING {
        return nothing_found(words, information);
    }
    let tolerated = NOTHING.max(TOLERANCE * total);
    let (strong, _, most) = ranked(words, information);
    if total < most - tolerated {
        return format!(
            "{x1} and {x2} together tell {total:.2} nats about {label}, less than {strong} alone ({most:.2}): the \
             joint head has not found all there is, so do not read the parts as amounts; more samples may help."
        );
    }
    let negative = [("R", adjusted.r), ("U1", adjusted.u1), ("U2", adjusted.u2), ("S", adjusted.s)];
    if let Some((part, value)) = negative.into_iter().find(|(_, value)| *value < -tolerated) {
        return format!(
            "{x1} and {x2} together tell {total:.2} nats about {label}; {part} stays negative ({value:.2}) after the \
             shift, so the parts are no shares of a whole here."
        );
    }
    let parts = [
        (adjusted.r, "is told by both alike".to_owned()),
        (adjusted.u1, format!("is told by {x1} alone")),
        (adjusted.u2, format!("is told by {x2} alone")),
        (adjusted.s, "shows only when both are seen together".to_owned()),
    ];
    // Of equal parts the first.
    let (value, what) = parts.into_iter().rev().max_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or_default();
    let share = match value / total {
        share if share > 0.95 => "nearly all",
        share if share > 0.5 => "most",
        _ => "the largest part",
    };
    format!(
        "Of the {total:.2} nats that {x1} and {x2} together tell about {label}, {share} ({value:.2}) {what}; {}.",
        second_modality(words, information)
    )
}

/// Nats that a head which was fitted is not worse than the class prior.
const FAR: f64 = 1.0;

fn nothing_found(words: Words<'_>, information: &Information) -> String {
    let Words { names: Names { x1, x2 }, label } = words;
    let i12 = information.i12;
    let start = if i12 < -FAR {
        format!(
            "The joint head found nothing: it predicts {label} far worse than the class prior does ({i12:.2} nats), which \
             happens with logits whose columns are not in the order of the classes, or that are much too sure"
        )
    } else if i12 < -NOTHING {
        format!(
            "The joint head found nothing: it predicts {label} worse than the class prior does ({i12:.2} nats), which \
             happens with few samples or noise"
        )
    } else {
        format!("The joint head found nothing that {x1} and {x2} together tell about {label}")
    };
    let (strong, _, most) = ranked(words, information);
    if most > NOTHING {
        format!("{start}, although {strong} alone tells {most:.2} nats: do not trust the decomposition.")
    } else {
        format!("{start}: there is nothing to decompose.")
    }
}

/// The modality that tells more, the other one, and what the first tells.
fn ranked<'a>(words: Words<'a>, information: &Information) -> (&'a str, &'a str, f64) {
    let Names { x1, x2 } = words.names;
    if information.i2 > information.i1 { (x2, x1, information.i2) } else { (x1, x2, information.i1) }
}

/// What the stronger modality tells, and what the other adds to it.
fn second_modality(words: Words<'_>, information: &Information) -> String {
    let (strong, weak, most) = ranked(words, information);
    if most < NOTHING {
        return "neither tells anything by itself".to_owned();
    }
    let gain = information.i12 - most;
    let added = if gain > NOTHING { format!("{gain:.2} more") } else { "nothing more".to_owned() };
    format!("{strong} by itself tells {most:.2}, and adding {weak} brings {added}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsmi_core::{Means, adjust};

    /// The sentence for raw means (r, u1, u2, s), which imply the information terms.
    fn of(r: f64, u1: f64, u2: f64, s: f64) -> String {
        let names = "picture,name".parse().unwrap();
        let information = Information { i1: r + u1, i2: r + u2, i12: r + u1 + u2 + s };
        sentence(Words { names: &names, label: "the category" }, &information, &adjust(&Means { r, u1, u2, s }))
    }

    #[test]
    fn mostly_redundant() {
        assert_eq!(
            of(1.2, 0.1, 0.3, 0.12),
            "Of the 1.72 nats that picture and name together tell about the category, most (1.20) is told by both \
             alike; name by itself tells 1.50, and adding picture brings 0.22 more."
        );
    }

    #[test]
    fn a_copy_of_one_modality() {
        assert_eq!(
            of(0.0, 0.69, 0.0, 0.0),
            "Of the 0.69 nats that picture and name together tell about the category, nearly all (0.69) is told by \
             picture alone; picture by itself tells 0.69, and adding name brings nothing more."
        );
    }

    #[test]
    fn only_both_together() {
        assert_eq!(
            of(0.0, 0.0, 0.0, 0.69),
            "Of the 0.69 nats that picture and name together tell about the category, nearly all (0.69) shows only \
             when both are seen together; neither tells anything by itself."
        );
    }

    #[test]
    fn no_part_is_more_than_half() {
        assert!(of(0.3, 0.2, 0.4, 0.1).contains("the largest part (0.40) is told by name alone"));
    }

    #[test]
    fn nothing_to_be_found() {
        assert_eq!(
            of(0.001, 0.0, 0.0, 0.001),
            "The joint head found nothing that picture and name together tell about the category: there is nothing to \
             decompose."
        );
    }

    #[test]
    fn worse_than_nothing() {
        let text = of(-0.01, 0.0, -0.02, -0.05);
        assert!(text.starts_with("The joint head found nothing: it predicts the category worse"), "{text}");
        assert!(text.ends_with("there is nothing to decompose."), "{text}");
        let text = of(0.2, 0.0, 0.0, -0.3);
        assert!(text.ends_with("although picture alone tells 0.20 nats: do not trust the decomposition."), "{text}");
    }

    #[test]
    fn the_joint_head_does_worse_than_the_best_alone() {
        let text = of(0.5, 0.1, 0.05, -0.2);
        assert!(text.contains("together tell 0.45 nats about the category, less than picture alone (0.60)"), "{text}");
    }

    #[test]
    fn logits_in_another_order_are_far_worse_than_the_prior() {
        let text = of(-1.0, -1.0, -1.0, -1.0);
        assert!(
            text.contains("far worse than the class prior does (-4.00 nats)")
                && text.contains("not in the order of the classes"),
            "{text}"
        );
    }

    #[test]
    fn a_part_stays_negative() {
        // Name alone does worse than the prior: the shift brings R up to I2 = -0.2, which is below 0.
        let text = of(0.2, 0.3, -0.4, 0.5);
        assert!(text.contains("tell 0.60 nats about the category; R stays negative (-0.20)"), "{text}");
    }

    #[test]
    fn small_shortfalls_are_errors_of_estimation() {
        // As of a family where picture tells nothing: I1 = -0.005, and R with it.
        let text = of(0.189, -0.194, 0.158, 0.527);
        assert!(text.starts_with("Of the 0.68 nats"), "{text}");
        let text = of(0.0, 0.69, 0.0, -0.01);
        assert!(text.ends_with("picture by itself tells 0.69, and adding name brings nothing more."), "{text}");
    }

    #[test]
    fn equal_parts_are_told_in_their_order() {
        assert!(of(0.25, 0.25, 0.0, 0.0).contains("(0.25) is told by both alike"));
    }
}
