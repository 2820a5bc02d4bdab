//! Sounds: from the bytes of a file to the log-mel spectrogram an encoder reads.
//!
//! [`Audio::decode`] gives one channel of samples, [`Audio::resampled`] brings it to an encoder's rate, and [`LogMel`]
//! makes the spectrogram; [`Settings::prepare`] does all but the first.
//!
//! ```
//! use lsmi_candle::embedding::preprocess::audio::{Settings, Audio};
//!
//! let settings = Settings { sample_rate: 16_000, seconds: 1.0, mel_bins: 80, window: 400, hop: 160 };
//! let silence = Audio::new("silence", 16_000, vec![0.0; 800])?;
//! let spectrogram = settings.prepare(&silence)?;
//! assert_eq!(spectrogram, vec![-1.5; 80 * 100]);
//! # Ok::<(), lsmi_candle::embedding::preprocess::PreprocessError>(())
//! ```

mod bank;
mod decode;
mod filter_bank;
mod log_mel;
mod prepare;
mod resample;
mod settings;
mod wav;

pub use decode::Audio;
pub use filter_bank::{FilterBank, WindowShape};
pub use log_mel::LogMel;
pub use settings::Settings;
