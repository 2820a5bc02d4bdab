//! Encoders against reference outputs, and what is refused.

mod audio;
mod convolutional;
mod described;
mod files;
mod image;
mod imagebind;
mod loading;
mod patches;
mod relative;
mod rotary;
mod spectrogram;
mod tails;
mod text;
mod trainable;
mod video;
mod waveform;
