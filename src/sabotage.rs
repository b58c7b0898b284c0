//! Switches by which the tests prove that each check is needed; an ordinary build has none of them.
//!
//! A check is written `checked!("name") && …`, and `tests/sabotage.tsv` names the test that fails without it. In
//! a build with `RUSTFLAGS='--cfg apkvet_sabotage'` the environment variable `APKVET_SABOTAGE` names the one check
//! that is left out: one build serves the whole table. Elsewhere the macro is the constant `true`.

/// Whether a check is made.
#[cfg(not(apkvet_sabotage))]
macro_rules! checked {
    ($name:literal) => {
        true
    };
}

/// Whether a check is made: each but the one that the environment names.
#[cfg(apkvet_sabotage)]
macro_rules! checked {
    ($name:literal) => {
        $crate::sabotage::is_made($name)
    };
}

#[cfg(apkvet_sabotage)]
pub(crate) fn is_made(name: &str) -> bool {
    static LEFT_OUT: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    LEFT_OUT.get_or_init(|| std::env::var("APKVET_SABOTAGE").ok()).as_deref() != Some(name)
}
