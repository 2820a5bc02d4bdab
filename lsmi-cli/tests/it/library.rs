//! What the command does, done by library functions: the same bytes, without the command.

use std::fs;

use lsmi_candle::analysis::{Analyzer, Evaluation, Settings, analyze};
use lsmi_candle::estimator;
use lsmi_candle::features::{Keys, read_with_classes, read_with_keys};
use lsmi_core::Measure;

use crate::place::Place;

const FILES: [&str; 3] = ["samples.csv", "summary.json", "estimator.safetensors"];

fn settings() -> Settings {
    Settings {
        fit: estimator::Settings { seed: 3, threads: 1, ..estimator::Settings::default() },
        repeats: Some(1),
        measures: vec![Measure::Ccs],
        permutations: 3,
        ..Settings::default()
    }
}

fn place() -> Place {
    let place = Place::new();
    for (seed, rows, name) in [(1, 120, "train"), (2, 60, "new")] {
        place.simulate(&format!("gauss --n {rows} --dims 3 --classes 2 --seed {seed}"), &format!("{name}.safetensors"));
    }
    place
}

#[test]
fn an_analysis_in_memory_writes_what_the_command_writes() {
    let place = place();
    let options = "--seed 3 --threads 1 --repeats 1 --measures ccs --null 3 --no-report --quiet";
    place.lsmi(&format!("analyze train.safetensors --eval new.safetensors --out command {options}")).success();

    let keys = Keys::default();
    let table = read_with_keys(&place.path("train.safetensors"), &keys).unwrap();
    let new = read_with_classes(&place.path("new.safetensors"), &keys, &table.classes).unwrap();
    let evaluations = [Evaluation::new("eval", new, &table, &keys).unwrap()];
    let settings = settings();
    let analysis = Analyzer::new(&table, &settings).with_evaluations(&evaluations).run(None).unwrap();
    analysis.write(place.path("library")).unwrap();

    for name in FILES {
        let [command, library] = ["command", "library"].map(|place_of| place.path(place_of).join(name));
        assert!(fs::read(command).unwrap() == fs::read(library).unwrap(), "{name}");
    }
    let samples = analysis.samples().unwrap();
    assert_eq!((samples.num_rows(), analysis.splits().len()), (180, 2));
    assert!(samples.column_by_name("r_ccs").is_some() && samples.column_by_name("kind").is_some());
    // The same page but for the line that says how the files were made.
    place.lsmi("report command").success();
    let page = fs::read_to_string(place.path("command/report.html")).unwrap();
    let in_memory = lsmi_cli::report(&analysis).unwrap();
    let other: Vec<&str> = in_memory.lines().filter(|line| !page.contains(*line)).collect();
    assert!(other.is_empty() && in_memory.contains("</html>"), "{other:?}");
}

#[test]
fn nothing_is_written_unless_it_is_asked_for() {
    let place = place();
    let table = read_with_keys(&place.path("train.safetensors"), &Keys::default()).unwrap();
    let before = fs::read_dir(place.path(".")).unwrap().count();
    let analysis = analyze(&table, &Settings { permutations: 0, ..settings() }).unwrap();
    assert_eq!(analysis.summary().splits[0].1.n, 120);
    assert_eq!(fs::read_dir(place.path(".")).unwrap().count(), before);

    // A directory that cannot be made holds nothing afterwards.
    fs::write(place.path("file"), "mine").unwrap();
    assert!(analysis.write(place.path("file/result")).is_err());
    assert_eq!(fs::read_to_string(place.path("file")).unwrap(), "mine");
}

#[test]
fn the_command_is_a_function() {
    let place = Place::new();
    let out = place.path("rdn.safetensors");
    let words =
        ["lsmi", "simulate", "rdn", "--n", "50", "--dims", "2", "--quiet", "--out"].map(std::ffi::OsString::from);
    assert_eq!(lsmi_cli::run(words.iter().cloned().chain([out.clone().into_os_string()])), 0);
    assert!(out.is_file());
    // The same place again is wrong usage, data that are not there cannot be used.
    assert_eq!(lsmi_cli::run(words.iter().cloned().chain([out.into_os_string()])), 2);
    let nowhere = place.path("nowhere.npz").into_os_string();
    assert_eq!(lsmi_cli::run(["lsmi".into(), "check".into(), nowhere]), 3);
}
