//! More than two modalities from outside: shared models, terms of every set, files of several arrays.

#![allow(clippy::unwrap_used, clippy::panic)]

use lsmi_candle::analysis::several::{ScoredRows, SeveralAnalysis, analyze_several};
use lsmi_candle::analysis::{self, AnalysisError};
use lsmi_candle::densities::gauge::GaugeKind;
use lsmi_candle::device::DeviceChoice;
use lsmi_candle::estimator::several::{SeveralEstimator, SeveralFit, SeveralSettings, cross_fit_several};
use lsmi_candle::estimator::{Estimator, EstimatorKind, SavedEstimator, Settings, cross_fit};
use lsmi_candle::features::{Classes, Data, FeatureError, Keys, SeveralFile, SeveralSet, Split, read_with_keys};
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_candle::samples::Format;
use lsmi_candle::{BundleError, EstimatorError};
use lsmi_core::families::{Settings as TableSettings, TableName};
use lsmi_core::lattice::PointwiseLattice;
use lsmi_core::random::stream;
use lsmi_core::statistics::mean;
use lsmi_core::{Measure, SampleIds, Subset, SubsetTerms};
use rand::Rng;
use rand_distr::StandardNormal;

use crate::bundles::rewritten;

/// Rows of three modalities of `dims` columns each, each of which shows a fair bit at distance 6 in unit noise; the label
/// is a function of the bits.
fn bits(rows: usize, dims: usize, label: impl Fn([bool; 3]) -> bool) -> (SeveralSet, Classes) {
    let mut random = stream(5, "three bits");
    let (mut modalities, mut labels) = (vec![Vec::new(); 3], Vec::new());
    for _ in 0..rows {
        let of_row: [bool; 3] = [random.random(), random.random(), random.random()];
        for (values, bit) in modalities.iter_mut().zip(of_row) {
            let noise: Vec<f64> = (0..dims).map(|_| random.sample(StandardNormal)).collect();
            let shift = if bit { 3.0 } else { -3.0 };
            values.extend(
                noise.iter().enumerate().map(|(column, noise)| if column == 0 { shift + noise } else { *noise }),
            );
        }
        labels.push(u32::from(label(of_row)));
    }
    let set = SeveralSet {
        names: ["x1", "x2", "x3"].map(str::to_owned).to_vec(),
        ids: SampleIds::rows(rows),
        modalities: modalities.into_iter().map(|values| Matrix::new(rows, dims, values).unwrap()).collect(),
        labels,
        groups: None,
    };
    (set, Classes::new(vec!["0".to_owned(), "1".to_owned()]).unwrap())
}

fn settings() -> Settings {
    Settings { folds: 3, gauge: GaugeKind::Raw, device: DeviceChoice::Cpu, ..Settings::default() }
}

fn fit(train: &SeveralSet, classes: &Classes, settings: &Settings) -> SeveralFit {
    cross_fit_several(train, classes, settings, SeveralSettings::default(), None).unwrap()
}

fn subset(name: &str) -> Subset {
    name.parse().unwrap()
}

