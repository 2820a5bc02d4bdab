//! Encoders against reference outputs, and what is refused.

mod audio;
mod convolutional;
mod described;
mod files;
mod image;
mod loading;
mod patches;
mod text;
