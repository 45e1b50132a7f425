#!/usr/bin/env python3
"""`probe` of many local servers beside sslscan on the same list, and beside the handshake rate of OpenSSL's own benchmark.

    cargo build --release --locked -p cli -p probe --bin capgrow --example farm
    python3 bench/probe.py [--count 1000] [--sslscan N] [--target DIR]

The servers are one process (crates/probe/examples/farm.rs) of four kinds in turn. sslscan asks one after the other, as it
does with --targets; with --sslscan N only the first N, and its time is that of N. The findings that both have are
compared for every target that both asked: versions, suites of each version, groups, compression, the subject of the
leaf. sslscan lists no groups of a server that has neither TLS 1.3 nor more than a few suites; what probe lists there is
asked of `openssl s_client`, once for each kind of server, and counted as confirmed where that agrees. Nothing gates on the figures; docs/BENCHMARKS.md keeps the last ones.
"""
import argparse
import json
import os
import subprocess
import tempfile
import time
import xml.etree.ElementTree as xml

HERE = os.path.dirname(os.path.abspath(__file__))


def ours(capgrow, names, place):
    path = os.path.join(place, "targets")
    with open(path, "w") as out:
        out.write("\n".join("tls://" + name for name in names))
    begun = time.monotonic()
    done = subprocess.run([capgrow, "probe", "--targets", path, "--name", "localhost", "--json", "-q"], capture_output=True, text=True)
    took = time.monotonic() - begun
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)
    return took, json.loads(done.stdout)["targets"]


def theirs(names, place):
    path = os.path.join(place, "hosts")
    with open(path, "w") as out:
        out.write("\n".join(names) + "\n")
    found = os.path.join(place, "sslscan.xml")
    begun = time.monotonic()
    subprocess.run(["sslscan", "--targets=" + path, "--xml=" + found, "--sni-name=localhost", "--no-colour"], capture_output=True)
    took = time.monotonic() - begun
    return took, xml.parse(found).getroot().findall("ssltest")


def our_findings(target):
    spoken = [one for one in target["versions"] if one["spoken"]]
    return {
        "versions": sorted(one["version"] for one in spoken),
        "suites": sorted((one["version"], suite["openssl"]) for one in spoken for suite in one["suites"]),
        "groups": sorted((one["version"], group.lower()) for one in target["groups"] for group in one["groups"]),
        "compression": bool(target["extras"]["compression"]),
        "leaf": target["chains"][0]["certificates"][0]["subject"].split("CN=")[1].split(",")[0],
    }


def their_findings(test):
    kind = {"ssl": "SSLv", "tls": "TLSv"}
    compression = test.find("compression")
    return {
        "versions": sorted(kind[one.get("type")] + one.get("version") for one in test.findall("protocol") if one.get("enabled") == "1"),
        "suites": sorted((one.get("sslversion"), one.get("cipher")) for one in test.findall("cipher")),
        "groups": sorted((one.get("sslversion"), one.get("name").split(" ")[0].lower()) for one in test.findall("group")),
        "compression": compression is not None and compression.get("supported") == "1",
        "leaf": test.find("certificates/certificate/subject").text,
    }


def s_client_agrees(name, extra):
    """Whether every group of `extra` can really be agreed, and none that is not in it."""
    spelled = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521", "x25519": "X25519", "x448": "X448"}
    for version in {version for version, _ in extra}:
        for group, word in spelled.items():
            flag = "-" + version.replace("v", "").replace(".", "_").lower()
            words = ["openssl", "s_client", "-connect", name, flag, "-groups", word, "-cipher", "ECDHE:@SECLEVEL=0"]
            text = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout
            if ("Server Temp Key" in text) != ((version, group) in extra):
                return False
    return True


def rate(names, seconds):
    """Handshakes a second of `openssl s_time`, one process for each of two servers, added up."""
    running = [
        subprocess.Popen(["openssl", "s_time", "-connect", name, "-new", "-time", str(seconds)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for name in names
    ]
    total = 0
    for one in running:
        text = one.communicate()[0]
        # "N connections in M real seconds, …"
        line = [line for line in text.splitlines() if "real seconds" in line][-1].split()
        total += int(line[0]) / int(line[3])
    return total


def main():
    words = argparse.ArgumentParser()
    words.add_argument("--count", type=int, default=1000)
    words.add_argument("--sslscan", type=int)
    words.add_argument("--target", default=os.path.join(HERE, "..", "target"))
    words = words.parse_args()
    release = os.path.join(words.target, "release")
    farm = subprocess.Popen([os.path.join(release, "examples", "farm"), str(words.count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    lines = [farm.stdout.readline().split() for _ in range(words.count)]
    names = [line[0] for line in lines]
    try:
        with tempfile.TemporaryDirectory() as place:
            usual = [name for name, kind in lines if kind == "usual"][:2]
            handshakes = rate(usual, 5)
            print(f"openssl s_time -new, two at a time              {handshakes:,.0f} handshakes a second", flush=True)
            took, targets = ours(os.path.join(release, "capgrow"), names, place)
            connections = sum(target["connections"] for target in targets)
            print(f"probe, {len(names)} servers                               {took:.1f} s, {connections:,} connections, {connections / took:,.0f} a second", flush=True)
            some = names[: words.sslscan or len(names)]
            their_took, tests = theirs(some, place)
            each = their_took / len(some)
            print(f"sslscan, {len(some)} of them                           {their_took:.1f} s; probe needs 1/{each * len(names) / took:.0f} of its time for one")
            by_name = {target["target"]: target for target in targets}
            kinds = {name: kind for name, kind in lines}
            asked, confirmed, different = {}, 0, 0
            for test in tests:
                target = by_name[f"{test.get('host')}:{test.get('port')}"]
                mine, other = our_findings(target), their_findings(test)
                for key in mine:
                    if mine[key] == other[key]:
                        continue
                    extra = [one for one in mine[key] if one not in other[key]]
                    only_more = key == "groups" and all(one in mine[key] for one in other[key])
                    kind = kinds[target["target"]], str(extra)
                    if only_more and kind not in asked:
                        asked[kind] = s_client_agrees(target["target"], extra)
                    if only_more and asked[kind]:
                        confirmed += 1
                    else:
                        different += 1
                        if different <= 5:
                            print(f"different {key} at {target['target']}: {mine[key]} / {other[key]}")
            print(f"targets compared, differences                   {len(tests)}, {different}")
            print(f"groups that sslscan does not list and s_client confirms: at {confirmed} targets, {len(asked)} kinds")
    finally:
        farm.stdin.close()
        farm.wait()


main()
