#!/usr/bin/env python3
"""`inspect` over a tree of 2,000 stores: the first look, how busy the cores are in it, and the repeat with its cache.

    cargo build --release --locked && python3 bench/trees.py [path of capgrow] [stores]

The stores are PKCS#12 and JKS with a password, made by the program itself, each with a key, its chain and a trusted
certificate. Wall time is the least of three for the repeat; where other work runs on the machine, the processor time beside
it says more. Needs openssl to make the certificates.
"""
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CAPGROW = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "..", "target", "release", "capgrow"))
COUNT = int(sys.argv[2]) if len(sys.argv) > 2 else 2000


def run(*words, cwd):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.monotonic()
    done = subprocess.run([CAPGROW, *words], cwd=cwd, capture_output=True, env={**os.environ, "HOME": cwd, "XDG_CACHE_HOME": ""})
    wall = time.monotonic() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{words}: {done.stderr.decode()}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def tree(place):
    openssl = lambda *words: subprocess.run(["openssl", *words], cwd=place, check=True, capture_output=True)
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "3000", "-subj", "/CN=Bench CA")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "own.key", "-out", "own.csr", "-subj", "/CN=bench.example")
    openssl("x509", "-req", "-in", "own.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "own.pem", "-days", "1000")
    with open(os.path.join(place, "pw"), "w") as out:
        out.write("changeit")
    for name, form in (("a.p12", "pkcs12"), ("b.jks", "jks")):
        run("store", "import", name, "--create", form, "--from", "own.key", "--from", "own.pem", "--from", "ca.pem", "--as", "own",
            "--password-file", "pw", cwd=place)
        run("store", "add-trust", name, "--cert", "ca.pem", "--password-file", "pw", cwd=place)
    for number in range(COUNT):
        at = os.path.join(place, "tree", f"{number % 100:02d}")
        os.makedirs(at, exist_ok=True)
        source = ("a.p12", "b.jks")[number % 2]
        shutil.copyfile(os.path.join(place, source), os.path.join(at, f"{number}{source[1:]}"))


def main():
    with tempfile.TemporaryDirectory() as place:
        tree(place)
        words = ("inspect", "tree", "--json", "--password-file", "pw")
        first, first_cpu, seen = run(*words, cwd=place)
        repeats = [run(*words, cwd=place) for _ in range(3)]
        if any(again != seen for _, _, again in repeats):
            raise SystemExit("a repeat says something else")
        wall, cpu = min(one[0] for one in repeats), min(one[1] for one in repeats)
        cores = os.cpu_count()
        print(f"inspect, {COUNT} stores, first      {first:.2f} s, {first_cpu:.2f} s of processor, {first_cpu / first:.1f} of {cores} cores busy")
        print(f"inspect, {COUNT} stores, repeat     {wall * 1000:.0f} ms, {cpu * 1000:.0f} ms of processor")
        print(f"ratio                           {first / wall:.0f} in wall time, {first_cpu / cpu:.0f} in processor time")


main()
