//! What the processor can do that decides how fast verifying is.

use super::output::Output;

/// Tells of a processor that hashes slowly; only who asked for more is told.
pub(super) fn remark(output: &mut Output) {
    if output.verbosity() > 0 && !has_sha_instructions() {
        output.note(
            "this processor has no SHA instructions: hashing, and with it verifying, takes up to several times as \
             long as on one that has them",
        );
    }
}

/// Whether the processor hashes by itself.
fn has_sha_instructions() -> bool {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    return std::arch::is_x86_feature_detected!("sha");
    #[cfg(target_arch = "aarch64")]
    return std::arch::is_aarch64_feature_detected!("sha2");
    // Nothing is known of others, so that nothing is said of them.
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")))]
    return true;
}
