//! `guide distill`: policies of distillation compared, stopped, resumed and exported.

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::place::{Place, stderr};

const QUICK: &str = "--seeds 2 --epochs 4 --quiet";

fn place() -> Place {
    let place = Place::new();
    place.lsmi("simulate mixed --n 160 --dims 2 --out mixed.safetensors --quiet").success();
    place
}

#[test]
fn policies_are_compared_and_weights_exported() {
    let place = place();
    let told = place
        .lsmi("guide distill mixed.safetensors --out found --seeds 2 --epochs 4 --policies interaction,both,random --fusion \
               --export weights.csv --json")
        .success();
    let printed: Value = serde_json::from_slice(&told.get_output().stdout).unwrap();
    assert_eq!(printed, place.json("found/distill.json"));
    assert_eq!(printed["policies"].as_array().unwrap().len(), 6);
    assert_eq!(printed["advantages"][0]["over"], "both");
    let text = stderr(&told);
    for expected in
        ["Students of", "What `interaction` is better by", "What `modality` is better by", "the teacher: accuracy"]
    {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert!(!place.path("found.partial").exists());

    let table = place.text("weights.csv");
    assert_eq!(table.lines().count(), 161);
    assert!(table.starts_with("id,feature,output,auxiliary1,auxiliary2\n0,"), "{}", &table[..40]);
    let refusal = place.lsmi("guide distill mixed.safetensors --out found").failure().code(2);
    assert!(stderr(&refusal).contains("not empty"), "{}", stderr(&refusal));
}

#[test]
fn interactions_are_tracked_if_asked_for() {
    let place = place();
    let words = "guide distill mixed.safetensors --seeds 2 --epochs 24 --policies interaction,both";
    place.lsmi(&format!("{words} --out fixed --quiet")).success();
    let told = place.lsmi(&format!("{words} --out tracked --interactions tracked")).success();
    assert!(stderr(&told).contains("interactions tracked in each student"), "{}", stderr(&told));
    let (fixed, tracked) = (place.json("fixed/distill.json"), place.json("tracked/distill.json"));
    assert_eq!(
        (&fixed["settings"]["interactions"], &tracked["settings"]["interactions"]),
        (&"fixed".into(), &"tracked".into())
    );
    // The teacher and the policy without interactions are the same, the one with them is not.
    assert_eq!((&fixed["teacher"], &fixed["policies"][1]), (&tracked["teacher"], &tracked["policies"][1]));
    assert_ne!(fixed["policies"][0]["runs"], tracked["policies"][0]["runs"]);
}

#[test]
fn a_killed_comparison_goes_on_to_the_same_bytes() {
    let place = place();
    let words = "guide distill mixed.safetensors --seeds 2 --policies interaction,random,output --epochs 200 --threads 1 --quiet --out";
    place.lsmi(&format!("{words} whole")).success();

    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("lsmi"))
        .current_dir(place.path("."))
        .args(words.split_whitespace().chain(["killed"]))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let is_running = |name: &str| name.ends_with(".safetensors");
    let began = Instant::now();
    let partial = place.path("killed.partial");
    while !fs::read_dir(&partial)
        .is_ok_and(|mut files| files.any(|file| is_running(&file.unwrap().file_name().to_string_lossy())))
    {
        assert!(began.elapsed() < Duration::from_secs(100), "no run began");
        sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(partial.exists() && !place.path("killed").exists());

    let refusal = place.lsmi(&format!("{words} killed --temperature 3")).failure().code(2);
    assert!(stderr(&refusal).contains("another run: the settings"), "{}", stderr(&refusal));
    place.lsmi(&format!("{words} killed")).success();
    assert_eq!(place.text("killed/distill.json"), place.text("whole/distill.json"));
    assert!(!partial.exists());
}

#[test]
fn what_cannot_be_done_is_wrong_usage_or_data() {
    let place = place();
    for (words, code, expected) in [
        ("--policies best", 2, "`best` is no policy"),
        ("--temperature 0", 2, "distillation temperature"),
        ("--export weights.txt", 2, ".csv or .safetensors"),
        ("--interactions guessed", 2, "tracked"),
    ] {
        let refusal =
            place.lsmi(&format!("guide distill mixed.safetensors --out found {QUICK} {words}")).failure().code(code);
        assert!(stderr(&refusal).contains(expected), "{}", stderr(&refusal));
    }
}
