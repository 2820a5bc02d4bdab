//! What the heads predict, and whether their distributions are as wide as they should be: the probability integral transform.

use serde::Serialize;

use super::Split;
use crate::report::figure::Figure;
use crate::report::figure::axis::{range_of, with_room};
use crate::report::figure::histogram::tenths;
use crate::report::figure::scatter::{Points, scatter};
use crate::report::gallery::{Gallery, Shown};
use crate::report::number::{As, Number, thousands};
use crate::report::pages::distributions::range;
use crate::report::thinned::thinned;

/// Points of the scatter plot, at most.
const POINTS: usize = 2_000;

/// The heads of a target.
#[derive(Debug, Serialize)]
pub(super) struct Calibration {
    /// The predicted means against the target, where there is one target.
    predictions: Option<Shown>,
    transforms: Vec<Shown>,
    heads: Vec<Head>,
}

#[derive(Debug, Serialize)]
struct Head {
    name: String,
    r_squared: Number,
    nll: Number,
    distance: Number,
    p: Number,
}

impl Calibration {
    pub(super) fn new(split: &Split<'_>, gallery: &mut Gallery) -> Self {
        let of = &split.decomposed;
        let names = of.words.names;
        let heads = [("x1", names.x1.clone()), ("x2", names.x2.clone()), ("joint", "both".to_owned())];
        let predictions = predictions(split, gallery);
        let mut transforms = Vec::new();
        let found_of_heads = [&split.summary.pit.x1, &split.summary.pit.x2, &split.summary.pit.joint];
        for (place, ((head, name), found)) in heads.iter().zip(found_of_heads).enumerate() {
            let Some(found) = found else { continue };
            let figure = Figure {
                name: format!("{}-pit-{head}", of.anchor),
                title: format!("Probability integral transforms of {name} on {}", of.name),
                description: format!(
                    "Histogram of F(y|x) in tenths: {}. Uniform would be 10 % in each; the distance is {:.3}.",
                    found.shares.iter().map(|share| format!("{:.1} %", 100.0 * share)).collect::<Vec<_>>().join(", "),
                    found.distance
                ),
                drawing: tenths(&found.shares, &format!("c{}", place + 1), &format!("F(y|x), {name}")),
            };
            transforms.push(
                gallery.hang(figure, &format!("Calibration of {name}: level with the dashed line where it is right.")),
            );
        }
        let row = |(head, name): &(&str, String)| Head {
            name: name.clone(),
            r_squared: of.number(&["r_squared", head], As::Nats),
            nll: of.number(&["nll", head], As::Nats),
            distance: of.number(&["pit", head, "distance"], As::Nats),
            p: of.number(&["pit", head, "p_value"], As::Chance),
        };
        Self { predictions, transforms, heads: heads.iter().map(row).collect() }
    }
}

/// The means that both modalities predict against the target, where there is one target.
fn predictions(split: &Split<'_>, gallery: &mut Gallery) -> Option<Shown> {
    let (targets, predictions) = split.samples.target.as_ref()?;
    let both = with_room(range_of([range(targets), range(predictions)].iter().flat_map(|(low, high)| [*low, *high])));
    let rows = thinned(targets.len(), POINTS);
    let points = rows.iter().map(|row| (targets[*row], predictions[*row])).collect();
    let of = &split.decomposed;
    let figure = Figure {
        name: format!("{}-predictions", of.anchor),
        title: format!("Predicted means against {} on {}", of.words.label, split.name),
        description: format!(
            "Scatter plot of {} samples; both modalities explain {:.3} of the variance.",
            rows.len(),
            split.summary.r_squared.joint
        ),
        drawing: scatter(
            &[Points { name: "samples".to_owned(), points }],
            ("target", "predicted by both"),
            (both, both),
            true,
        ),
    };
    let (drawn, all) = (thousands(&rows.len().to_string()), thousands(&targets.len().to_string()));
    let caption = format!("{drawn} of {all} samples; on the dashed diagonal the predicted mean is the target.");
    Some(gallery.hang(figure, &caption))
}
