//! What a user should know of a fit, in sentences.

use crate::gauge::{Coordinates, Gauge, GaugeKind};

pub(super) fn of_gauge(gauge: &Gauge) -> Vec<String> {
    let mut notes = Vec::new();
    for (modality, coordinates) in [("x1", &gauge.x1), ("x2", &gauge.x2)] {
        let (all, varied) = (coordinates.standardizer().input_columns(), coordinates.standardizer().columns());
        if varied < all {
            notes.push(format!(
                "{} of the {all} columns of {modality} never vary in training and were left out",
                all - varied
            ));
        }
        if gauge.kind == GaugeKind::Whitened && coordinates.dims() < varied {
            notes.push(cut_note(modality, coordinates, varied));
        }
    }
    if gauge.invariant.is_none() && gauge.kind == GaugeKind::Whitened {
        notes.push(
            "there are fewer than ten rows for every direction of the features, so heads see standardised columns: a \
             linear change that mixes columns would change the result"
                .to_owned(),
        );
    }
    notes
}

fn cut_note(modality: &str, coordinates: &Coordinates, varied: usize) -> String {
    format!(
        "the surprisal of {modality} is measured in {} leading directions of {varied}; heads see all columns",
        coordinates.dims()
    )
}

/// What a user should know of logits that replace heads.
pub(super) fn of_given_heads(are_given: [bool; 3]) -> Vec<String> {
    let given: Vec<&str> = ["logits1", "logits2", "logits12"]
        .into_iter()
        .zip(are_given)
        .filter_map(|(name, is)| is.then_some(name))
        .collect();
    if given.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "{} replace heads as they are: if the models behind them were trained on these very rows, the values of the split \
         `train` are far too good; trust those of other splits",
        given.join(", ")
    )]
}