#[test]
fn a_pair_is_the_fit_to_its_two_modalities_to_the_bit() {
    let (train, classes) = bits(240, 3, |[a, b, c]| (a && b) || c);
    let settings = Settings { repeats: 2, ..settings() };
    let several = fit(&train, &classes, &settings);
    let pair = several.pair(subset("13")).unwrap();
    let alone = cross_fit(&train.pair(subset("13")).unwrap(), &classes, &settings, None).unwrap();
    assert_eq!(pair.scores, alone.scores);
    assert_eq!(pair.estimator.to_bytes().unwrap(), alone.estimator.to_bytes().unwrap());
    // New rows: those of the pair are those of all three, whatever else is scored with them.
    let (new, _) = bits(30, 3, |[a, b, c]| (a && b) || c);
    let scores = several.estimator.score(&new).unwrap();
    assert_eq!(scores.pair(subset("13")).unwrap(), alone.estimator.score(&new.pair(subset("13")).unwrap()).unwrap());
    let first = several.estimator.score(&new.select(&[0])).unwrap();
    for (set, information) in &first.columns.informations {
        assert_eq!(information[0], scores.columns.informations[set][0], "{set}");
    }
    assert!(several.pair(subset("123")).is_err());

    // Saved, loaded and scored: the same bits. Neither kind of estimator is taken for the other.
    let bytes = several.estimator.to_bytes().unwrap();
    let loaded = SeveralEstimator::from_bytes("several", &bytes, DeviceChoice::Cpu).unwrap();
    assert_eq!(loaded.score(&new).unwrap(), scores);
    assert_eq!(loaded.to_bytes().unwrap(), bytes);
    let taken = Estimator::from_bytes("several", &bytes, DeviceChoice::Cpu).unwrap_err();
    let is_other = |found, error: &EstimatorError| matches!(error, EstimatorError::Bundle(BundleError::OtherKind { found: kind, .. }) if *kind == found);
    assert!(is_other(EstimatorKind::Several, &taken), "{taken}");
    let two = alone.estimator.to_bytes().unwrap();
    let taken = SeveralEstimator::from_bytes("two", &two, DeviceChoice::Cpu).unwrap_err();
    assert!(is_other(EstimatorKind::Two, &taken), "{taken}");
    let kind = |bytes: &[u8]| SavedEstimator::from_bytes("saved", bytes, DeviceChoice::Cpu).unwrap();
    assert!(matches!(kind(&bytes), SavedEstimator::Several(_)) && matches!(kind(&two), SavedEstimator::Two(_)));
    // The pairs of a saved estimator are those of fits to two alone, too.
    assert_eq!(loaded.pair(subset("13")).unwrap().to_bytes().unwrap(), two);
}

/// Rows of a table of three sources in four dimensions a modality, with their exact terms.
fn table(name: TableName, rows: usize) -> (SeveralSet, Classes, SubsetTerms) {
    let rendering = name.build(&TableSettings { dims: 4, ..TableSettings::default() }).unwrap();
    let draw = rendering.sample(rows, &mut stream(0, "three sources"));
    let exact = rendering.terms(&draw).unwrap();
    let set = SeveralSet {
        names: ["x1", "x2", "x3"].map(str::to_owned).to_vec(),
        ids: SampleIds::rows(rows),
        modalities: draw.modalities.into_iter().map(|values| Matrix::new(rows, 4, values).unwrap()).collect(),
        labels: draw.labels,
        groups: None,
    };
    (set, Classes::new((0..draw.classes).map(|class| class.to_string()).collect()).unwrap(), exact)
}

/// Heads fitted to 400 of 600 rows find what there is but for a hundredth of a nat, of a parity of three about .15 less. An
/// atom in the wrong place is wrong by ln 2.
#[test]
fn atoms_are_where_their_information_is() {
    for name in [TableName::Copies3, TableName::Parity3] {
        let (train, classes, exact) = table(name, 600);
        let terms = fit(&train, &classes, &settings()).scores.terms().unwrap();
        for measure in [Measure::Pm, Measure::Sx, Measure::Ccs] {
            let lattice = PointwiseLattice::<3>::new(measure).unwrap();
            let (found, exact) = (lattice.decompose(&terms).unwrap(), lattice.decompose(&exact).unwrap());
            for (row, all) in terms.information(Subset::whole(3)).iter().enumerate() {
                let sum: f64 = found.atoms.iter().map(|atoms| atoms[row]).sum();
                assert!((sum - all).abs() < 1e-9, "{name}, {measure}, row {row}: atoms sum to {sum}, not {all}");
            }
            if measure == Measure::Ccs {
                for (found, exact) in found.means().iter().zip(exact.means()) {
                    let (node, found, exact) = (&exact.node, found.atom, exact.atom);
                    assert!((found - exact).abs() < 0.2, "{name}, {node}: {found} for {exact}");
                }
            }
        }
    }
}

#[test]
fn modalities_in_another_order_have_their_terms_under_other_names() {
    let (train, classes) = bits(240, 3, |[a, b, _]| a && b);
    let turned = SeveralSet {
        modalities: [2, 0, 1].map(|place: usize| train.modalities[place].clone()).to_vec(),
        ..train.clone()
    };
    let terms = fit(&train, &classes, &settings()).scores.terms().unwrap();
    let of_turned = fit(&turned, &classes, &settings()).scores.terms().unwrap();
    let expected = terms.permuted(&[2, 0, 1]).unwrap();
    for (set, information) in of_turned.informations() {
        let difference = mean(information) - mean(expected.information(set));
        // Single modalities have the very models; those of several see their columns in another order.
        let most = if set.len() == 1 { 0.0 } else { 0.05 };
        assert!(difference.abs() <= most, "i{set} differs by {difference}");
    }
    for (set, surprisal) in of_turned.surprisals().filter(|(set, _)| set.len() == 1) {
        assert_eq!(surprisal, expected.surprisal(set).unwrap(), "h{set}");
    }
}

