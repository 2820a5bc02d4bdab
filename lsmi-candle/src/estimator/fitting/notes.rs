//! Notes for the user about a fit, in sentences.

use lsmi_core::{ClassPrior, PriorChoice};

use crate::densities::gauge::{Coordinates, Gauge, GaugeKind};
use crate::features::LOGITS;

/// The information, in nats, below which it is negligible.
const NOTHING: f64 = 0.01;
/// Rows for every column from which heads find nearly all that there is.
const ROWS_PER_COLUMN: usize = 10;

pub(in crate::estimator) fn gauge_notes(gauge: &Gauge) -> Vec<String> {
    notes_on_coordinates(gauge.kind, [("x1", &gauge.x1), ("x2", &gauge.x2)])
}

/// Returns notes on what the coordinates of each modality, given with its name, leave out.
pub(in crate::estimator) fn notes_on_coordinates<'a>(
    kind: GaugeKind,
    modalities: impl IntoIterator<Item = (&'a str, &'a Coordinates)>,
) -> Vec<String> {
    let mut notes = Vec::new();
    for (modality, coordinates) in modalities {
        let (all, varied) = (coordinates.standardizer().input_columns(), coordinates.standardizer().columns());
        if varied < all {
            notes.push(format!(
                "{} of the {all} columns of {modality} never vary in training and were left out",
                all - varied
            ));
        }
        if kind == GaugeKind::Whitened && coordinates.dims() < varied {
            notes.push(cut_note(modality, coordinates, varied));
        }
    }
    notes
}

fn cut_note(modality: &str, coordinates: &Coordinates, varied: usize) -> String {
    format!(
        "the surprisal of {modality} is measured in {} leading directions of {varied}; heads see all columns",
        coordinates.dims()
    )
}

/// Returns a note on heads that are fitted to few rows for their columns: they do not find all the information that
/// there is.
pub(in crate::estimator) fn few_rows_note(rows: usize, columns: usize) -> Option<String> {
    (rows < ROWS_PER_COLUMN * columns).then(|| {
        format!(
            "{rows} rows for {columns} columns are few: intervals speak of what these heads find, and the features may tell more"
        )
    })
}

/// Returns a note on a class prior that differs from the shares of the rows: posteriors know the classes' shares, so
/// that information relative to another prior includes the divergence of the two even if features carry none.
pub(in crate::estimator) fn prior_note(choice: &PriorChoice, prior: &ClassPrior, labels: &[u32]) -> Option<String> {
    let classes = prior.log_probabilities().len();
    let shares = ClassPrior::empirical(labels, classes).ok().filter(|_| *choice != PriorChoice::Empirical)?;
    let divergence: f64 = shares
        .log_probabilities()
        .iter()
        .zip(prior.log_probabilities())
        .map(|(share, prior)| share.exp() * (share - prior))
        .sum();
    (divergence > NOTHING).then(|| {
        format!(
            "information is measured against a class prior that is not the classes' shares in the data: {divergence:.3} nats \
             of I1, I2, I12 and with them of R come from the shares alone, whatever the features tell; U1, U2 and S do not"
        )
    })
}

/// Returns a note on logits that replace heads.
pub(in crate::estimator) fn given_heads_notes(are_given: [bool; 3]) -> Vec<String> {
    let given: Vec<&str> = LOGITS.into_iter().zip(are_given).filter_map(|(name, is)| is.then_some(name)).collect();
    if given.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "{} replace heads as they are: if the models behind them were trained on these very rows, the values of the split \
         `train` are far too good; trust those of other splits",
        given.join(", ")
    )]
}
