//! What a model is, where a cache holds only a part of its files.

use lsmi_candle::embedding::manifests::{Asked, Modality, ModelError, Registry, Resolved, resolve};

use crate::hub::place::{COMMIT, Place, info, small};
use crate::hub::server::{Answer, Server};

const MODULES: &str = r#"[{"type": "sentence_transformers.models.Transformer", "path": ""},
    {"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"}]"#;

/// A cache that another client filled, which did not ask for the files of a sentence encoder.
fn filled() -> Place {
    let place = Place::new();
    place.write("refs/main", COMMIT);
    for (name, content) in
        [("config.json", r#"{"model_type": "bert"}"#), ("model.safetensors", ""), ("tokenizer.json", "{}")]
    {
        place.write(&format!("snapshots/{COMMIT}/{name}"), content);
    }
    place.write(&format!(".no_exist/{COMMIT}/adapter_config.json"), "");
    place
}

fn described(hub: &lsmi_candle::embedding::hub::Hub, asked: Asked) -> Result<Resolved, ModelError> {
    resolve("org/name", asked, &Registry::built_in().unwrap(), hub, &mut |_| ())
}

#[test]
fn what_a_cache_lacks_is_downloaded_or_refused() {
    let place = filled();
    let asked = Asked::of(Modality::Text);
    let message = described(&place.offline(), asked).unwrap_err().to_string();
    assert!(
        message.contains("there is no modules.json") && message.contains("let the hub be asked for it once"),
        "{message}"
    );
    let chosen = Asked { pooling_is_chosen: true, ..asked };
    assert!(described(&place.offline(), chosen).unwrap().description.notes.is_empty());

    let server = Server::new(|request| match &request.path {
        path if path.ends_with("/modules.json") => small(MODULES),
        // Blobs are named by their etags, so that of another file is another.
        path if path.ends_with("/1_Pooling/config.json") => Answer::new(200, r#"{"pooling_mode": "max"}"#)
            .with("ETag", "\"82b987fd805cfa2b58c4c8c952b274a11bfd5a00\"")
            .with("X-Repo-Commit", COMMIT),
        path if path.starts_with("/api/models/") => info(
            COMMIT,
            &["1_Pooling/config.json", "config.json", "model.safetensors", "modules.json", "tokenizer.json"],
        ),
        _ => Answer::new(404, "").with("X-Error-Code", "EntryNotFound"),
    });
    let model = described(&place.hub(&server.url()), asked).unwrap();
    assert_eq!(model.description.pooling.unwrap().to_string(), "max");
    let asked_for = server.paths().into_iter().filter(|path| path.contains("/resolve/")).count();
    assert_eq!(asked_for, 2, "{:?}", server.paths());
    // From now on it is known without a network.
    let again = described(&place.offline(), asked).unwrap();
    assert_eq!(again.description.pooling.unwrap().to_string(), "max");
}

/// A cache that has the modules but may lack the prompts is not whole either.
#[test]
fn prompts_that_a_cache_may_lack_are_not_passed_over() {
    let place = filled();
    place.write(&format!("snapshots/{COMMIT}/modules.json"), MODULES);
    place.write(&format!("snapshots/{COMMIT}/1_Pooling/config.json"), r#"{"pooling_mode": "max"}"#);
    let asked = Asked::of(Modality::Text);
    let message = described(&place.offline(), asked).unwrap_err().to_string();
    assert!(message.contains("there is no sentence_bert_config.json"), "{message}");
    let [prompts, lengths] = ["config_sentence_transformers.json", "sentence_bert_config.json"];
    place.write(&format!(".no_exist/{COMMIT}/{lengths}"), "");
    let message = described(&place.offline(), asked).unwrap_err().to_string();
    assert!(message.contains(&format!("there is no {prompts}")), "{message}");
    place.write(&format!(".no_exist/{COMMIT}/{prompts}"), "");
    assert!(described(&place.offline(), asked).is_ok());
}

/// Where the hub says that there is no such file, the model is none of that library.
#[test]
fn a_hub_that_was_asked_knows_what_there_is_not() {
    let place = filled();
    let server = Server::new(|_| info(COMMIT, &["config.json", "model.safetensors", "tokenizer.json"]));
    let asked = Asked::of(Modality::Text);
    let model = described(&place.hub(&server.url()), asked).unwrap();
    assert_eq!((model.description.pooling, model.description.notes.len()), (None, 1));
    assert!(described(&place.offline(), asked).is_ok());
}
