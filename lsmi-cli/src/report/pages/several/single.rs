//! Single samples: from nothing by the Shapley value of each modality to what all of them tell.

use serde::Serialize;

use super::samples::Samples;
use super::shapley::class_of;
use super::source::Split;
use crate::report::figure::Figure;
use crate::report::figure::rows::{Row as Bars, Span, rows};
use crate::report::gallery::{Gallery, Shown};
use crate::report::number::Number;
use crate::tables::cells::{nats, signed};

/// Single samples of a split.
#[derive(Debug, Serialize)]
pub(super) struct Single {
    figures: Vec<Shown>,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    why: String,
    id: String,
    label: String,
    shapley: Vec<Number>,
    told: Number,
}

/// A sample, and why it is shown.
struct Choice {
    why: String,
    row: usize,
}

impl Single {
    /// The samples, where they have Shapley values.
    pub(super) fn new(split: &Split<'_>, gallery: &mut Gallery) -> Option<Self> {
        let samples = split.samples;
        if samples.shapley.is_empty() || samples.ids.is_empty() {
            return None;
        }
        let chosen = chosen(samples, split.modalities());
        let figures =
            chosen.iter().enumerate().map(|(place, choice)| waterfall(split, place, choice, gallery)).collect();
        let row = |choice: &Choice| Row {
            why: choice.why.clone(),
            id: samples.ids[choice.row].clone(),
            label: samples.labels[choice.row].clone(),
            shapley: samples.shapley.iter().map(|values| Number::signed(values[choice.row])).collect(),
            told: Number::nats(samples.told[choice.row]),
        };
        Some(Self { figures, rows: chosen.iter().map(row).collect() })
    }
}

/// The samples that are shown: the most typical one and the extremes, each once, and an even number of them, which fill rows.
fn chosen(samples: &Samples, modalities: &[String]) -> Vec<Choice> {
    let rows = samples.ids.len();
    let of_row = |row: usize| samples.shapley.iter().map(move |values| values[row]);
    let means: Vec<f64> = samples.shapley.iter().map(|values| lsmi_core::statistics::mean(values)).collect();
    let distance = |row: usize| of_row(row).zip(&means).map(|(value, mean)| (value - mean).powi(2)).sum::<f64>();
    let spread = |row: usize| {
        let (low, high) = of_row(row)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        high - low
    };
    let mut scores: Vec<(String, Vec<f64>)> =
        vec![("Nearest to the mean".to_owned(), (0..rows).map(|row| -distance(row)).collect())];
    let most = |(name, values): (&String, &Vec<f64>)| (format!("Told most by {name}"), values.clone());
    scores.extend(modalities.iter().zip(&samples.shapley).map(most));
    scores.extend(samples.top.clone().map(|values| ("Takes all together most".to_owned(), values)));
    scores.push(("Misled most".to_owned(), samples.told.iter().map(|value| -value).collect()));
    scores.push(("Modalities farthest apart".to_owned(), (0..rows).map(spread).collect()));
    scores.extend(samples.shared.clone().map(|values| ("Told most alike by all".to_owned(), values)));
    let mut chosen: Vec<Choice> = Vec::new();
    for (why, values) in scores {
        let free = (0..rows).filter(|row| chosen.iter().all(|choice| choice.row != *row));
        // Of equals the first.
        let best = free.reduce(|best, row| if values[row] > values[best] { row } else { best });
        chosen.extend(best.map(|row| Choice { why, row }));
    }
    chosen.truncate(chosen.len() - chosen.len() % 2);
    chosen
}

fn waterfall(split: &Split<'_>, place: usize, Choice { why, row }: &Choice, gallery: &mut Gallery) -> Shown {
    let samples = split.samples;
    let mut so_far = 0.0;
    let mut bars: Vec<Bars> = Vec::new();
    for (place, (name, values)) in split.modalities().iter().zip(&samples.shapley).enumerate() {
        let (from, value) = (so_far, values[*row]);
        so_far += value;
        // What misleads is pale with an edge, whatever the colour.
        let class = if value < 0.0 { format!("{} pale edge", class_of(place)) } else { class_of(place) };
        let spans = vec![Span { class, from, to: so_far, interval: None, shown: signed(value) }];
        bars.push(Bars { name: name.clone(), spans });
    }
    let told = samples.told[*row];
    let class = if told < 0.0 { "other pale edge" } else { "other" };
    let spans = vec![Span { class: class.to_owned(), from: 0.0, to: told, interval: None, shown: nats(told) }];
    bars.push(Bars { name: "all together".to_owned(), spans });
    let steps = bars.iter().map(|bar| format!("{} {}", bar.name, bar.spans[0].shown)).collect::<Vec<_>>().join(", ");
    let (id, label) = (&samples.ids[*row], &samples.labels[*row]);
    let figure = Figure {
        name: format!("{}-sample-{}", split.anchor, place + 1),
        title: format!("{why}: sample {id} of {}", split.name),
        description: format!("Shapley values in nats, step by step: {steps}."),
        drawing: rows(&bars, "nats", &[], true),
    };
    gallery.hang(figure, &format!("{why}: {id} ({label})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_chosen_once() {
        let samples = Samples {
            ids: ["a", "b", "c", "d", "e"].map(str::to_owned).into(),
            labels: vec!["0".to_owned(); 5],
            told: vec![1.0, 1.0, 1.0, 3.0, -2.0],
            shapley: vec![vec![0.5, 0.9, 0.1, 2.0, -1.0], vec![0.5, 0.1, 0.9, 1.0, -1.0]],
            shared: None,
            top: None,
        };
        let chosen = chosen(&samples, &["x1".to_owned(), "x2".to_owned()]);
        let rows: Vec<usize> = chosen.iter().map(|choice| choice.row).collect();
        // The means are .5 and .3, so that a is nearest; most is told by x1 of d and then by x2 of c, and e is misled. The
        // fifth would stand alone in its row.
        assert_eq!(rows, [0, 3, 2, 4]);
        assert_eq!(chosen[1].why, "Told most by x1");
    }
}