#[test]
fn a_file_of_three_modalities_is_read_whole_and_a_reading_of_two_says_what_it_left() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("three.csv");
    let line = |row: u32| format!("s{row},{row},{},{},{},{},{}", row * 7 % 5, row * 3 % 8, row % 4, row % 2, row % 3);
    let rows: Vec<String> = (0..20).map(line).collect();
    let rows = rows.join("\n");
    std::fs::write(&path, format!("id,x1_0,x2_0,x2_1,x3_0,y,site\n{rows}")).unwrap();
    let (data, keys) = (Data::from(&path), Keys::default());
    let names = data.modalities(&keys).unwrap();
    assert_eq!(names, ["x1", "x2", "x3"]);
    let file = data.read_several(&names, &keys).unwrap();
    let train = file.split("train").unwrap();
    assert_eq!(train.modalities.iter().map(Matrix::columns).collect::<Vec<_>>(), [1, 2, 1]);
    assert_eq!((train.ids.get(3), train.modalities[2].row(3)), ("s3".into(), &[3.0][..]));
    let carried: Vec<&str> = file.metadata_of("train").iter().map(|column| column.name.as_str()).collect();
    assert_eq!(carried, ["site"]);
    assert!(file.notes.is_empty(), "{:?}", file.notes);

    let two = read_with_keys(&path, &keys).unwrap();
    assert!(two.notes.iter().any(|note| note.starts_with("x3 is in the file but was not used")), "{:?}", two.notes);
    assert_eq!(two.split("train").unwrap().x2, train.modalities[1]);

    let chosen = data.read_several(&["x3".to_owned(), "x1".to_owned()], &keys).unwrap();
    assert_eq!(chosen.split("train").unwrap().modalities[0], train.modalities[2]);
    let wrong = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        data.read_several(&names, &keys).unwrap_err()
    };
    assert!(matches!(wrong(&["x1", "x1"]), FeatureError::Modalities { .. }));
    assert!(matches!(wrong(&["x1", "x2", "x4"]), FeatureError::MissingArray { array, .. } if array == "x4"));
}

/// 150 rows to be fitted and 20 others.
fn train_and_test() -> SeveralFile {
    let (train, classes) = bits(150, 2, |[a, b, c]| (a && b) || c);
    let (test, _) = bits(20, 2, |[a, b, c]| (a && b) || c);
    let split = |name: &str, features| Split { name: name.to_owned(), features };
    SeveralFile {
        names: train.names.clone(),
        splits: vec![split("train", train), split("test", test)],
        metadata: Vec::new(),
        classes,
        notes: Vec::new(),
        path: "three.npz".into(),
    }
}

/// The lines of the samples of a split, and what the summary says of it.
fn of_split(analysis: &SeveralAnalysis, name: &str) -> (Vec<String>, serde_json::Value) {
    let mut written = Vec::new();
    analysis.write_samples(&mut written, Format::Csv).unwrap();
    let text = String::from_utf8(written).unwrap();
    let is_of_split = |line: &&str| line.split(',').nth(1) == Some(name);
    let lines = text.lines().take(1).chain(text.lines().filter(is_of_split)).map(str::to_owned).collect();
    (lines, serde_json::to_value(analysis.summary()).unwrap()["splits"][name].clone())
}

