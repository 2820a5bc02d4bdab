//! Where the hub, its cache and the lock are: the environment, read once.
//!
//! The variables are those of the hub's Python client and mean the same: `HF_HOME`, `HF_HUB_CACHE`, `HF_ENDPOINT`,
//! `HF_TOKEN`, `HF_TOKEN_PATH`, `HF_HUB_OFFLINE` and `HF_HUB_DOWNLOAD_TIMEOUT`. `LSMI_MODELS_LOCK` is ours.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hf_hub::Cache;
use url::Url;

use super::HubError;

const ENDPOINT: &str = "https://huggingface.co";
const TIMEOUT: Duration = Duration::from_secs(30);
const LOCK: &str = "lsmi-models.lock";

/// A token of the hub. It is shown to nobody but the hub: neither `Debug` nor any message holds it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Creates a token. Returns `None` if the text is empty.
    ///
    /// # Errors
    /// If it holds what no header of a request can.
    pub fn new(text: &str) -> Result<Option<Self>, HubError> {
        let text = text.trim();
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            let reason = "holds a space or a character that no token has; copy it again from the hub".to_owned();
            return Err(HubError::Setting { variable: "HF_TOKEN", reason });
        }
        Ok((!text.is_empty()).then(|| Self(text.to_owned())))
    }

    pub(super) fn header(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(hidden)")
    }
}

/// Where files come from and where they are kept.
#[derive(Debug, Clone)]
pub struct HubConfig {
    /// The cache, shared with the hub's other clients: it holds `models--organisation--name`.
    pub cache: PathBuf,
    /// Address of the hub, with its scheme.
    pub endpoint: Url,
    /// Who asks.
    pub token: Option<Token>,
    /// Use only what is in the cache.
    pub offline: bool,
    /// How long to wait for a connection, and for each piece of an answer.
    pub timeout: Duration,
    /// How often a download is tried.
    pub attempts: u32,
    /// The pause before the second attempt; it doubles before each further one.
    pub pause: Duration,
    /// The file that pins commits and hashes.
    pub lock: PathBuf,
}

impl HubConfig {
    /// Reads the environment.
    ///
    /// # Errors
    /// If a variable has a value that cannot be used, or there is no home directory to put a cache in.
    pub fn from_environment() -> Result<Self, HubError> {
        Self::from_variables(|name| env::var_os(name), env::home_dir().as_deref())
    }

    /// Reads variables as [`HubConfig::from_environment`] does, but from elsewhere. Empty ones count as unset.
    ///
    /// # Errors
    /// As there.
    pub fn from_variables(
        variable: impl Fn(&str) -> Option<OsString>,
        home_directory: Option<&Path>,
    ) -> Result<Self, HubError> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let path = |name: &str| {
            let path = PathBuf::from(variable(name)?);
            // What the shell does where it sees the tilde.
            Some(match (path.strip_prefix("~"), home_directory) {
                (Ok(rest), Some(home)) => home.join(rest),
                _ => path,
            })
        };
        let home = path("HF_HOME")
            .or_else(|| path("XDG_CACHE_HOME").map(|cache| cache.join("huggingface")))
            .or_else(|| home_directory.map(|home| home.join(".cache").join("huggingface")));
        let cache = path("HF_HUB_CACHE").or_else(|| home.as_ref().map(|home| home.join("hub")));
        let cache = cache.ok_or_else(|| HubError::Setting {
            variable: "HF_HOME",
            reason: "is not set and there is no home directory: set it to a directory for models".to_owned(),
        })?;
        let token = if let Some(token) = text("HF_TOKEN", variable("HF_TOKEN"))? {
            Token::new(&token)?
        } else {
            // hf-hub knows where the token lies beside a cache.
            let file = path("HF_TOKEN_PATH").or_else(|| home.map(|home| Cache::new(home.join("hub")).token_path()));
            let content = file.and_then(|file| std::fs::read_to_string(file).ok());
            content.map_or(Ok(None), |content| Token::new(&content))?
        };
        let timeout = match text("HF_HUB_DOWNLOAD_TIMEOUT", variable("HF_HUB_DOWNLOAD_TIMEOUT"))? {
            Some(text) => seconds(&text)?,
            None => TIMEOUT,
        };
        Ok(Self {
            endpoint: endpoint(text("HF_ENDPOINT", variable("HF_ENDPOINT"))?.as_deref())?,
            token,
            offline: text("HF_HUB_OFFLINE", variable("HF_HUB_OFFLINE"))?.is_some_and(|value| is_true(&value)),
            timeout,
            attempts: 4,
            pause: Duration::from_millis(250),
            lock: path("LSMI_MODELS_LOCK").unwrap_or_else(|| cache.join(LOCK)),
            cache,
        })
    }
}

fn text(variable: &'static str, value: Option<OsString>) -> Result<Option<String>, HubError> {
    let unreadable = |_| HubError::Setting { variable, reason: "is not UTF-8; set it anew".to_owned() };
    value.map(|value| value.into_string().map_err(unreadable)).transpose()
}

