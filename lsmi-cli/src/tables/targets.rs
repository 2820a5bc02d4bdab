//! The closing table of `analyze --target continuous`, for people.

use crate::tables::cells::{nats, row, table};
use lsmi_candle::analysis::continuous::ContinuousSummary;
use lsmi_candle::analysis::names::Names;

/// Everything that is shown when samples with continuous targets were analysed.
pub(crate) fn closing(names: &Names, summary: &ContinuousSummary) -> String {
    let mut information = table(&["target", "split", "samples", "I(x1;y)", "I(x2;y)", "I(x1,x2;y)"]);
    let unique1 = format!("U1 {} alone", names.x1);
    let unique2 = format!("U2 {} alone", names.x2);
    let mut interactions = table(&["target", "split", "R both alike", &unique1, &unique2, "S only together"]);
    let mut fit = table(&["target", "split", "R² x1", "R² x2", "R² both", "PIT distance x1", "x2", "both"]);
    for target in &summary.targets {
        let name = target.columns.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        for (split, of) in &target.splits {
            let first = [split.clone()];
            let terms = [of.information.i1, of.information.i2, of.information.i12].map(nats);
            information.add_row(row(&name, &[&first[..], &[of.n.to_string()], &terms].concat()));
            let adjusted = [of.adjusted.r, of.adjusted.u1, of.adjusted.u2, of.adjusted.s].map(nats);
            interactions.add_row(row(&name, &[&first[..], &adjusted].concat()));
            let shares = [of.r_squared.x1, of.r_squared.x2, of.r_squared.joint].map(|share| format!("{share:.3}"));
            let distances = [&of.pit.x1, &of.pit.x2, &of.pit.joint]
                .map(|pit| pit.as_ref().map_or_else(String::new, |pit| format!("{:.3}", pit.distance)));
            fit.add_row(row(&name, &[&first[..], &shares, &distances].concat()));
        }
    }
    let (measure, gauge) = (summary.measure, summary.gauge);
    let remarks = summary.warnings.iter().map(|warning| format!("warning: {warning}"));
    let remarks = remarks.chain(summary.notes.iter().map(|note| format!("note: {note}")));
    let remarks = [String::new()].into_iter().chain(remarks).collect::<Vec<_>>().join("\n");
    format!(
        "\nHow much the modalities tell about the target (means, nats)\n{information}\n\
         \nInteractions (adjusted means, nats; measure {measure}, {gauge} gauge)\n{interactions}\n\
         \nHow well the target is predicted, and how far predictive distributions are from calibrated\n{fit}{remarks}"
    )
}
