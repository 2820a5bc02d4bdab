//! Several labels: new rows scored by the estimators that an analysis left, those of pooled labels, too.

#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

use std::fmt::Write;

use lsmi_candle::analysis::labels::{LabelsAnalysis, LabelsSettings, LabelsSummary, analyze_labels, score_labels};
use lsmi_candle::analysis::names::Names;
use lsmi_candle::analysis::{AnalysisError, Settings};
use lsmi_candle::device::DeviceChoice;
use lsmi_candle::estimator::{self, Estimator};
use lsmi_candle::features::{Data, Keys, LabelsFile, Missing, Rare};
use lsmi_candle::samples::Format;
use lsmi_core::Measure;

/// 140 samples, the last 20 of the split `test`: x1 tells the first label, which every tenth sample lacks, x2 the second; the
/// third and the fourth are 1 in five samples each.
fn file() -> LabelsFile {
    let mut table = String::from("id,split,x1_0,x2_0,y_0,y_1,y_2,y_3\n");
    for row in 0..140_u32 {
        let (one, two) = (row % 2, row / 2 % 2);
        let noise = |step: u32| f64::from(row * step % 101) / 101.0;
        let first = if row % 10 == 7 { String::new() } else { one.to_string() };
        let (x1, x2) = (f64::from(one) + 0.3 * noise(37), f64::from(two) + 0.3 * noise(53));
        let split = if row < 120 { "train" } else { "test" };
        let rare = |rest: u32| u32::from(row % 28 == rest);
        writeln!(table, "s{row},{split},{x1},{x2},{first},{two},{},{}", rare(3), rare(8)).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("labels.csv");
    std::fs::write(&path, table).unwrap();
    let keys = Keys { missing: Missing::Drop, ..Keys::default() };
    Data::from(path.as_path()).read_several_labels(&keys, None).unwrap()
}

/// The lines of the samples of the split `test`.
fn lines(analysis: &LabelsAnalysis) -> Vec<String> {
    let mut written = Vec::new();
    analysis.write_samples(&mut written, Format::Csv).unwrap();
    let text = String::from_utf8(written).unwrap();
    text.lines().filter(|line| line.contains(",test,")).map(str::to_owned).collect()
}

#[test]
fn the_estimators_of_labels_score_a_split_as_their_analysis_did() {
    let file = file();
    let fit = estimator::Settings { folds: 3, device: DeviceChoice::Cpu, ..estimator::Settings::default() };
    let measures = vec![Measure::Ccs];
    let analysis = Settings { fit, repeats: Some(1), measures: measures.clone(), ..Settings::default() };
    let settings = LabelsSettings { analysis, rare: Rare::Pool, least: Some(8) };
    let analysis = analyze_labels(&file, &settings, None).unwrap();
    // What is read back is what was written.
    let fitted: LabelsSummary = serde_json::from_str(&serde_json::to_string(analysis.summary()).unwrap()).unwrap();
    assert_eq!(fitted.pooled, ["y_2", "y_3"]);
    assert_eq!(fitted.columns_to_score(), ["y_0", "y_1", "y_2", "y_3"]);
    let estimators = || -> Vec<Estimator> {
        let analyses = analysis.analyses().iter();
        analyses
            .map(|(_, analysis)| {
                let bytes = analysis.estimator().to_bytes().unwrap();
                Estimator::from_bytes("label", &bytes, DeviceChoice::Cpu).unwrap()
            })
            .collect()
    };
    let mut new = file.clone();
    new.table.splits.remove(0);
    new.table.metadata.retain(|split| split.name != "train");
    new.labels.remove(0);
    let scored = score_labels(&new, &fitted, estimators(), &measures, &Names::default()).unwrap();
    let expected = lines(&analysis);
    // Of 20 samples two lack the first label.
    assert_eq!(expected.len(), 18 + 20 + 20);
    assert_eq!(lines(&scored), expected);
    for ((name, scored), (_, analysed)) in scored.summary().labels.iter().zip(&analysis.summary().labels) {
        let test = |summary: &lsmi_candle::analysis::summary::Summary| {
            serde_json::to_value(&summary.splits.last().unwrap().1).unwrap()
        };
        assert_eq!(test(scored), test(analysed), "{name}");
    }

    let mut few = estimators();
    few.pop();
    let refused = score_labels(&new, &fitted, few, &measures, &Names::default()).unwrap_err().to_string();
    assert!(refused.contains("the number of estimators"), "{refused}");
    let mut other = new.clone();
    other.labels[0].features = file.labels[1].features.with_any_of(&[true, true, false, false], "any".to_owned());
    let refused = score_labels(&other, &fitted, estimators(), &measures, &Names::default()).unwrap_err();
    assert!(matches!(&refused, AnalysisError::Estimator(_)), "{refused}");
}
