#!/usr/bin/env python3
"""A second opinion on signed packages and indexes, by other people's code: zlib, tarfile and openssl.

    second_opinion.py KEYS_DIR FILE...

Prints one JSON object a line: {"path", "ok", "why", "entries": [[name, type, size], ...]}.
It is no strict reader: it says what a well-meant reader of the same bytes would see.
"""
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import zlib


def members(raw):
    """Splits a file into its gzip members: stored bytes and inflated ones."""
    found = []
    while raw:
        inflater = zlib.decompressobj(wbits=31)
        inflated = inflater.decompress(raw) + inflater.flush()
        if not inflater.eof:
            raise ValueError("a gzip member is cut")
        rest = inflater.unused_data
        found.append((raw[: len(raw) - len(rest)], inflated))
        raw = rest
    return found


def entries(inflated):
    # A signature or control member has no end mark of its own: tarfile wants one.
    padded = inflated + bytes(1024)
    with tarfile.open(fileobj=io.BytesIO(padded), mode="r:") as archive:
        return [(entry, archive.extractfile(entry).read() if entry.isreg() else b"") for entry in archive]


def holds(key, digest, signature, signed):
    with tempfile.TemporaryDirectory() as scratch:
        paths = [os.path.join(scratch, name) for name in ("signature", "signed")]
        for path, content in zip(paths, (signature, signed)):
            with open(path, "wb") as file:
                file.write(content)
        command = ["openssl", "dgst", "-" + digest, "-verify", key, "-signature", *paths]
        return subprocess.run(command, capture_output=True).returncode == 0


DIGESTS = {"RSA": "sha1", "RSA256": "sha256", "RSA512": "sha512"}


def signed_by(keys, signatures, signed):
    """Whether a key of the directory made a signature, and all signatures by keys of it hold."""
    good = 0
    for entry, signature in signatures:
        _, _, rest = entry.name.partition(".SIGN.")
        label, _, name = rest.partition(".")
        key = os.path.join(keys, name)
        if label not in DIGESTS or not os.path.isfile(key):
            continue
        if not holds(key, DIGESTS[label], signature, signed):
            return False
        good += 1
    return good > 0


def shown(name):
    """A name as apkvet prints it: bytes that are no text become \\xNN."""
    doubled = name.replace("\\", "\\\\")
    return doubled.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def look(keys, path):
    with open(path, "rb") as file:
        parts = members(file.read())
    found = [entries(inflated) for _, inflated in parts]
    # Files that were signed anew by other tools have several signature members.
    first = next(at for at, part in enumerate(found) if not part[0][0].name.startswith(".SIGN."))
    signatures = [entry for part in found[:first] for entry in part]
    if not signed_by(keys, signatures, parts[first][0]):
        return False, "no good signature by these keys", []
    names = {entry.name: content for entry, content in found[first]}
    if "APKINDEX" in names:
        return len(parts) == first + 1, "an index has one member after the signatures", []
    info = [line.partition(" = ") for line in names[".PKGINFO"].decode().splitlines()]
    wanted = [value for key, _, value in info if key == "datahash"]
    if wanted != [hashlib.sha256(parts[first + 1][0]).hexdigest()]:
        return False, "the data is not what datahash says", []
    listed = [[shown(entry.name), entry.type.decode(), entry.size] for entry, _ in found[first + 1]]
    return len(parts) == first + 2, "a package has one data member", listed


def main():
    keys = sys.argv[1]
    for path in sys.argv[2:]:
        try:
            ok, why, listed = look(keys, path)
        except Exception as error:  # any failure of a reader is an opinion
            ok, why, listed = False, repr(error), []
        print(json.dumps({"path": path, "ok": ok, "why": "" if ok else why, "entries": listed}))


main()
