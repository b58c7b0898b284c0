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

# A program that needs nothing from the system that it runs on: for Alpine, and for images made from `scratch`.
static:
    RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --locked --features standalone --target x86_64-unknown-linux-gnu

# The same at fixed addresses: it starts a fifth faster, and an attacker who finds a fault in it knows where everything lies.
static-fixed:
    RUSTFLAGS="-C target-feature=+crt-static -C relocation-model=static" cargo build --release --locked --features standalone --target x86_64-unknown-linux-gnu --target-dir target/fixed
