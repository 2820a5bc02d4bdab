//! What files are held against: the hub's hash, the manifest, the lock; and the cache without a network.

use std::fs;

use lsmi_candle::embedding::hub::{Check, FileRequest, HubError, Lock};

use crate::hub::place::{COMMIT, OTHER_COMMIT, Place, get, info, large, refusal, repository, sha256, small, weights};
use crate::hub::server::{Answer, Server};

#[test]
fn a_file_that_is_not_its_hash_is_not_kept() {
    let content = weights();
    let mut spoilt = content.clone();
    spoilt[600_000] ^= 1;
    let (expected, found) = (sha256(&content), sha256(&spoilt));
    let etag = expected.clone();
    let server = Server::new(move |request| Answer::new(200, &*spoilt).with("X-Linked-Etag", &etag).ranged(request));
    let place = Place::new();
    let message = refusal(get(&place.hub(&server.url()), "model.safetensors"));
    assert!(
        message.starts_with(&format!("model.safetensors: its sha256 is {found}, but the hub says {expected}")),
        "{message}"
    );
    assert!(place.blobs().is_empty());
    assert!(!place.in_folder(&format!("snapshots/{COMMIT}/model.safetensors")).exists());
    assert_eq!(Lock::read(&place.path("models.lock")).unwrap(), Lock::default());
}

#[test]
fn the_manifest_is_believed_before_the_hub() {
    let content = weights();
    let server = Server::new(
        move |request| {
            if request.path.ends_with("json") { small("{ }") } else { large(request, &content) }
        },
    );
    let place = Place::new();
    let hub = place.hub(&server.url());
    let repository = repository();
    let wrong = "0".repeat(64);
    for (path, bytes, sha256, expected) in [
        ("config.json", Some(2), None, "its size in bytes is 3, but the manifest says 2"),
        ("config.json", None, Some(wrong.as_str()), "but the manifest says 000"),
        ("model.safetensors", Some(2), None, "its size in bytes is 1200000, but the manifest says 2"),
        ("model.safetensors", None, Some(wrong.as_str()), "but the manifest says 000"),
    ] {
        let wanted = FileRequest { bytes, sha256, ..FileRequest::new(&repository, COMMIT, path) };
        let message = refusal(hub.file(&wanted, &mut |transfer| {
            assert_eq!(transfer.file, "config.json", "a large file need not come for its hash to be known");
        }));
        assert!(message.starts_with(path) && message.contains(expected), "{message}");
        assert!(place.blobs().is_empty());
    }
}

#[test]
fn a_file_that_changes_after_its_first_use_is_noticed() {
    let server = Server::new(|_| small("{}"));
    let place = Place::new();
    let path = get(&place.hub(&server.url()), "config.json").unwrap();
    let pinned = Lock::read(&place.path("models.lock")).unwrap();
    assert_eq!(pinned.file(&repository(), COMMIT, "config.json").unwrap().sha256, sha256(b"{}"));
    fs::write(&path, "[]").unwrap();
    let message = refusal(get(&place.offline(), "config.json"));
    assert!(message.contains("config.json: its sha256 is") && message.contains("but the lock"), "{message}");
    assert!(message.contains("forget it and get it anew"), "{message}");
    let repository = repository();
    let wanted = FileRequest::new(&repository, COMMIT, "config.json");
    assert!(matches!(place.offline().check(&wanted), Check::Wrong(HubError::Mismatch { .. })));

    // Gone from the cache, it must still be what it was.
    let hub = place.hub(&server.url());
    hub.forget(&wanted).unwrap();
    assert!(!path.exists() && place.blobs().is_empty());
    get(&hub, "config.json").unwrap();
    fs::remove_file(&path).unwrap();
    let other = Server::new(|_| small("[]"));
    let message = refusal(get(&place.hub(&other.url()), "config.json"));
    assert!(message.contains("the one that was used first"), "{message}");
    assert!(!path.exists());
}

