//! Each check fires, and does not fire on what comes near.

mod files;
mod identity;
mod numbers;
mod pins;
mod uses;
