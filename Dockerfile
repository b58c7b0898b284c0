# A static apkvet, which runs in any image of the same processor, Alpine and `scratch` included:
#
#     docker build -t apkvet .
#
# and in another Dockerfile:
#
#     COPY --from=apkvet /apkvet /usr/local/bin/apkvet
#
# The C library is linked in; names are resolved and servers vouched for without anything from the image, though a
# certificate store that it has is used first.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /source
COPY . .
# The target is named so that the flags reach apkvet alone, and not what runs while it is built.
RUN host="$(rustc -vV | sed -n 's/^host: //p')" \
    && RUSTFLAGS="-C target-feature=+crt-static" \
        cargo build --release --locked --features standalone --target "$host" \
    && cp "target/$host/release/apkvet" /apkvet

FROM scratch
COPY --from=build /apkvet /apkvet
ENTRYPOINT ["/apkvet"]
