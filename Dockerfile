# A static apkvet, which runs in any image of the same processor, Alpine and `scratch` included:
#
#     docker build -t apkvet .
#
# and in another Dockerfile:
#
#     COPY --from=apkvet /apkvet /usr/local/bin/apkvet
#
# musl is linked in; names are resolved by way of the image's /etc/resolv.conf, and servers are vouched for without anything from
# the image, though a certificate store that it has is used first.
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends musl-tools \
    && rustup target add "$(uname -m)-unknown-linux-musl"
WORKDIR /source
COPY . .
RUN target="$(uname -m)-unknown-linux-musl" \
    && cargo build --profile static --locked --features bundled-roots --target "$target" \
    && cp "target/$target/static/apkvet" /apkvet

FROM scratch
COPY --from=build /apkvet /apkvet
ENTRYPOINT ["/apkvet"]
