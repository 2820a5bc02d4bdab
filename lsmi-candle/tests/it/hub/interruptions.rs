//! Connections that break: what is there is gone on with.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lsmi_candle::embedding::hub::HubError;

use crate::hub::place::{COMMIT, Place, get, large, refusal, repository, sha256, weights};
use crate::hub::server::{Answer, Server};

/// A server of the weights that breaks the first so many connections after 400,000 bytes.
fn breaking(times: usize, has_ranges: bool) -> Server {
    let content = weights();
    let asked = AtomicUsize::new(0);
    Server::new(move |request| {
        let answer = if has_ranges {
            large(request, &content)
        } else {
            Answer::new(200, &*content).with("X-Linked-Etag", &sha256(&content))
        };
        if asked.fetch_add(1, Ordering::SeqCst) < times { answer.cut_after(400_000) } else { answer }
    })
}

fn ranges(server: &Server) -> Vec<Option<String>> {
    server.requests().iter().map(|request| request.header("range").map(str::to_owned)).collect()
}

#[test]
fn a_broken_download_goes_on_by_itself() {
    let server = breaking(2, true);
    let place = Place::new();
    let path = get(&place.hub(&server.url()), "model.safetensors").unwrap();
    assert_eq!(fs::read(path).unwrap(), weights());
    assert_eq!(ranges(&server), [None, Some("bytes=400000-".to_owned()), Some("bytes=800000-".to_owned())]);
    assert_eq!(place.blobs(), [sha256(&weights())]);
}

#[test]
fn a_download_given_up_goes_on_the_next_time() {
    let place = Place::new();
    let content = weights();
    // It always breaks, and each time nearer to the end.
    let server = Server::new(move |request| large(request, &content).cut_after(100_000));
    let Err(HubError::Unreachable { attempts, reason, .. }) = get(&place.hub(&server.url()), "model.safetensors")
    else {
        panic!("whole");
    };
    assert_eq!(attempts, 3);
    assert!(reason.contains("broke after 300000 bytes"), "{reason}");
    assert_eq!(Path::new(&place.blobs()[0]).extension(), Some("part".as_ref()));
    assert!(!place.in_folder(&format!("snapshots/{COMMIT}/model.safetensors")).exists());
    let server = breaking(0, true);
    let path = get(&place.hub(&server.url()), "model.safetensors").unwrap();
    assert_eq!(fs::read(path).unwrap(), weights());
    assert_eq!(ranges(&server), [Some("bytes=300000-".to_owned())]);
}

#[test]
fn without_ranges_it_starts_again() {
    let server = breaking(1, false);
    let place = Place::new();
    let path = get(&place.hub(&server.url()), "model.safetensors").unwrap();
    assert_eq!(fs::read(path).unwrap(), weights());
    assert_eq!(server.requests().len(), 2);
}

/// What was there is not the start of the file, or more than all of it.
#[test]
fn a_part_that_does_not_fit_is_thrown_away() {
    for left in [vec![7; 1000], vec![7; 2_000_000]] {
        let server = breaking(0, true);
        let place = Place::new();
        // Makes the part, under whatever name it has.
        let gone = Server::new(|_| Answer::new(404, ""));
        refusal(get(&place.hub(&gone.url()), "model.safetensors"));
        fs::write(place.in_folder("blobs").join(&place.blobs()[0]), left).unwrap();
        let path = get(&place.hub(&server.url()), "model.safetensors").unwrap();
        assert_eq!(fs::read(path).unwrap(), weights());
        assert_eq!(ranges(&server).len(), 2);
        assert_eq!(place.blobs(), [sha256(&weights())]);
    }
}

#[test]
fn a_busy_hub_is_asked_again() {
    let asked = AtomicUsize::new(0);
    let content = Arc::new(weights());
    let server = Server::new(move |request| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => Answer::new(503, "busy"),
        1 => Answer::new(429, "slower, please"),
        _ => large(request, &content),
    });
    get(&Place::new().hub(&server.url()), "model.safetensors").unwrap();
    let busy = Server::new(|_| Answer::new(503, "busy"));
    let message = refusal(Place::new().hub(&busy.url()).commit(&repository(), None));
    assert!(message.contains("status 503") && message.contains("in 3 attempts"), "{message}");
}

/// Of several that want the same file at once, one downloads it.
#[test]
fn one_downloads_and_the_others_wait() {
    let server = breaking(0, true);
    let place = Place::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| get(&place.hub(&server.url()), "model.safetensors").unwrap());
        }
    });
    assert_eq!(server.requests().len(), 1);
    assert_eq!(place.blobs(), [sha256(&weights())]);
}
