# Everything that CI checks.
check:
    .ci/run

# The tests alone.
test:
    cargo test --workspace --locked

# Formats and lints what lies here.
lint:
    cargo fmt --all
    cargo clippy --workspace --all-targets --locked -- -D warnings

# Crashes, errors and power losses of publishing and of whole syncs, with many more ways tried than in CI; takes minutes.
crash:
    cargo test --release --locked --test it -- publish:: mirror::kill --include-ignored --nocapture

# Everything that was tried against the claims of the program, whole; takes many hours. `docs/assurance.md` has the figures.
assure: crash
    .ci/sabotage
    .ci/fuzz 600
    APKVET_LARGE=1 cargo test --locked --test it -- index_memory bombs memory work
    .ci/mutants

# Whole commands side by side: apkvet, openssl, gzip, and a real apk if APKVET_APK names one.
compare:
    cargo build --release --locked
    benches/compare

# The benchmarks of single parts, with intervals.
bench:
    cargo bench --locked

# A program that needs nothing from the system that it runs on: for Alpine, and for images made from `scratch`. The C in it is
# compiled by `musl-gcc` (Debian: musl-tools).
static:
    rustup target add {{ arch() }}-unknown-linux-musl
    cargo build --profile static --locked --features bundled-roots --target {{ arch() }}-unknown-linux-musl

# The same where there is no musl: it takes longer to start.
static-glibc:
    RUSTFLAGS="-C target-feature=+crt-static" cargo build --profile static --locked --features standalone --target {{ arch() }}-unknown-linux-gnu
