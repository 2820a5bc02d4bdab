//! Measures of redundancy side by side, and models.

use lsmi_core::Interaction;
use serde::Serialize;

use crate::report::decomposed::symbol;
use crate::report::figure::Figure;
use crate::report::figure::bars::{Bar, bars, entry};
use crate::report::gallery::{Gallery, Shown};
use crate::report::number::{As, Number};
use crate::report::pages::two::source::{Source, Split};

/// The means of a split by several measures.
#[derive(Debug, Serialize)]
pub(crate) struct Measures {
    rows: Vec<Row>,
    figure: Option<Shown>,
}

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    raw: Vec<Number>,
    adjusted: Vec<Number>,
}

impl Measures {
    pub(crate) fn new(split: &Split<'_>, gallery: &mut Gallery) -> Self {
        let names: Vec<&str> = split.summary.measures.iter().map(|(measure, _)| measure.name()).collect();
        let rows = names.iter().map(|name| {
            let parts = |group: &str| {
                Interaction::ALL.map(|part| split.number(&["measures", name, group, part.name()], As::Nats)).into()
            };
            Row { name: (*name).to_owned(), raw: parts("raw"), adjusted: parts("adjusted") }
        });
        let figure = (names.len() > 1).then(|| gallery.hang(figure(split, &names), "Raw means by each measure."));
        Self { rows: rows.collect(), figure }
    }
}

fn figure(split: &Split<'_>, names: &[&str]) -> Figure {
    let groups: Vec<(String, Vec<Bar>)> = Interaction::ALL
        .iter()
        .map(|part| {
            let of_measure = |(place, name): (usize, &&str)| Bar {
                class: format!("c{place}"),
                value: split.value(&["measures", name, "raw", part.name()]).unwrap_or(0.0),
                interval: None,
                mark: None,
            };
            (symbol(*part).to_owned(), names.iter().enumerate().map(of_measure).collect())
        })
        .collect();
    let entries: Vec<_> = names.iter().enumerate().map(|(place, name)| entry(&format!("c{place}"), name)).collect();
    Figure {
        name: format!("{}-measures", split.anchor),
        title: format!("Raw means of {} by measure", split.name),
        description: format!("Bars of R, U1, U2 and S by {}; the values stand in the table.", names.join(", ")),
        drawing: bars(&groups, "nats (raw)", &entries),
    }
}

/// What a model has learned of a split.
#[derive(Debug, Serialize)]
pub(crate) struct Model {
    split: String,
    name: String,
    i12: Number,
    raw: Vec<Number>,
    adjusted: Vec<Number>,
    accuracy: Number,
}

/// The models, split by split.
pub(crate) fn models(source: Source<'_>) -> Vec<Model> {
    let mut models = Vec::new();
    for (split, _) in &source.folder.summary.splits {
        for (name, _) in &source.folder.summary.models {
            let at = |path: &[&str], how| {
                source.numbers().at(&[&["models", name, "splits", split.as_str()], path].concat(), how)
            };
            if source.numbers().value(&["models", name, "splits", split, "n"]).is_none() {
                continue;
            }
            let parts = |group: &str| Interaction::ALL.map(|part| at(&[group, part.name()], As::Nats)).into();
            models.push(Model {
                split: split.clone(),
                name: name.clone(),
                i12: at(&["information", "i12"], As::Nats),
                raw: parts("raw"),
                adjusted: parts("adjusted"),
                accuracy: at(&["accuracy", "joint"], As::Percent),
            });
        }
    }
    models
}
