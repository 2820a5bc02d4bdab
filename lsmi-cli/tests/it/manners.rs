//! Manners of all commands: JSON and nothing else on stdout, nothing on stderr when quiet and all is well, no colour.

use serde_json::Value;

use crate::embed;
use crate::hub;
use crate::place::{Place, stderr, stdout};
use crate::server::Server;

/// A place with what every command needs.
fn place() -> Place {
    let place = Place::new();
    place.simulate("mixed --n 90 --dims 2", "data.safetensors");
    place.simulate("mixed --n 40 --dims 2 --seed 1", "new.safetensors");
    place.lsmi("analyze data.safetensors --folds 2 --out result --quiet").success();
    let score = "score new.safetensors --estimator result/estimator.safetensors --rows-of-a-group 16 --quiet";
    for part in 1..=2 {
        place.lsmi(&format!("{score} --shard {part}/2 --out part-{part}.csv")).success();
    }
    embed::prepare(&place);
    place.write("pairs.csv", "image,text\nelephant.png,a red square\ngradient.png,blue\n");
    place.write("joint.json", r#"{"pmf": {"000": 0.5, "011": 0.25, "101": 0.25}}"#);
    place
}

/// A command line of every command but `models pull`, which needs a hub; what it writes goes to `out` and its like.
const COMMANDS: [&str; 21] = [
    "demo --folds 2 --dims 4 --published-knife",
    "analyze data.safetensors --folds 2 --out out",
    "fit data.safetensors --folds 2 --out out.safetensors",
    "score new.safetensors --estimator result/estimator.safetensors --out out.csv",
    "score new.safetensors --estimator result/estimator.safetensors --label-free --out free.csv",
    "score new.safetensors --estimator result/estimator.safetensors --rows-of-a-group 16 --out stream.parquet",
    "simulate xor --n 20 --out xor.safetensors",
    "discrete joint.json",
    "check data.safetensors --folds 2 --rows 60",
    "compare data.safetensors --methods lsmi,pid-cvx --folds 2",
    "diff result result",
    "embed pairs.csv --image tiny-vit --text tiny-bert --out embedded.safetensors",
    "join part-1.csv part-2.csv --out joined.csv",
    "report result",
    "partition result/samples.csv --by r --fraction 0.3 --out lists",
    "guide ensemble data.safetensors --folds 2 --seeds 1 --out ensemble",
    "guide clean data.safetensors --folds 2 --seeds 1 --out clean",
    "guide align data.safetensors --folds 2 --seeds 1 --epochs 2 --width 8 --out align",
    "models list",
    "models show minilm-l6-v2",
    "models verify",
];

#[test]
fn json_is_all_of_stdout_and_quiet_is_silent() {
    let place = place();
    for words in COMMANDS {
        let told = place.offline(&format!("{words} --json --quiet")).success();
        assert_eq!(stderr(&told), "", "{words}");
        let found = serde_json::from_str::<Value>(&stdout(&told));
        assert!(found.is_ok_and(|value| value.is_object() || value.is_array()), "{words}: {}", stdout(&told));
    }
}

/// Once more, now with words. Without `--json`, only what was asked for as text is on stdout.
#[test]
fn words_go_to_stderr_without_colour_or_bars() {
    let place = place();
    for words in COMMANDS.iter().filter(|words| !words.starts_with("demo")) {
        let told = place.offline(words).success();
        let (out, err) = (stdout(&told), stderr(&told));
        assert_eq!(out.is_empty(), !words.starts_with("models") || words.ends_with("verify"), "{words}: {out}");
        assert!(!out.contains('\u{1b}') && !err.contains('\u{1b}') && !err.contains('\r'), "{words}: {err}");
        assert!(err.lines().count() < 120, "{words}: {err}");
    }
}

/// `models pull`, from a hub on this machine.
#[test]
fn a_pull_has_the_same_manners() {
    let (place, server) = (hub::place(), Server::new(hub::answer));
    let pull = |words: &str| hub::models(&place, &server.url(), words, &[("NO_COLOR", "1")]);
    let told = pull("pull tiny --json --quiet").success();
    assert_eq!(stderr(&told), "");
    assert!(serde_json::from_str::<Value>(&stdout(&told)).is_ok_and(|value| value.is_array()), "{}", stdout(&told));
    let told = pull("pull tiny --again").success();
    let err = stderr(&told);
    assert_eq!(stdout(&told), "");
    assert!(err.lines().count() == 1 && !err.contains(['\u{1b}', '\r']), "{err}");
    let refused = pull("pull nothing --json --quiet").code(2);
    assert!(stderr(&refused).starts_with("error: ") && stdout(&refused).is_empty(), "{}", stderr(&refused));
}

#[test]
fn a_failure_is_told_however_quiet() {
    let place = Place::new();
    for (words, code) in [
        ("analyze none.npz --out out --quiet --json", 3),
        ("score none.npz --estimator none --out out.csv --quiet", 3),
        ("diff none none --quiet --json", 3),
        ("discrete none.json --quiet", 3),
        ("models show none --quiet --json", 2),
        ("models pull none --quiet --json", 2),
        ("report none --quiet --json", 3),
        ("join none.csv --out new.csv --quiet --json", 3),
        ("embed none.csv --image none --text none --out f.safetensors --quiet --json", 3),
    ] {
        let refused = place.offline(words).code(code);
        assert!(stderr(&refused).starts_with("error: "), "{words}: {}", stderr(&refused));
        assert_eq!(stdout(&refused), "", "{words}");
    }
}

#[test]
fn an_analysis_is_repeated_from_its_own_options() {
    let place = place();
    let options = "--eval new.safetensors --folds 2 --seed 3 --measures ccs,mmi --gauge standardized --prior 0.3,0.7 \
        --names left,right --format jsonl";
    place.lsmi(&format!("analyze data.safetensors {options} --out first --quiet")).success();
    place.lsmi("analyze data.safetensors --config first/config.toml --out second --quiet").success();
    assert_eq!(place.names("second"), place.names("first"));
    // The rest says when and how it was made.
    for file in ["config.toml", "estimator.safetensors", "samples.jsonl", "summary.json"] {
        assert_eq!(place.bytes(&format!("second/{file}")), place.bytes(&format!("first/{file}")), "{file}");
    }
    assert!(place.text("first/config.toml").contains("\nseed = 3\n"));
}

#[test]
fn lists_are_repeated_from_their_own_options() {
    let place = place();
    place.lsmi("partition result/samples.csv --by s --threshold -0.5,0.1 --out first --quiet").success();
    place.lsmi("partition result/samples.csv --config first/config.toml --out second --quiet").success();
    for file in place.names("first") {
        assert_eq!(place.bytes(&format!("second/{file}")), place.bytes(&format!("first/{file}")), "{file}");
    }
}
