//! Requests to the hub: addresses, redirects, and what its answers mean.
//!
//! The token goes to the hub's own address and to no other, so redirects are followed here, one by one: the hub sends
//! from `/resolve/` to a relative address and from there to a store elsewhere, whose address is signed. What the hub
//! says of a file (`x-repo-commit`, `x-linked-etag`, `x-linked-size`) stands in its redirects.

use std::error::Error as _;

use ureq::{Agent, AgentBuilder, Response};
use url::{Host, Url};

use super::config::{HubConfig, Token};
use super::name::Repository;
use super::{HubError, HubItem};

const MOST_REDIRECTS: usize = 10;

/// Asks the hub.
pub(super) struct Transport {
    agent: Agent,
    endpoint: Url,
    token: Option<Token>,
}

/// What is asked for, for messages.
#[derive(Clone, Copy)]
pub(super) struct About<'a> {
    pub(super) repository: &'a Repository,
    pub(super) item: &'a HubItem,
}

/// The last answer, and what the hub said on the way.
pub(super) struct Answer {
    pub(super) response: Response,
    /// The last address, as it may be shown.
    pub(super) url: String,
    pub(super) commit: Option<String>,
    pub(super) etag: Option<String>,
    pub(super) size: Option<u64>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum RequestError {
    /// It may be otherwise the next time.
    Transient {
        /// The address, as it may be shown.
        url: String,
        /// What happened.
        reason: String,
    },
    /// It will stay as it is.
    Permanent(HubError),
}

impl From<HubError> for RequestError {
    fn from(error: HubError) -> Self {
        Self::Permanent(error)
    }
}

impl Transport {
    pub(super) fn new(config: &HubConfig) -> Self {
        let agent = AgentBuilder::new()
            .timeout_connect(config.timeout)
            .timeout_read(config.timeout)
            .timeout_write(config.timeout)
            .redirects(0)
            // A hub on this very machine is not behind a proxy.
            .try_proxy_from_env(!is_loopback(&config.endpoint))
            .user_agent(concat!("lsmi/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent, endpoint: config.endpoint.clone(), token: config.token.clone() }
    }

    /// An address below that of the hub; every part is escaped as it must be.
    pub(super) fn url<'a>(&self, parts: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.endpoint.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(parts);
        }
        url
    }

    /// The page of a repository, for people.
    pub(super) fn page(&self, repository: &Repository) -> String {
        shown(&self.url(repository.as_str().split('/')))
    }

    /// Asks for the bytes of `url` from a position on.
    pub(super) fn get(&self, about: About<'_>, mut url: Url, from: u64) -> Result<Answer, RequestError> {
        let (mut commit, mut linked_etag, mut size) = (None, None, None);
        for _ in 0..=MOST_REDIRECTS {
            let is_hub = url.origin() == self.endpoint.origin();
            let response = self.ask(about, &url, is_hub, from)?;
            if is_hub {
                commit = commit.or_else(|| header(&response, "x-repo-commit"));
                linked_etag = linked_etag.or_else(|| header(&response, "x-linked-etag"));
                size = size.or_else(|| header(&response, "x-linked-size")?.parse().ok());
            }
            match response.status() {
                200 | 206 | 416 => {
                    // The etag of a store elsewhere is of its own making.
                    let etag = linked_etag.or_else(|| header(&response, "etag").filter(|_| is_hub));
                    let etag = etag.map(|etag| etag.trim_start_matches("W/").trim_matches('"').to_owned());
                    return Ok(Answer { response, url: shown(&url), commit, etag, size });
                }
                301 | 302 | 303 | 307 | 308 => url = redirected(&url, &response)?,
                status => {
                    return Err(HubError::answer(shown(&url), format!("status {status} was not to be expected")).into());
                }
            }
        }
        Err(HubError::answer(shown(&url), format!("more than {MOST_REDIRECTS} redirects")).into())
    }

    fn ask(&self, about: About<'_>, url: &Url, is_hub: bool, from: u64) -> Result<Response, RequestError> {
        // Compressed answers have neither the size nor the ranges of the file.
        let mut request = self.agent.get(url.as_str()).set("Accept-Encoding", "identity");
        let token = self.token.as_ref().filter(|_| is_hub);
        if let Some(token) = token {
            request = request.set("Authorization", &token.header());
        }
        if from > 0 {
            request = request.set("Range", &format!("bytes={from}-"));
        }
        let passing = |reason: String| RequestError::Transient { url: shown(url), reason };
        match request.call() {
            Ok(response) => Ok(response),
            // Its own words hold the whole address.
            Err(ureq::Error::Transport(error)) => {
                let mut reason = error.kind().to_string();
                for more in [error.message().map(str::to_owned), error.source().map(ToString::to_string)] {
                    reason.extend(more.map(|more| format!(": {more}")));
                }
                Err(passing(reason))
            }
            // There is nothing from this byte on, which the caller must know.
            Err(ureq::Error::Status(416, response)) if from > 0 => Ok(response),
            Err(ureq::Error::Status(status, response)) => Err(match status {
                408 | 429 | 500.. => passing(format!("status {status}")),
                // A signed address that has run out.
                401 | 403 if !is_hub => passing(format!("status {status}")),
                401 | 403 => HubError::Refused {
                    repository: about.repository.to_string(),
                    page: self.page(about.repository),
                    status,
                    had_token: token.is_some(),
                    gated: header(&response, "x-error-code").as_deref() == Some("GatedRepo"),
                }
                .into(),
                404 | 410 => {
                    let item = match header(&response, "x-error-code").as_deref() {
                        Some("RepoNotFound") => HubItem::Repository,
                        Some("RevisionNotFound") => HubItem::Revision,
                        _ => about.item.clone(),
                    };
                    HubError::NotFound { repository: about.repository.to_string(), item, url: shown(url) }.into()
                }
                status => HubError::answer(shown(url), format!("status {status} was not to be expected")).into(),
            }),
        }
    }
}

fn redirected(url: &Url, response: &Response) -> Result<Url, HubError> {
    let wrong = |reason: &str| HubError::answer(shown(url), reason);
    let location = response.header("location").ok_or_else(|| wrong("a redirect to nowhere"))?;
    let target = url.join(location).map_err(|_| wrong("a redirect to what is no address"))?;
    match (url.scheme(), target.scheme()) {
        (_, "https") | ("http", "http") => Ok(target),
        ("https", "http") => Err(wrong("a redirect from https to http, which anyone on the way could have written")),
        _ => Err(wrong("a redirect to what is neither http nor https")),
    }
}

fn header(response: &Response, name: &str) -> Option<String> {
    response.header(name).map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned)
}

/// An address without what may be secret: user, password, query.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // Only addresses without a host refuse these.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
