//! `lsmi models` against a hub on this machine.

use std::collections::BTreeMap;

use assert_cmd::assert::Assert;
use lsmi_candle::embedding::manifests::Registry;
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
    assert_eq!(listed.as_array().unwrap().len(), Registry::built_in().unwrap().iter().count() + 1);
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
    assert_eq!(shown["sizes"]["model.safetensors"], WEIGHTS.len());
    let text = stdout(&run("show tiny").success());
    assert!(text.contains(&format!("model.safetensors ({} bytes)", WEIGHTS.len())), "{text}");
    let shown: BTreeMap<String, toml::Value> = toml::from_str(&text).unwrap();
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

const BERT: &str = r#"{"model_type": "bert", "hidden_size": 32, "max_position_embeddings": 16}"#;
const MODULES: &str = r#"[{"type": "sentence_transformers.models.Transformer", "path": ""},
    {"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"},
    {"type": "sentence_transformers.models.Normalize", "path": "2_Normalize"}]"#;
const PROMPTS: &str = r#"{"prompts": {"query": "query: "}, "default_prompt_name": "query"}"#;

/// A sentence encoder, written to a folder.
fn write_encoder(place: &Place, folder: &str) {
    for (name, content) in [
        ("config.json", BERT),
        ("modules.json", MODULES),
        ("1_Pooling/config.json", r#"{"pooling_mode": "max"}"#),
        ("config_sentence_transformers.json", PROMPTS),
        ("sentence_bert_config.json", r#"{"max_seq_length": 12}"#),
        ("tokenizer.json", "{}"),
        ("model.safetensors", WEIGHTS),
    ] {
        let path = format!("{folder}/{name}");
        std::fs::create_dir_all(place.path(&path).parent().unwrap()).unwrap();
        place.write(&path, content);
    }
}

/// What others put into the cache is listed and shown without a word to the hub, as a directory is.
#[test]
fn what_is_here_is_listed_and_shown() {
    let place = place();
    let folder = "hf/hub/models--org--encoder";
    write_encoder(&place, &format!("{folder}/snapshots/{COMMIT}"));
    std::fs::create_dir_all(place.path(&format!("{folder}/refs"))).unwrap();
    place.write(&format!("{folder}/refs/main"), COMMIT);
    let other = COMMIT.replace('1', "2");
    let unknown = format!("hf/hub/models--org--unknown/snapshots/{other}");
    std::fs::create_dir_all(place.path(&unknown)).unwrap();
    place.write(&format!("{unknown}/config.json"), r#"{"model_type": "mobilebert"}"#);
    write_encoder(&place, "mine");
    let server = Server::new(answer);
    let run = |words: &str| models(&place, &server.url(), words, &[]);

    let listed = json(&run("list --json").success());
    let entry = |name: &str| listed.as_array().unwrap().iter().find(|model| model["name"] == name).unwrap().clone();
    let encoder = entry("org/encoder");
    assert_eq!((&encoder["manifest"], &encoder["architecture"]), (&false.into(), &"bert".into()));
    assert_eq!((&encoder["commit"], &encoder["embedding_width"]), (&COMMIT.into(), &32.into()));
    assert!(encoder["bytes"].as_u64().unwrap() > WEIGHTS.len() as u64);
    assert!(entry("org/unknown")["architecture"].is_null());
    let text = stdout(&run("list").success());
    assert!(text.contains("org/encoder") && text.contains(&COMMIT[..12]), "{text}");

    let at_commit = format!("org/encoder@{COMMIT}");
    for (name, place) in [("org/encoder", "commit"), (at_commit.as_str(), "commit"), ("mine", "directory")] {
        let shown = json(&run(&format!("show {name} --json")).success());
        assert_eq!(shown["architecture"], "bert", "{shown}");
        assert_eq!(shown[place], if place == "commit" { COMMIT } else { "mine" });
        let of_text = &shown["uses"][0];
        assert_eq!((&of_text["modality"], &of_text["pooling"]), (&"text".into(), &"max".into()));
        assert_eq!(of_text["steps"], serde_json::json!(["normalize"]));
        assert_eq!((&of_text["prompts"]["query"], &of_text["default_prompt"]), (&"query: ".into(), &"query".into()));
        assert_eq!((&of_text["preprocessing"]["max_tokens"], &of_text["embedding_width"]), (&12.into(), &32.into()));
        let files = shown["files"].as_array().unwrap();
        assert!(files.contains(&serde_json::json!({"path": "model.safetensors", "bytes": WEIGHTS.len()})), "{shown}");
        let text: toml::Table = toml::from_str(&stdout(&run(&format!("show {name}")).success())).unwrap();
        assert_eq!(text["uses"][0]["pooling"].as_str(), Some("max"));
    }
    let shown = json(&run("show org/unknown --json").success());
    assert!(shown["unknown"].as_str().unwrap().contains("`mobilebert` is not known; the nearest is `bert`"), "{shown}");
    assert!(server.requests().is_empty());
    // Nothing is pinned by a look at it.
    assert!(!place.path("hf/hub/lsmi-models.lock").exists());
}

/// Where a directory is here, what begins with it is not asked of the hub.
#[test]
fn a_mistyped_directory_is_not_asked_of_the_hub() {
    let (place, server) = (place(), Server::new(answer));
    write_encoder(&place, "emb/minilm");
    let message = stderr(&models(&place, &server.url(), "pull emb/minilk", &[]).code(2));
    assert!(message.contains("there is no such directory; there is emb/minilm"), "{message}");
    assert!(message.contains("emb/minilk@main"), "{message}");
    assert!(server.requests().is_empty());
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
    assert!(message.contains("the architecture `gpt2` is not known; the nearest is `qwen3`"), "{message}");
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
        (server.url(), "pull nothing", 2, "there is no model `nothing`: name one of albert-base-v2"),
        (server.url(), "pull absent/model", 2, "absent/model: there is no such repository"),
        (server.url(), "pull manifests", 2, "manifests is a directory"),
        (server.url(), "pull tiny --again --offline", 2, "not possible offline"),
        (server.url(), "pull absent/model", 2, "nor is there a directory absent/model here"),
        (server.url(), "pull manifests/tiny", 2, "there is no such directory; check the path"),
        (server.url(), "pull some/where/else", 2, "there is no such directory"),
        (server.url(), "show org/tiny", 1, "get it with lsmi models pull org/tiny"),
        ("hub.example.org".to_owned(), "pull tiny", 2, "HF_ENDPOINT"),
        (server.url(), "pull tiny --offline", 1, "is not in the cache and the hub is not to be asked"),
        (server.url(), "verify tiny", 1, "config.json of tiny is not in the cache"),
        (gated.url(), "pull tiny", 1, "set HF_TOKEN"),
        (gone.clone(), "pull tiny", 1, "no whole answer in 4 attempts"),
        (gone, "pull org/tiny", 1, "nor is there a directory org/tiny here"),
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