#[test]
fn a_branch_that_moves_is_not_followed_until_told() {
    let place = Place::new();
    let first = Server::new(|_| info(COMMIT, &[]));
    assert_eq!(place.hub(&first.url()).commit(&repository(), None).unwrap(), COMMIT);
    // Neither the hub nor another client of the cache can move it.
    let then = Server::new(|_| info(OTHER_COMMIT, &[]));
    place.write("refs/main", OTHER_COMMIT);
    let hub = place.hub(&then.url());
    assert_eq!(hub.commit(&repository(), None).unwrap(), COMMIT);
    hub.forget_commit(&repository(), None).unwrap();
    assert_eq!(hub.commit(&repository(), None).unwrap(), OTHER_COMMIT);
}

#[test]
fn a_cache_filled_by_python_serves_without_a_network() {
    let place = Place::new();
    let content = weights();
    // Python writes no refs for commits, and names large files by their hash.
    let file = place.in_folder(&format!("snapshots/{COMMIT}/model.safetensors"));
    place.write(&format!("blobs/{}", sha256(&content)), &content);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(format!("../../blobs/{}", sha256(&content)), &file).unwrap();
    #[cfg(not(unix))]
    fs::copy(place.in_folder(&format!("blobs/{}", sha256(&content))), &file).unwrap();
    place.write(&format!("snapshots/{COMMIT}/1_Pooling/config.json"), "{}");
    let hub = place.offline();
    let repository = repository();
    #[cfg(unix)]
    assert!(matches!(hub.check(&FileRequest::new(&repository, COMMIT, "model.safetensors")), Check::Right));
    assert!(matches!(hub.check(&FileRequest::new(&repository, COMMIT, "1_Pooling/config.json")), Check::Unpinned));
    assert!(matches!(hub.check(&FileRequest::new(&repository, COMMIT, "config.json")), Check::Missing));
    assert_eq!(get(&hub, "model.safetensors").unwrap(), file);
    assert_eq!(hub.list(&repository, COMMIT).unwrap(), ["1_Pooling/config.json", "model.safetensors"]);

    let message = refusal(hub.commit(&repository, None));
    assert!(message.contains("the commit of org/name at main is not in the cache"), "{message}");
    place.write("refs/main", format!("{COMMIT}\n"));
    assert_eq!(hub.commit(&repository, None).unwrap(), COMMIT);

    let Err(HubError::NotCached { repository, revision, file, looked_in }) = get(&hub, "config.json") else {
        panic!("there")
    };
    assert_eq!((repository.as_str(), revision.as_str(), file.as_str()), ("org/name", COMMIT, "config.json"));
    assert_eq!(looked_in, place.in_folder(&format!("snapshots/{COMMIT}/config.json")));
}

/// A blob that is named by a hash and has another is damaged, whoever put it there.
#[cfg(unix)]
#[test]
fn a_damaged_blob_of_another_client_is_noticed() {
    let place = Place::new();
    let name = sha256(&weights());
    place.write(&format!("blobs/{name}"), "damaged");
    place.write(&format!("snapshots/{COMMIT}/other"), "");
    std::os::unix::fs::symlink(
        format!("../../blobs/{name}"),
        place.in_folder(&format!("snapshots/{COMMIT}/model.safetensors")),
    )
    .unwrap();
    let message = refusal(get(&place.offline(), "model.safetensors"));
    assert!(message.contains("the name that the hub gave it says"), "{message}");
}

#[test]
fn a_lock_that_cannot_be_written_says_where_else() {
    let place = Place::new();
    fs::create_dir_all(place.path("models.lock")).unwrap();
    let server = Server::new(|_| small("{}"));
    let message = refusal(get(&place.hub(&server.url()), "config.json"));
    assert!(message.contains("models.lock"), "{message}");
}

#[test]
fn names_that_lead_out_of_the_cache_are_refused() {
    let hub = Place::new().offline();
    assert!(refusal(get(&hub, "../../x")).contains("is no file of a repository"));
    assert!(refusal(hub.commit(&repository(), Some("../x"))).contains("is no revision"));
    let message = refusal(hub.file(&FileRequest::new(&repository(), "main", "config.json"), &mut |_| ()));
    assert!(message.contains("`main` is no commit"), "{message}");
}
