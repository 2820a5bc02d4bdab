//! Planted labels are found, from end to end.

use lsmi_candle::features::{Classes, FeatureSet};
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_core::SampleIds;
use lsmi_core::families::{FamilyName, Settings as FamilySettings};
use lsmi_core::random::stream;
use lsmi_guide::experiments::clean::{Noise, PlantedSettings, find_planted, find_suspects};
use lsmi_guide::experiments::ensemble::EnsembleError;

#[test]
fn planted_labels_of_a_clear_family_are_found() {
    let family = FamilyName::Rdn.build(&FamilySettings { dims: 2, ..FamilySettings::default() }).unwrap();
    let draw = family.sample(200, &mut stream(0, "clean test"));
    let samples = FeatureSet::new(
        SampleIds::rows(200),
        Matrix::new(200, 2, draw.x1).unwrap(),
        Matrix::new(200, 2, draw.x2).unwrap(),
        draw.labels,
    )
    .unwrap();
    let classes = Classes::new(vec!["no".to_owned(), "yes".to_owned()]).unwrap();
    let mut settings = PlantedSettings { seeds: 2, noise: Noise::ByClassShare, ..PlantedSettings::default() };
    settings.estimator.folds = 2;
    let found = find_planted(&samples, &classes, &settings, None, &mut |_, _| {}).unwrap();
    assert_eq!((found.planted, found.rows, found.seeds), (20, 200, 2));
    // Both modalities show the label three deviations either way: nearly every wrong label stands out.
    for row in &found.scores {
        assert!(row.average_precision.mean > 0.9 && row.precision.mean > 0.85, "{row:?}");
        assert!(row.recall_at_twice.mean >= row.precision.mean, "{row:?}");
    }
    let expected = found.scores[0].average_precision.mean - found.scores[1].average_precision.mean;
    assert!((found.average_precision.difference.mean - expected).abs() < 1e-12);

    // One label that is wrong for sure is the first suspect.
    let mut wrong = samples.clone();
    wrong.labels[7] = 1 - wrong.labels[7];
    let suspects = find_suspects(&wrong, &classes, &settings.estimator).unwrap();
    assert_eq!((suspects[0].row, suspects[0].contradiction.by_all), (7, true));
    assert_eq!(suspects[0].says, [samples.labels[7]; 4]);

    let nothing = PlantedSettings { rate: 0.0, ..settings };
    let error = find_planted(&samples, &classes, &nothing, None, &mut |_, _| {}).unwrap_err();
    assert!(matches!(error, EnsembleError::TooFew { what: "planted labels", .. }), "{error}");
}
