//! A sound file made into one channel of samples.

use std::borrow::Cow;
use std::io::{Cursor, ErrorKind};

use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;

use super::resample::resample;
use super::wav::with_sizes;
use crate::embedding::preprocess::{PreprocessError, Result};
use crate::guarded::guarded;

/// The least and the greatest number of samples a second that is read.
const RATES: (u32, u32) = (1_000, 768_000);

/// A sound in memory: one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Audio {
    rate: u32,
    samples: Vec<f32>,
}

impl Audio {
    /// Creates a sound of `rate` samples a second; full scale is -1 to 1. `name` stands in errors.
    ///
    /// # Errors
    /// [`PreprocessError::NoSamples`], [`PreprocessError::NotFinite`], and [`PreprocessError::Rate`] outside 1,000 to
    /// 768,000.
    pub fn new(name: &str, rate: u32, samples: Vec<f32>) -> Result<Self> {
        check_rate(name, rate)?;
        if samples.is_empty() {
            return Err(PreprocessError::NoSamples { name: name.to_owned() });
        }
        if let Some(index) = samples.iter().position(|sample| !sample.is_finite()) {
            return Err(PreprocessError::NotFinite { name: name.to_owned(), index, value: samples[index] });
        }
        Ok(Self { rate, samples })
    }

    /// Decodes the first `seconds` of a WAV, FLAC, MP3 or Ogg Vorbis file and takes the mean of its channels; nothing
    /// behind that is decoded. `name` stands in errors.
    ///
    /// # Errors
    /// Whatever the file lacks to be a sound that lasts, as a [`PreprocessError`] that names it.
    pub fn decode(name: &str, bytes: Vec<u8>, seconds: f64) -> Result<Self> {
        // Damaged headers overflow in the reader of WAV, which a build with checks answers with a panic.
        guarded(|| Self::decode_unguarded(name, bytes, seconds)).unwrap_or_else(|| {
            let source = Box::new(Error::DecodeError("the decoder failed"));
            Err(PreprocessError::Audio { name: name.to_owned(), source })
        })
    }

    fn decode_unguarded(name: &str, bytes: Vec<u8>, seconds: f64) -> Result<Self> {
        let owned = || name.to_owned();
        let damaged = |source| PreprocessError::Audio { name: owned(), source: Box::new(source) };
        let bytes = with_sizes(bytes);
        let stream = MediaSourceStream::new(Box::new(Cursor::new(bytes)), MediaSourceStreamOptions::default());
        let mut format = symphonia::default::get_probe()
            .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
            .map_err(|error| match error {
                Error::Unsupported(_) => {
                    PreprocessError::Format { name: owned(), expected: "a WAV, FLAC, MP3 or Ogg Vorbis sound" }
                }
                // A file that ends before any format was recognised.
                Error::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    PreprocessError::Format { name: owned(), expected: "a WAV, FLAC, MP3 or Ogg Vorbis sound" }
                }
                other => damaged(other),
            })?;
        let track = format.default_track(TrackType::Audio).ok_or_else(|| PreprocessError::NoTrack { name: owned() })?;
        let id = track.id;
        let parameters = track.codec_params.as_ref().and_then(|parameters| parameters.audio());
        let parameters = parameters.ok_or_else(|| PreprocessError::NoTrack { name: owned() })?;
        let mut decoder = symphonia::default::get_codecs()
            .make_audio_decoder(parameters, &AudioDecoderOptions::default())
            .map_err(damaged)?;

        let mut rate = None;
        let mut samples = Vec::new();
        let mut interleaved = Vec::new();
        while let Some(packet) = format.next_packet().map_err(damaged)? {
            if packet.track_id != id {
                continue;
            }
            let decoded = decoder.decode(&packet).map_err(damaged)?;
            let found = decoded.spec().rate();
            check_rate(name, found)?;
            // A stream whose rate changes on the way would come out at two speeds.
            if *rate.get_or_insert(found) != found {
                return Err(damaged(Error::Unsupported("the sampling rate changes")));
            }
            let channels = decoded.spec().channels().count();
            if channels == 0 {
                return Err(PreprocessError::NoTrack { name: owned() });
            }
            decoded.copy_to_vec_interleaved::<f32>(&mut interleaved);
            samples.extend(interleaved.chunks_exact(channels).map(mean));
            if samples.len() as f64 >= seconds * f64::from(found) {
                samples.truncate(samples_in(seconds, found));
                break;
            }
        }
        let rate = rate.ok_or_else(|| PreprocessError::NoSamples { name: owned() })?;
        Self::new(name, rate, samples)
    }

    /// Returns the samples a second.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Returns the samples, full scale -1 to 1.
    pub fn samples(&self) -> &[f32] {
        &self.samples
    }

    /// Resamples the sound: band-limited interpolation by a sinc under a Kaiser window, in f64. What the new rate
    /// cannot hold, above half of it, is taken out.
    ///
    /// # Errors
    /// [`PreprocessError::Rate`] for a rate outside 1,000 to 768,000.
    pub fn resampled(&self, rate: u32) -> Result<Self> {
        check_rate("to be resampled", rate)?;
        Ok(Self { rate, samples: resample(&self.samples, self.rate, rate) })
    }

    /// The sound at a rate, resampled where it has another.
    pub(super) fn at_rate(&self, rate: u32) -> Result<Cow<'_, Self>> {
        if self.rate == rate { Ok(Cow::Borrowed(self)) } else { Ok(Cow::Owned(self.resampled(rate)?)) }
    }
}

/// Samples in a number of seconds, rounded up: what is cut later must not be missing.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the samples that were decoded")]
fn samples_in(seconds: f64, rate: u32) -> usize {
    (seconds * f64::from(rate)).ceil() as usize
}

fn check_rate(name: &str, found: u32) -> Result<()> {
    let (least, most) = RATES;
    if !(least..=most).contains(&found) {
        return Err(PreprocessError::Rate { name: name.to_owned(), found, least, most });
    }
    Ok(())
}

fn mean(frame: &[f32]) -> f32 {
    frame.iter().sum::<f32>() / frame.len() as f32
}
