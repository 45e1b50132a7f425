#!/usr/bin/env python3
"""Figures of the keystores: listing, loading, opening and parsing, each beside its peer in the same run.

    cargo build --release --locked -p compat
    cargo build --release --locked -p keystore --example figures
    python3 bench/keystores.py [directory of the release build]

Peers are the installed keytool, java.security.KeyStore in a warm JVM, and the derivations of a PKCS#12 file alone. Nothing
gates on these; docs/BENCHMARKS.md keeps the last ones with their machine.
"""
import hashlib
import os
import resource
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
VECTORS = os.path.join(HERE, "..", "crates", "keystore", "tests", "vectors")
PASSWORD = "changeit"


def out(*words, **more):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise SystemExit(f"{words}: {done.stdout}{done.stderr}")
    return done.stdout.split()


def row(name, figure):
    print(f"{name:62} {figure}", flush=True)


def certificates(count):
    """Copies of one certificate, each with a serial number of its own."""
    with open(os.path.join(VECTORS, "cert.der"), "rb") as file:
        der = bytearray(file.read())
    at = 8 + (5 if der[8] == 0xA0 else 0)
    assert der[at] == 2 and der[at + 1] >= 6, "a serial number of six bytes or more"
    for number in range(count):
        der[at + 3:at + 7] = struct.pack(">I", number)
        yield bytes(der)


def jks(path, count):
    """A JKS file of trusted certificates, as Java writes it."""
    body = [struct.pack(">III", 0xFEEDFEED, 2, count)]
    for number, der in enumerate(certificates(count)):
        alias = f"entry-{number}".encode()
        body.append(struct.pack(">IH", 2, len(alias)) + alias + struct.pack(">QH", 1_700_000_000_000, 5) + b"X.509")
        body.append(struct.pack(">I", len(der)) + der)
    body = b"".join(body)
    digest = hashlib.sha1(PASSWORD.encode("utf-16-be") + b"Mighty Aphrodite" + body).digest()
    with open(path, "wb") as file:
        file.write(body + digest)


def to_pkcs12(source, target):
    out("java", os.path.join(HERE, "Load.java"), "JKS", source, PASSWORD, 0, 0, target)


def on_a_core(words, runs):
    """Median seconds that a process had a core, system calls included: other programs on the machine count little."""
    times = []
    for _ in range(runs):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        out(*words)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return sorted(times)[runs // 2]


def listing(place):
    ours = os.path.join(place, "keytool")
    os.symlink(os.path.join(BUILD, "capgrow-compat"), ours)
    for name in ("500.jks", "500.p12"):
        store = os.path.join(place, name)
        words = ["-list", "-keystore", store, "-storepass", PASSWORD]
        same = out("keytool", *words) == out(ours, *words)
        theirs, mine = on_a_core(["keytool", *words], 7), on_a_core([ours, *words], 41)
        row(f"keytool -list, {name}, process", f"{mine * 1e3:.1f} ms, Java {theirs * 1e3:.0f} ms: {theirs / mine:.0f} times; same text: {same}")


def loading(place):
    for kind, name in (("JKS", "500.jks"), ("PKCS12", "500.p12")):
        store = os.path.join(place, name)
        mine = float(out(FIGURES, "load", store, PASSWORD, 60)[0])
        theirs = float(out("java", os.path.join(HERE, "Load.java"), kind, store, PASSWORD, 400, 60)[0])
        row(f"load {name}, warm", f"{mine / 1e3:.2f} ms, KeyStore.load {theirs / 1e3:.2f} ms: {theirs / mine:.1f} times")


def flatness(place):
    for name, runs in (("500", 40), ("5000", 20), ("20000", 7), ("100000", 5)):
        for end in ("jks", "p12"):
            store = os.path.join(place, f"{name}.{end}")
            took = float(out(FIGURES, "load", store, PASSWORD, runs)[0])
            row(f"load {int(name):,} entries, {end}", f"{took / 1e3:.1f} ms, {took / int(name):.2f} us an entry")


def opening(place):
    store = os.path.join(place, "key.p12")
    out("keytool", "-genkeypair", "-alias", "a", "-keyalg", "RSA", "-keysize", "2048", "-dname", "CN=a", "-keystore", store,
        "-storepass", PASSWORD)
    whole, alone, ratio = out(FIGURES, "open", store, PASSWORD, 41)
    row("open a PKCS#12 of Java 17 and its key", f"{float(whole) / 1e3:.2f} ms, derivations alone {float(alone) / 1e3:.2f} ms: {ratio} times")


def parsing(place):
    speed, count, size = out(FIGURES, "parse", os.path.join(place, "5000.jks"), 21)
    row(f"parse {int(count):,} certificates of {size} bytes, one core", f"{speed} MB/s")


if __name__ == "__main__":
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(HERE, "..", "target"))
    BUILD = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(target, "release"))
    FIGURES = os.path.join(BUILD, "examples", "figures")
    if not shutil.which("keytool") or not shutil.which("javac"):
        raise SystemExit("SKIPPED: no JDK here to compare with")
    with tempfile.TemporaryDirectory() as scratch:
        opening(scratch)
        for name in (500, 5_000, 20_000, 100_000):
            jks(os.path.join(scratch, f"{name}.jks"), name)
            to_pkcs12(os.path.join(scratch, f"{name}.jks"), os.path.join(scratch, f"{name}.p12"))
        listing(scratch)
        loading(scratch)
        parsing(scratch)
        flatness(scratch)
