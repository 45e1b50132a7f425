#!/usr/bin/env python3
"""Figures of the main job, printed as a table: scan, plan and check, apply beside its syncs, verify.

    cargo build --release --locked && python3 bench/main.py [path of capgrow]

Nothing gates on these; docs/BENCHMARKS.md keeps the last ones with their machine. The peer of `apply` is the same
number of file syncs on the same disk in the same run.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
VECTORS = os.path.join(HERE, "..", "crates", "keystore", "tests", "vectors")


def run(*words, **more):
    begun = time.monotonic()
    done = subprocess.run([CAPGROW, *words], capture_output=True, text=True, **more)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{words}: {done.stderr}")
    return time.monotonic() - begun, done.stdout


def row(name, figure):
    print(f"{name:55} {figure}", flush=True)


def first(ending):
    found = sorted(os.path.join(at, name) for at, _, names in os.walk(VECTORS) for name in names if name.endswith(ending) and "bad" not in at)
    return found[0]


def scan(place):
    root = os.path.join(place, "root")
    kinds = [(first(".jks"), ".jks", 60), (first("rsa.p12"), ".p12", 40), (first("v6.kdb"), ".kdb", 40), (first(".pem"), ".pem", 200)]
    files = [(source, ending) for source, ending, count in kinds for _ in range(count)]
    files += [(None, ".txt")] * (10_000 - len(files))
    for number, (source, ending) in enumerate(files):
        at = os.path.join(root, f"{number % 100:02d}")
        os.makedirs(at, exist_ok=True)
        path = os.path.join(at, f"f{number}{ending}")
        if source:
            shutil.copyfile(source, path)
        else:
            with open(path, "w") as out:
                out.write("x" * 500)
    rules = ", ".join('{ for = "/**/*%s", password = { literal = "changeit" } }' % end for end in (".p12", ".jks"))
    fleet = os.path.join(place, "capgrow.toml")
    with open(fleet, "w") as out:
        out.write(f'version = 1\n[hosts.bench]\nroot = "root"\npasswords = [{rules}]\n')
    os.chmod(fleet, 0o644)
    times = sorted(run("-C", place, "scan", "-q")[0] for _ in range(5))
    row("scan, 10,000 files, 340 stores, derivations included", f"{times[2]:.2f} s")


def syncs(place, count):
    begun = time.monotonic()
    for number in range(count):
        with open(os.path.join(place, f"sync{number}"), "wb") as out:
            out.write(b"x" * 4096)
            out.flush()
            os.fsync(out.fileno())
    return time.monotonic() - begun


def fleet(place):
    at = os.path.join(place, "fleet")
    run("demo", "--keep", at)
    try:
        run("-C", at, "scan")
        plan = sorted(run("-C", at, "plan")[0] for _ in range(5))[2]
        digest = json.loads(run("-C", at, "plan", "--json")[1])["digest"]
        check = sorted(run("-C", at, "check", digest)[0] for _ in range(5))[2]
        row("plan, demo fleet, whole process", f"{plan * 1000:.0f} ms")
        row("check, demo fleet, whole process", f"{check * 1000:.0f} ms")
        seconds, said = run("-C", at, "verify", "--json")
        links = len(json.loads(said)["links"])
        row("verify, handshakes on all links, whole process", f"{links} in {seconds:.2f} s, {links / seconds:.0f} a second")
        whole, _ = run("-C", at, "apply", digest, "--approve", "-q")
        records = json.loads(run("-C", at, "report", "--json")[1])["records"]
        sets = [record for record in records if record["record"] == "intent"]
        files = sum(len(record["changes"]) for record in sets)
        row("apply, demo fleet, restarts and observations included", f"{whole:.1f} s, {len(sets)} file sets, {files} files")
        # For each file: backup, new bytes, directory; for each record of the journal one.
        count = 3 * files + len(records)
        took = syncs(place, count)
        row(f"the same number of syncs alone ({count})", f"{took:.2f} s, {took / len(sets) * 1000:.1f} ms a file set")
        counted = json.loads(run("demo", "--count", at, "--json")[1])
        row("handshakes of the fleet meanwhile, failed", f"{counted['handshakes']}, {counted['failed']}")
    finally:
        run("demo", "--stop", at)


if __name__ == "__main__":
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(HERE, "..", "target"))
    CAPGROW = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(target, "release", "capgrow"))
    with tempfile.TemporaryDirectory() as scratch:
        scan(scratch)
    with tempfile.TemporaryDirectory() as scratch:
        fleet(scratch)
