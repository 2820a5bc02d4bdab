//! The ways in which the hub answers: at once, by redirects, with refusals.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use lsmi_candle::embedding::hub::{Hub, HubConfig, HubError};

use crate::hub::place::{
    COMMIT, ETAG, OTHER_COMMIT, Place, SECRET, get, info, large, refusal, repository, sha256, small, weights,
};
use crate::hub::server::{Answer, Server};

#[test]
fn a_small_file_lies_where_python_looks_for_it() {
    let server = Server::new(|_| small("{}"));
    let place = Place::new();
    let hub = place.hub(&server.url());
    let path = get(&hub, "1_Pooling/config.json").unwrap();
    assert_eq!(path, place.in_folder(&format!("snapshots/{COMMIT}/1_Pooling/config.json")));
    assert_eq!(fs::read(&path).unwrap(), b"{}");
    assert_eq!(place.blobs(), [ETAG]);
    #[cfg(unix)]
    assert_eq!(fs::read_link(&path).unwrap().to_str().unwrap(), format!("../../../blobs/{ETAG}"));
    // The second time nothing is asked.
    get(&hub, "1_Pooling/config.json").unwrap();
    assert_eq!(server.paths(), [format!("/org/name/resolve/{COMMIT}/1_Pooling/config.json")]);
}

#[test]
fn redirects_to_a_relative_address_are_followed() {
    let server = Server::new(|request| {
        if request.path.starts_with("/api/resolve-cache/") {
            small("{}")
        } else {
            Answer::redirect(307, &format!("/api/resolve-cache/models/org/name/{COMMIT}/config.json?x=%2F"))
        }
    });
    let place = Place::new();
    assert_eq!(fs::read(get(&place.hub(&server.url()), "config.json").unwrap()).unwrap(), b"{}");
    assert_eq!(server.paths()[1], format!("/api/resolve-cache/models/org/name/{COMMIT}/config.json?x=%2F"));
    assert_eq!(place.blobs(), [ETAG]);
}

#[test]
fn a_token_goes_to_the_hub_and_nowhere_else() {
    let content = Arc::new(weights());
    let sent = content.clone();
    // Another port is another host. Its own etag means nothing.
    let store = Server::new(move |request| Answer::new(200, &**sent).with("ETag", "\"md5\"").ranged(request));
    let location = format!("{}/signed?signature=abc", store.url());
    let etag = sha256(&content);
    let size = content.len().to_string();
    let server = Server::new(move |_| {
        Answer::redirect(302, &location)
            .with("X-Linked-Etag", &format!("\"{etag}\""))
            .with("X-Linked-Size", &size)
            .with("X-Repo-Commit", COMMIT)
    });
    let place = Place::new();
    let path = get(&place.with_token(&server.url()), "model.safetensors").unwrap();
    assert_eq!(fs::read(path).unwrap(), *content);
    assert_eq!(place.blobs(), [sha256(&content)]);
    assert_eq!(server.requests()[0].header("authorization"), Some("Bearer hf_secret"));
    let asked = store.requests();
    assert_eq!((asked.len(), asked[0].header("authorization")), (1, None));
    assert!(!place.everything().contains(SECRET));
}

#[test]
fn nobody_sends_a_token_who_has_none() {
    let server = Server::new(|_| small("{}"));
    get(&Place::new().hub(&server.url()), "config.json").unwrap();
    assert_eq!(server.requests()[0].header("authorization"), None);
}

#[test]
fn an_endpoint_may_have_a_path() {
    let server = Server::new(|_| small("{}"));
    get(&Place::new().hub(&format!("{}/mirror/", server.url())), "a b.json").unwrap();
    assert_eq!(server.paths(), [format!("/mirror/org/name/resolve/{COMMIT}/a%20b.json")]);
}

#[test]
fn gated_repositories_say_what_to_do() {
    let server = Server::new(|request| match request.header("authorization") {
        Some(_) => Answer::new(403, "no").with("X-Error-Code", "GatedRepo"),
        None => Answer::new(401, "no").with("X-Error-Code", "GatedRepo"),
    });
    let place = Place::new();
    let page = format!("{}/org/name", server.url());
    let message = refusal(get(&place.hub(&server.url()), "config.json"));
    assert!(message.contains("status 401") && message.contains("accept its licence on"), "{message}");
    assert!(message.contains(&page) && message.contains("set HF_TOKEN"), "{message}");
    let message = refusal(get(&place.with_token(&server.url()), "config.json"));
    assert!(message.contains("status 403") && message.contains("the account of the token may not"), "{message}");
    // Asking again would not help.
    assert_eq!(server.requests().len(), 2);
    // A refusal without a reason is what a name gets that does not exist.
    let server = Server::new(|_| Answer::new(401, "no").with("X-Error-Code", "RepoNotFound"));
    let message = refusal(get(&place.hub(&server.url()), "config.json"));
    assert!(message.contains("there is none of this name, or it is private or gated"), "{message}");
}