#[test]
fn a_saved_estimator_scores_a_split_as_its_analysis_did_by_every_measure() {
    let file = train_and_test();
    let measures = vec![Measure::Ccs, Measure::Mmi, Measure::Pm];
    let settings = analysis::Settings {
        repeats: Some(2),
        measures: measures.clone(),
        fit: settings(),
        ..analysis::Settings::default()
    };
    let analysis = analyze_several(&file, &settings, SeveralSettings::default(), None).unwrap();
    let bytes = analysis.estimator().to_bytes().unwrap();
    let estimator = SeveralEstimator::from_bytes("saved", &bytes, DeviceChoice::Cpu).unwrap();
    let rows = ScoredRows::score(&file.splits[1], &estimator, &[]).unwrap();
    let scored = SeveralAnalysis::of_scored(estimator, vec![rows], &measures, "the label", &[]).unwrap();
    let (expected, found) = (of_split(&analysis, "test"), of_split(&scored, "test"));
    assert_eq!(found.0.len(), 21);
    assert_eq!(found, expected);
    assert_eq!(scored.summary().data_hash, analysis.summary().data_hash);
    assert_eq!(analysis.summary().data_hash, file.splits[0].features.hash());

    // Measures of any number of modalities decompose all of them, those of two each pair.
    let names: Vec<&str> = found.0[0].split(',').collect();
    for name in ["{1}{2}{3}_ccs", "redundancy_ccs", "{123}_pm", "r_13_mmi", "u3_13_ccs", "s_23_pm"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    assert!(!names.iter().any(|name| name.starts_with('{') && name.ends_with("mmi")), "{names:?}");
    let (split, lattices) = (&found.1, found.1["lattices"].as_object().unwrap());
    assert_eq!(lattices.keys().collect::<Vec<_>>(), ["ccs"]);
    let sum: f64 = lattices["ccs"].as_object().unwrap().values().map(|atom| atom.as_f64().unwrap()).sum();
    assert!((sum - split["information"]["i123"].as_f64().unwrap()).abs() < 1e-9, "{split}");
    assert_eq!(split["redundancies"]["ccs"], lattices["ccs"]["{1}{2}{3}"]);
    // The lattice by ccs is that of an analysis by ccs, whose models are the same.
    let by_ccs = analysis::Settings { fit: Settings { measure: Measure::Ccs, ..settings.fit.clone() }, ..settings };
    let by_ccs = analyze_several(&file, &by_ccs, SeveralSettings::default(), None).unwrap();
    assert_eq!(of_split(&by_ccs, "test").1["lattice"], lattices["ccs"]);
}

#[test]
fn rows_of_another_file_are_a_split_like_any_other() {
    let whole = train_and_test();
    let (mut fitted, mut other) = (whole.clone(), whole.clone());
    fitted.splits.truncate(1);
    other.splits.remove(0);
    other.path = "other.npz".into();
    let with_other = fitted.clone().with_evaluation("eval", other.clone()).unwrap();
    assert_eq!(with_other.split("eval"), whole.split("test"));
    let settings = analysis::Settings { repeats: Some(1), fit: settings(), ..analysis::Settings::default() };
    let of = |file: &SeveralFile| analyze_several(file, &settings, SeveralSettings::default(), None).unwrap();
    let (expected, found) = (of_split(&of(&whole), "test"), of_split(&of(&with_other), "eval"));
    assert_eq!(found.0, expected.0.iter().map(|line| line.replace(",test,", ",eval,")).collect::<Vec<_>>());
    assert_eq!((&found.1["lattice"], &found.1["shapley"]), (&expected.1["lattice"], &expected.1["shapley"]));

    let taken = whole.clone().with_evaluation("test", other.clone()).unwrap_err();
    assert!(matches!(&taken, AnalysisError::SplitTaken { split, .. } if split == "test"), "{taken}");
    let mut unclear = whole.clone();
    unclear.splits[1].name = "val".to_owned();
    let unclear = fitted.clone().with_evaluation("eval", unclear).unwrap_err();
    assert!(matches!(&unclear, AnalysisError::NoTestSplit { found, .. } if found == "train, val"), "{unclear}");
    other.splits[0].features.modalities[2] = Matrix::new(20, 3, vec![0.5; 60]).unwrap();
    let wide = fitted.with_evaluation("eval", other.clone()).unwrap_err().to_string();
    assert!(wide.contains("other.npz") && wide.contains("x3"), "{wide}");
    // An estimator refuses such rows by itself, too.
    let estimator = of(&whole).estimator().clone();
    let wide = estimator.score(&other.splits[0].features).unwrap_err();
    assert!(matches!(wide, EstimatorError::Dimensions { modality: "x3", expected: 2, found: 3 }), "{wide}");
    other.splits[0].features.modalities.pop();
    other.splits[0].features.names.pop();
    let few = estimator.score(&other.splits[0].features).unwrap_err().to_string();
    assert!(few.contains("the number of modalities"), "{few}");
}

#[test]
fn damaged_bundles_of_several_modalities_are_refused() {
    let (train, classes) = bits(120, 2, |[a, b, _]| a && b);
    let settings = Settings { folds: 2, ..settings() };
    let bytes = fit(&train, &classes, &settings).estimator.to_bytes().unwrap();
    let load = |bytes: &[u8]| match SeveralEstimator::from_bytes("bundle", bytes, DeviceChoice::Cpu) {
        Err(EstimatorError::Bundle(error)) => error,
        other => panic!("{other:?}"),
    };
    for length in (0..bytes.len()).step_by(bytes.len() / 40) {
        assert!(matches!(load(&bytes[..length]), BundleError::Format { .. }), "cut to {length}");
    }
    let same = |metadata: &str| metadata.to_owned();
    for missing in ["prior", "gauge.x3.means", "fold0.density.13.factors", "fold1.head.123.weights"] {
        let error = load(&rewritten(&bytes, &same, Some(missing)));
        assert!(matches!(&error, BundleError::Tensor { tensor, .. } if tensor == missing), "{error}");
    }
    let edited = |from: &str, to: &str| {
        let changed = rewritten(&bytes, &|metadata| metadata.replacen(from, to, 1), None);
        assert!(rewritten(&bytes, &same, None) != changed, "{from} is not there");
        load(&changed)
    };
    assert!(matches!(edited("\"schema\":2", "\"schema\":1"), BundleError::OlderSchema { found: 1, .. }));
    assert!(matches!(edited("\"schema\":2", "\"schema\":9"), BundleError::NewerSchema { found: 9, .. }));
    assert!(matches!(edited("\"measure\":\"pm\"", "\"measure\":\"best\""), BundleError::Description { .. }));
    assert!(matches!(edited("\"folds\":2", "\"folds\":3"), BundleError::Tensor { .. }));
    assert!(matches!(edited("\"pairs\":{\"12\"", "\"pairs\":{\"14\""), BundleError::Tensor { .. }));
    let cut = rewritten(&bytes, &|metadata| metadata[..40].to_owned(), None);
    assert!(matches!(load(&cut), BundleError::Description { .. }));
}

#[test]
fn an_analysis_has_what_the_contract_says() {
    let file = train_and_test();
    let settings = analysis::Settings { repeats: Some(1), fit: settings(), ..analysis::Settings::default() };
    let analysis = analyze_several(&file, &settings, SeveralSettings::default(), None).unwrap();
    let summary = serde_json::to_value(analysis.summary()).unwrap();
    for name in ["train", "test"] {
        let split = &summary["splits"][name];
        let keys = |of: &serde_json::Value| {
            let mut keys: Vec<String> = of.as_object().unwrap().keys().cloned().collect();
            keys.sort();
            keys
        };
        assert_eq!(keys(&split["information"]), ["i1", "i12", "i123", "i13", "i2", "i23", "i3"], "{name}");
        assert_eq!(keys(&split["pairs"]), ["12", "13", "23"], "{name}");
        let lattice = split["lattice"].as_object().unwrap();
        assert!(lattice.len() == 18 && lattice.contains_key("{12}{3}") && lattice.contains_key("{123}"), "{lattice:?}");
        let sum: f64 = lattice.values().map(|atom| atom.as_f64().unwrap()).sum();
        assert!((sum - split["information"]["i123"].as_f64().unwrap()).abs() < 1e-9, "{name}");
        let bottom = split["redundancy"].as_f64().unwrap() - lattice["{1}{2}{3}"].as_f64().unwrap();
        assert!(bottom.abs() < 1e-12, "the bottom of the lattice is what all share");
        let shapley: f64 = split["shapley"].as_object().unwrap().values().map(|value| value.as_f64().unwrap()).sum();
        assert!((shapley - sum).abs() < 1e-9, "{name}");
    }
    let samples = analysis.samples();
    assert_eq!(samples.rows(), 170);
    let names: Vec<&str> = samples.names().collect();
    for name in ["id", "h3", "i23", "pred123", "{1}{2}{3}", "redundancy", "shapley2", "interaction13", "u3_23"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    let directory = tempfile::tempdir().unwrap();
    analysis.write(directory.path()).unwrap();
    let written = std::fs::read_to_string(directory.path().join("samples.csv")).unwrap();
    assert_eq!(written.lines().count(), 171);
    let refused = analysis::Settings { permutations: 9, ..settings };
    assert!(analyze_several(&file, &refused, SeveralSettings::default(), None).is_err());
}
