//! `lsmi models` against a hub on this machine.

use std::collections::BTreeMap;

use assert_cmd::assert::Assert;
use serde_json::Value;

use crate::place::{Place, stderr, stdout};
use crate::server::{Answer, Request, Server};

const COMMIT: &str = "1110a243fdf4706b3f48f1d95db1a4f5529b4d41";
const WEIGHTS: &str = "weights of a tiny model";
const SECRET: &str = "hf_secret";

const MANIFEST: &str = r#"
name = "tiny"
repository = "org/tiny"
architecture = "bert"
modality = "text"
embedding_width = 32
pooling = "mean"
normalize = true
licence = "MIT"
citation = ["Nobody, \"Nothing\", Nowhere 2020"]
[preprocessing]
max_tokens = 16
[[files]]
path = "config.json"
bytes = 2
[[files]]
path = "model.safetensors"
"#;

/// Answers as the hub does for a repository with a configuration and weights.
pub(crate) fn answer(request: &Request) -> Answer {
    let header = |answer: Answer, etag: &str| answer.with("ETag", etag).with("X-Repo-Commit", COMMIT);
    let files = r#"[{"rfilename": "config.json"}, {"rfilename": "model.safetensors"}, {"rfilename": "README.md"}]"#;
    match request.path.rsplit('/').next().unwrap() {
        "config.json" => header(Answer::new(200, "{}"), "\"72b987fd805cfa2b58c4c8c952b274a11bfd5a00\""),
        "model.safetensors" => header(Answer::new(200, WEIGHTS), "\"82b987fd805cfa2b58c4c8c952b274a11bfd5a00\""),
        _ if request.path.starts_with("/api/models/org/") => {
            Answer::new(200, format!(r#"{{"sha": "{COMMIT}", "siblings": {files}}}"#))
        }
        _ => Answer::new(404, "").with("X-Error-Code", "RepoNotFound"),
    }
}

/// A directory with a folder of manifests.
pub(crate) fn place() -> Place {
    let place = Place::new();
    std::fs::create_dir(place.path("manifests")).unwrap();
    place.write("manifests/tiny.toml", MANIFEST);
    place
}

/// Runs `lsmi models` with the cache in the directory; variables are added.
pub(crate) fn models(place: &Place, endpoint: &str, words: &str, variables: &[(&str, &str)]) -> Assert {
    let mut command = assert_cmd::cargo::cargo_bin_cmd!("lsmi");
    for name in ["HF_HUB_CACHE", "HF_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE", "LSMI_MODELS_LOCK", "COLUMNS"] {
        command.env_remove(name);
    }
    command.current_dir(place.path(".")).env("HF_HOME", place.path("hf")).env("HF_ENDPOINT", endpoint);
    command.env("LSMI_MODELS", place.path("manifests")).envs(variables.iter().copied());
    let shown = command.arg("models").args(words.split_whitespace()).assert();
    assert!(!format!("{}{}", stdout(&shown), stderr(&shown)).contains(SECRET));
    shown
}

fn json(shown: &Assert) -> Value {
    serde_json::from_str(&stdout(shown)).unwrap()
}

fn cached_weights(place: &Place) -> std::path::PathBuf {
    place.path(&format!("hf/hub/models--org--tiny/snapshots/{COMMIT}/model.safetensors"))
}

#[test]
fn a_model_is_listed_shown_pulled_and_verified() {
    let (place, server) = (place(), Server::new(answer));
    let run = |words: &str| models(&place, &server.url(), words, &[("HF_TOKEN", SECRET)]);
    let entry =
        |listed: &Value| listed.as_array().unwrap().iter().find(|model| model["name"] == "tiny").unwrap().clone();
    let listed = json(&run("list --json").success());
    assert_eq!(listed.as_array().unwrap().len(), 18);
    assert_eq!(entry(&listed)["cached"], "no");
    assert!(stdout(&run("list").success()).contains("sentence-transformers/all-MiniLM-L6-v2"));
    assert!(stderr(&run("verify").success()).contains("no model is in the cache"));
    assert!(server.requests().is_empty());

    let pulled = run("pull tiny --json").success();
    assert!(stderr(&pulled).contains(&format!("tiny: 2 files of org/tiny at {COMMIT} are there and checked")));
    assert_eq!(json(&pulled)[0]["files"]["model.safetensors"], cached_weights(&place).to_str().unwrap());
    assert_eq!(std::fs::read_to_string(cached_weights(&place)).unwrap(), WEIGHTS);
    assert_eq!(server.requests().len(), 3);
    assert!(!place.text("hf/hub/lsmi-models.lock").contains(SECRET));

    // Offline from here on: everything is there.
    for words in ["pull tiny --offline --quiet", "verify", "verify tiny"] {
        assert_eq!(stderr(&run(words).success()), "");
    }
    assert_eq!(entry(&json(&run("list --json").success()))["cached"], "yes");
    let shown = json(&run("show tiny --json").success());
    assert_eq!((&shown["commit"], &shown["cached"][1]), (&COMMIT.into(), &"model.safetensors".into()));
    let shown: BTreeMap<String, toml::Value> = toml::from_str(&stdout(&run("show tiny").success())).unwrap();
    assert_eq!(shown["repository"].as_str(), Some("org/tiny"));
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_damaged_file_is_found_and_mended() {
    let (place, server) = (place(), Server::new(answer));
    let run = |words: &str| models(&place, &server.url(), words, &[]);
    run("pull tiny").success();
    std::fs::write(cached_weights(&place), "something else").unwrap();
    for words in ["verify", "verify tiny", "pull tiny"] {
        let refused = run(words).code(3);
        let message = stderr(&refused);
        assert!(message.contains("model.safetensors: its size in bytes is 14, but the lock"), "{message}");
        assert!(message.contains("says 23") && message.contains("lsmi models pull --again"), "{message}");
    }
    let states = json(&run("verify --json").code(3));
    assert_eq!((&states[0]["state"], &states[1]["state"]), (&"right".into(), &"wrong".into()));
    run("pull --again tiny").success();
    run("verify tiny").success();
    assert_eq!(std::fs::read_to_string(cached_weights(&place)).unwrap(), WEIGHTS);
}

#[test]
fn a_repository_needs_no_manifest() {
    let place = place();
    let bert = Server::new(|request| match request.path.rsplit('/').next().unwrap() {
        "config.json" => Answer::new(200, r#"{"model_type": "bert"}"#).with("X-Repo-Commit", COMMIT),
        _ => answer(request),
    });
    let run = |words: &str| models(&place, &bert.url(), words, &[]);
    run("pull org/other").success();
    assert!(place.path(&format!("hf/hub/models--org--other/snapshots/{COMMIT}/config.json")).exists());
    assert!(stdout(&run("verify").success()).contains("org/other"));
    assert!(stdout(&run("verify org/other").success()).contains("right"));
    run("pull org/other --offline").success();
    run("verify org/never").code(1);
}

/// Of a network that is not built in nothing but the configuration is downloaded.
#[test]
fn the_architecture_comes_before_the_weights() {
    let place = place();
    let server = Server::new(|request| match request.path.rsplit('/').next().unwrap() {
        "config.json" => Answer::new(200, r#"{"model_type": "gpt2"}"#).with("X-Repo-Commit", COMMIT),
        _ => answer(request),
    });
    let message = stderr(&models(&place, &server.url(), "pull org/other", &[]).code(3));
    assert!(message.contains("the architecture `gpt2` is not known"), "{message}");
    assert!(!server.requests().iter().any(|request| request.path.ends_with("model.safetensors")));
}

#[test]
fn failures_have_their_exit_statuses() {
    let place = place();
    let server = Server::new(answer);
    let gated = Server::new(|_| Answer::new(401, "").with("X-Error-Code", "GatedRepo"));
    let wrong =
        Server::new(
            |request| {
                if request.path.ends_with("config.json") { Answer::new(200, "{  }") } else { answer(request) }
            },
        );
    let gone = Server::new(answer).url();
    let slow = Server::new(|request| answer(request).after(std::time::Duration::from_secs(5)));
    for (endpoint, words, code, expected) in [
        (server.url(), "pull nothing", 2, "there is no model `nothing`: name one of bert-base-uncased"),
        (server.url(), "pull absent/model", 2, "absent/model: there is no such repository"),
        (server.url(), "pull manifests", 2, "manifests is a directory"),
        (server.url(), "pull tiny --again --offline", 2, "not possible offline"),
        (server.url(), "show org/tiny", 2, "there is no manifest of org/tiny"),
        ("hub.example.org".to_owned(), "pull tiny", 2, "HF_ENDPOINT"),
        (server.url(), "pull tiny --offline", 1, "is not in the cache and the hub is not to be asked"),
        (server.url(), "verify tiny", 1, "config.json of tiny is not in the cache"),
        (gated.url(), "pull tiny", 1, "set HF_TOKEN"),
        (gone, "pull tiny", 1, "no whole answer in 4 attempts"),
        (slow.url(), "pull tiny", 1, "no whole answer in 4 attempts"),
        (wrong.url(), "pull tiny", 3, "config.json: its size in bytes is 4, but the manifest says 2"),
    ] {
        // The commit that one of these may find out is nobody else's.
        let _ = std::fs::remove_dir_all(place.path("hf"));
        let shown = models(&place, &endpoint, words, &[("HF_HUB_DOWNLOAD_TIMEOUT", "0.2")]).code(code);
        assert!(stderr(&shown).contains(expected), "{words}: {}", stderr(&shown));
        assert_eq!(stdout(&shown).matches("missing").count(), usize::from(words.starts_with("verify")) * 2);
    }
    let _ = std::fs::remove_dir_all(place.path("hf"));
    let shown = models(&place, &server.url(), "pull tiny", &[("HF_HUB_OFFLINE", "1")]).code(1);
    assert!(stderr(&shown).contains("the commit of org/tiny at main is not in the cache"), "{}", stderr(&shown));
}

#[test]
fn a_wrong_manifest_is_named() {
    let place = place();
    for (content, expected) in [
        (MANIFEST.replace("mean", "average"), "tiny.toml: not a manifest"),
        (MANIFEST.replace("bert", "bort"), "the architecture `bort` is not known; known are bert"),
        (MANIFEST.replace("\"tiny\"", "\"other\""), "`name` is `other`"),
        (MANIFEST.replace("max_tokens", "tokens"), "[preprocessing] of text: unknown field `tokens`"),
    ] {
        place.write("manifests/tiny.toml", content);
        let refused = models(&place, "http://127.0.0.1:9", "list", &[]).code(3);
        assert!(stderr(&refused).contains(expected), "{}", stderr(&refused));
    }
}