#[test]
fn what_does_not_exist_is_named() {
    let server = Server::new(|request| {
        let code = if request.path.contains("config") { "EntryNotFound" } else { "RevisionNotFound" };
        Answer::new(404, "no").with("X-Error-Code", code)
    });
    let place = Place::new();
    let hub = place.hub(&server.url());
    let message = refusal(get(&hub, "config.json"));
    assert!(message.starts_with("org/name: there is no config.json (looked at http://127.0.0.1:"), "{message}");
    let message = refusal(hub.commit(&repository(), Some("v9")));
    assert!(message.starts_with("org/name: there is no such revision"), "{message}");
    assert_eq!(place.blobs().len(), 1, "only the empty part is there");
}

#[test]
fn a_branch_is_asked_for_once() {
    let server = Server::new(|_| info(COMMIT, &["model.safetensors", "config.json", "../x.json", "README.md"]));
    let place = Place::new();
    let hub = place.hub(&server.url());
    assert_eq!(hub.commit(&repository(), None).unwrap(), COMMIT);
    assert_eq!(hub.commit(&repository(), Some("main")).unwrap(), COMMIT);
    assert_eq!(server.paths(), ["/api/models/org/name/revision/main"]);
    assert_eq!(fs::read_to_string(place.in_folder("refs/main")).unwrap(), COMMIT);
    for _ in 0..2 {
        assert_eq!(hub.list(&repository(), COMMIT).unwrap(), ["config.json", "model.safetensors"]);
    }
    assert_eq!(server.paths()[1..], [format!("/api/models/org/name/revision/{COMMIT}")]);
    // Commits are commits: nobody need be asked.
    assert_eq!(hub.commit(&repository(), Some(OTHER_COMMIT)).unwrap(), OTHER_COMMIT);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn what_is_not_the_hub_is_noticed() {
    let loop_forever = Server::new(|request| Answer::redirect(302, &format!("{}x", request.path)));
    let nowhere = Server::new(|_| Answer::new(302, ""));
    let file = Server::new(|_| Answer::redirect(302, "file:///etc/passwd"));
    let teapot = Server::new(|_| Answer::new(418, ""));
    let other = Server::new(|_| Answer::new(200, "{}").with("X-Repo-Commit", OTHER_COMMIT));
    for (server, expected) in [
        (loop_forever, "more than 10 redirects"),
        (nowhere, "a redirect to nowhere"),
        (file, "neither http nor https"),
        (teapot, "status 418"),
        (other, "the commit is 2220a"),
    ] {
        let place = Place::new();
        let message = refusal(get(&place.hub(&server.url()), "config.json"));
        assert!(message.contains(expected), "{message}");
    }
    let portal = Server::new(|_| Answer::new(200, "<html>Please log in</html>"));
    let message = refusal(Place::new().hub(&portal.url()).commit(&repository(), None));
    assert!(message.contains("no description of a repository") && message.contains("HF_ENDPOINT"), "{message}");
}

#[test]
fn etags_that_are_no_names_stay_out_of_the_cache() {
    let server = Server::new(|_| Answer::new(200, "{}").with("ETag", "W/\"../../../../escape\""));
    let place = Place::new();
    get(&place.hub(&server.url()), "config.json").unwrap();
    assert_eq!(place.blobs(), [sha256(b"{}")]);
}

#[test]
fn a_server_that_is_not_there_and_one_that_is_slow() {
    let place = Place::new();
    // Nobody listens on a port that was just given back.
    let gone = Server::new(|_| small("{}")).url();
    let Err(HubError::Unreachable { attempts, .. }) = get(&place.hub(&gone), "config.json") else { panic!("answered") };
    assert_eq!(attempts, 3);

    let server = Server::new(|_| small("{}").after(Duration::from_secs(3)));
    let config = HubConfig { timeout: Duration::from_millis(100), attempts: 2, ..place.config(&server.url()) };
    let message = refusal(get(&Hub::new(config), "config.json"));
    assert!(message.contains("no whole answer in 2 attempts"), "{message}");
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn progress_comes_to_the_whole() {
    let content = Arc::new(weights());
    let sent = content.clone();
    let server = Server::new(move |request| large(request, &sent));
    let repository = repository();
    let wanted = lsmi_candle::embedding::hub::FileRequest::new(&repository, COMMIT, "model.safetensors");
    let mut seen = Vec::new();
    let mut note = |transfer: lsmi_candle::embedding::hub::Transfer<'_>| {
        assert_eq!((transfer.repository, transfer.file), ("org/name", "model.safetensors"));
        assert_eq!(transfer.total, Some(1_200_000));
        seen.push(transfer.done);
    };
    Place::new().hub(&server.url()).file(&wanted, &mut note).unwrap();
    assert!(seen.is_sorted() && seen.len() > 2);
    assert_eq!((seen[0], seen.last()), (0, Some(&1_200_000)));
}
