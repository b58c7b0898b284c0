#!/usr/bin/env python3
"""What an index says about packages, computed by other people's code: zlib, tarfile and openssl.

    index_entries.py DIR ARCHITECTURE

Prints the text of the index of all packages in a directory: fields in the order of abuild, entries sorted by name
and version. ARCHITECTURE is written into every entry; `-` leaves the packages' own.
"""
import base64
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import zlib


def members(raw):
    """Splits a file into its gzip members: stored bytes and inflated ones."""
    while raw:
        inflater = zlib.decompressobj(wbits=31)
        inflated = inflater.decompress(raw) + inflater.flush()
        rest = inflater.unused_data
        yield raw[: len(raw) - len(rest)], inflated
        raw = rest


def control(path):
    """The stored bytes of the control member, and what .PKGINFO says, each key with all its values."""
    with open(path, "rb") as file:
        parts = members(file.read())
    for stored, inflated in parts:
        with tarfile.open(fileobj=io.BytesIO(inflated + bytes(1024)), mode="r:") as archive:
            if ".PKGINFO" not in archive.getnames():
                continue
            text = archive.extractfile(".PKGINFO").read().decode()
        fields = {}
        for line in text.split("\n"):
            key, mark, value = line.partition(" = ")
            if mark and not line.startswith("#"):
                fields.setdefault(key, []).append(value)
        return stored, fields
    raise ValueError(path + " has no .PKGINFO")


def sha1(blobs):
    """Digests by openssl, all in one run."""
    with tempfile.TemporaryDirectory() as scratch:
        paths = []
        for number, blob in enumerate(blobs):
            paths.append(os.path.join(scratch, "%08d" % number))
            with open(paths[-1], "wb") as file:
                file.write(blob)
        ran = subprocess.run(["openssl", "dgst", "-sha1", "-r", *paths], capture_output=True, check=True)
    return [bytes.fromhex(line.split(" ")[0]) for line in ran.stdout.decode().splitlines()]


def entry(digest, path, fields, architecture):
    def one(key):
        return fields.get(key, [""])[-1]

    lines = [
        ("C", "Q1" + base64.b64encode(digest).decode()),
        ("P", one("pkgname")),
        ("V", one("pkgver")),
        ("A", one("arch") if architecture == "-" else architecture),
        ("S", str(os.path.getsize(path))),
        ("I", one("size")),
        ("T", one("pkgdesc")),
        ("U", one("url")),
        ("L", one("license")),
    ]
    more = [("o", "origin"), ("m", "maintainer"), ("t", "builddate"), ("c", "commit"), ("k", "provider_priority")]
    lists = [("D", "depend"), ("p", "provides"), ("i", "install_if")]
    more = [(letter, one(key)) for letter, key in more]
    more += [(letter, " ".join(fields.get(key, []))) for letter, key in lists]
    lines += [(letter, value) for letter, value in more if value not in ("", "0")]
    return "".join("%s:%s\n" % line for line in lines) + "\n"


def order(fields):
    name, version = fields["pkgname"][-1], fields["pkgver"][-1]
    numbers = [int(part) for part in version.replace("-r", ".").split(".")]
    return name.lower(), name, numbers


def main():
    directory, architecture = sys.argv[1:]
    paths = [os.path.join(directory, name) for name in os.listdir(directory) if name.endswith(".apk")]
    packages = [(path, *control(path)) for path in paths]
    digests = sha1([stored for _, stored, _ in packages])
    found = [(order(fields), entry(digest, path, fields, architecture)) for digest, (path, _, fields) in zip(digests, packages)]
    sys.stdout.write("".join(text for _, text in sorted(found)))


main()
