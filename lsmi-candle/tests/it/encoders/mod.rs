//! Encoders against reference outputs, and what is refused.

mod audio;
mod described;
mod files;
mod image;
mod loading;
mod rotary;
mod text;
