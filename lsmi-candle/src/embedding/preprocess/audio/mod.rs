//! Sounds: from the bytes of a file to what an encoder reads.
//!
//! [`Audio::decode`] gives one channel of samples, [`Audio::resampled`] brings it to an encoder's rate. [`Settings`]
//! says what the encoder reads, [`Preparation`] makes it of one or several [`Windows`] of the sound.
//!
//! ```
//! use lsmi_candle::embedding::preprocess::audio::{Audio, Form, LogMelSettings, Preparation, Settings, Windows};
//!
//! let settings = LogMelSettings { sample_rate: 16_000, seconds: 1.0, mel_bins: 80, window: 400, hop: 160 };
//! let preparation = Preparation::new(Settings::LogMel(settings))?;
//! let silence = Audio::new("silence", 16_000, vec![0.0; 800])?;
//! let windows = preparation.windows(&silence, Windows::First)?;
//! assert_eq!(preparation.form(), Form::Fixed(vec![80, 100]));
//! assert_eq!((windows[0].frames, &windows[0].values), (5, &vec![-1.5; 80 * 100]));
//! # Ok::<(), lsmi_candle::embedding::preprocess::PreprocessError>(())
//! ```

mod bank;
mod clap;
mod clips;
mod decode;
mod fields;
mod filter_bank;
mod log_mel;
mod prepare;
mod resample;
mod settings;
mod wav;
mod waveform;
mod windows;

pub use clap::{Clap, ClapSettings, Filling};
pub use clips::ClipsSettings;
pub use decode::Audio;
pub use filter_bank::{FilterBank, FilterBankSettings, WindowShape};
pub use log_mel::{LogMel, LogMelSettings};
pub use prepare::{Form, Preparation, Window};
pub use settings::Settings;
pub use waveform::WaveformSettings;
pub use windows::Windows;
