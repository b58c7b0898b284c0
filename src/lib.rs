//! apkvet verifies Alpine Linux packages (`.apk`, never Android's) and indexes,
//! and audits the keys that sign them.
//!
//! The modules are a pipeline; each may use only what stands above it:
//! bytes become frames ([`container`]), words ([`types`]), keys ([`keys`]), claims ([`package`], [`index`])
//! and proof ([`verify`]).
#![forbid(unsafe_code)]

#[macro_use]
mod sabotage;

pub mod limits;

pub mod types;

pub mod fault;

pub mod container;

pub mod keys;

pub mod envelope;

pub mod package;

pub mod index;

pub mod unverified;

pub mod verify;

#[cfg(feature = "aws-lc")]
pub mod sign;

pub mod plan;

#[cfg(feature = "network")]
pub mod publish;

#[cfg(feature = "network")]
pub mod transport;

#[cfg(feature = "network")]
pub mod mirror;

pub mod audit;

#[cfg(feature = "cli")]
pub mod cli;