fn endpoint(given: Option<&str>) -> Result<Url, HubError> {
    let refuse = |what: &str| HubError::Setting {
        variable: "HF_ENDPOINT",
        reason: format!("{what}; write it with its scheme, as in {ENDPOINT}"),
    };
    let mut url = Url::parse(given.unwrap_or(ENDPOINT).trim()).map_err(|_| refuse("is no address"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(refuse("has no scheme http or https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("holds a user or password, which would be seen; use HF_TOKEN"));
    }
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

fn seconds(text: &str) -> Result<Duration, HubError> {
    let seconds = text.trim().parse::<f64>().ok().filter(|seconds| *seconds > 0.0 && *seconds < 1e6);
    seconds.map(Duration::from_secs_f64).ok_or_else(|| HubError::Setting {
        variable: "HF_HUB_DOWNLOAD_TIMEOUT",
        reason: format!("is `{text}`, but must be a positive number of seconds"),
    })
}

/// As Python's client reads it.
fn is_true(text: &str) -> bool {
    matches!(text.trim().to_ascii_uppercase().as_str(), "1" | "ON" | "YES" | "TRUE")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(variables: &[(&str, &str)]) -> Result<HubConfig, HubError> {
        let find = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into());
        HubConfig::from_variables(find, Some(Path::new("/home/ada")))
    }

    #[test]
    fn the_cache_is_where_python_has_it() {
        let cache = |variables: &[(&str, &str)]| config(variables).unwrap().cache;
        assert_eq!(cache(&[]), Path::new("/home/ada/.cache/huggingface/hub"));
        assert_eq!(cache(&[("XDG_CACHE_HOME", "/x")]), Path::new("/x/huggingface/hub"));
        assert_eq!(cache(&[("HF_HOME", "/data/hf"), ("XDG_CACHE_HOME", "/x")]), Path::new("/data/hf/hub"));
        assert_eq!(cache(&[("HF_HOME", "~/hf"), ("HF_HUB_CACHE", "")]), Path::new("/home/ada/hf/hub"));
        assert_eq!(cache(&[("HF_HOME", "/data/hf"), ("HF_HUB_CACHE", "/c")]), Path::new("/c"));
        assert!(matches!(HubConfig::from_variables(|_| None, None), Err(HubError::Setting { .. })));
    }

    #[test]
    fn the_lock_is_beside_the_cache_or_where_it_is_said_to_be() {
        assert_eq!(config(&[("HF_HUB_CACHE", "/c")]).unwrap().lock, Path::new("/c/lsmi-models.lock"));
        assert_eq!(config(&[("LSMI_MODELS_LOCK", "my.lock")]).unwrap().lock, Path::new("my.lock"));
    }

    #[test]
    fn endpoints_need_a_scheme_and_no_password() {
        for wrong in
            ["hub.example.org", "localhost:8080", "ftp://hub.example.org", "https://", "https://ada:secret@hub"]
        {
            let message = config(&[("HF_ENDPOINT", wrong)]).unwrap_err().to_string();
            assert!(message.starts_with("HF_ENDPOINT: ") && message.contains("https://huggingface.co"), "{message}");
            assert!(!message.contains("secret"), "{message}");
        }
        let endpoint = config(&[("HF_ENDPOINT", " http://127.0.0.1:8080/mirror/ ")]).unwrap().endpoint;
        assert_eq!(endpoint.as_str(), "http://127.0.0.1:8080/mirror/");
        assert_eq!(config(&[("HF_ENDPOINT", "")]).unwrap().endpoint.as_str(), "https://huggingface.co/");
    }

    #[test]
    fn tokens_come_from_the_variable_or_the_file_and_are_never_shown() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        std::fs::write(&path, "hf_file\n").unwrap();
        let header = |config: HubConfig| config.token.map(|token| token.header());
        let home = directory.path().to_str().unwrap();
        let of_variable = config(&[("HF_TOKEN", "hf_secret\n"), ("HF_HOME", home)]).unwrap();
        assert!(!format!("{of_variable:?}").contains("secret"));
        assert_eq!(header(of_variable).as_deref(), Some("Bearer hf_secret"));
        assert_eq!(header(config(&[("HF_HOME", home)]).unwrap()).as_deref(), Some("Bearer hf_file"));
        let of_path = config(&[("HF_TOKEN_PATH", path.to_str().unwrap())]).unwrap();
        assert_eq!(header(of_path).as_deref(), Some("Bearer hf_file"));
        assert_eq!(header(config(&[]).unwrap()), None);
        let message = config(&[("HF_TOKEN", "hf_sec\nret")]).unwrap_err().to_string();
        assert!(message.starts_with("HF_TOKEN: ") && !message.contains("sec"), "{message}");
    }

    #[test]
    fn offline_and_timeout() {
        for (value, offline) in [("1", true), ("yes", true), ("TRUE", true), ("0", false), ("", false), ("no", false)] {
            assert_eq!(config(&[("HF_HUB_OFFLINE", value)]).unwrap().offline, offline, "{value}");
        }
        assert_eq!(config(&[("HF_HUB_DOWNLOAD_TIMEOUT", "2.5")]).unwrap().timeout, Duration::from_millis(2500));
        for wrong in ["-1", "soon", "nan", "1e9"] {
            assert!(config(&[("HF_HUB_DOWNLOAD_TIMEOUT", wrong)]).is_err(), "{wrong}");
        }
    }
}
