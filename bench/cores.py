#!/usr/bin/env python3
"""Small hard fleets: the planner against a general solver, OR-tools CP-SAT, in the same run and on the same fleets.

    python3 -m venv VENV && VENV/bin/pip install ortools
    cargo build --release -p planner --example cores
    VENV/bin/python bench/cores.py [FLEETS]

The solver gets the theorem that the planner builds on: of the components that both prove and verify, those that grow and
switch at once must have no cycle among themselves, nor those that switch and retire at once; all others pay once more.
It runs on one thread, and its time is that of the processor, without building the model. Fails where the two disagree.
"""

import sys

sys.path.pop(0)  # beside this file lies one that is called like a module that OR-tools needs

import json
import os
import statistics
import subprocess
import time
from pathlib import Path

try:
    from ortools.sat.python import cp_model
except ImportError:
    print("SKIPPED: no OR-tools: pip install ortools")
    sys.exit(0)


def target():
    return Path(os.environ.get("CARGO_TARGET_DIR", Path(__file__).parent.parent / "target"))


def solve(fleet):
    """The least cost in thousandths by the solver, and its seconds."""
    costs, links = fleet["costs"], fleet["links"]
    arcs = {(b, a) for a, b in links} | ({(a, b) for a, b in links} if fleet["mutual"] else set())
    proves, verifies = {p for p, _ in arcs}, {v for _, v in arcs}
    base = sum(c * ((x in proves) + 2 * (x in verifies) - (x in proves & verifies)) for x, c in enumerate(costs))
    both = sorted(proves & verifies)
    model = cp_model.CpModel()
    apart = {x: model.new_bool_var("") for x in both}
    for _ in range(2):
        side = {x: model.new_bool_var("") for x in both}
        place = {x: model.new_int_var(0, len(both), "") for x in both}
        for p, v in arcs:
            if p not in side or v not in side or p == v:
                continue
            if (v, p) in arcs:
                model.add_bool_or([~side[p], ~side[v]])
            else:
                model.add(place[p] < place[v]).only_enforce_if([side[p], side[v]])
        for x in both:
            apart.setdefault((x, "sides"), []).append(side[x])
    for x in both:
        model.add_bool_or(apart[(x, "sides")] + [apart[x]])
    model.minimize(sum(costs[x] * apart[x] for x in both))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_time_in_seconds = 120
    begin = time.process_time()
    status = solver.solve(model)
    seconds = time.process_time() - begin
    if status != cp_model.OPTIMAL:
        return None, seconds
    return 1000 * (base + round(solver.objective_value)), seconds


def main():
    count = sys.argv[1] if len(sys.argv) > 1 else "120"
    program = target() / "release/examples/cores"
    lines = subprocess.run([program, count], check=True, capture_output=True, text=True).stdout.splitlines()
    ratios, ours, theirs, words, wrong, late = [], [], [], {}, 0, 0
    for number, line in enumerate(lines):
        fleet = json.loads(line)
        least, seconds = solve(fleet)
        if least is None:
            late += 1
        elif least != fleet["cost"] or fleet["bound"] > least or fleet["violations"]:
            wrong += 1
            print(f"fleet {number}: the solver says {least}, the planner {fleet['cost']}, bound {fleet['bound']}")
        words[fleet["status"]] = words.get(fleet["status"], 0) + 1
        ours.append(fleet["microseconds"] / 1e3)
        theirs.append(seconds * 1e3)
        ratios.append(theirs[-1] / max(ours[-1], 1e-3))
    print(f"{len(lines)} fleets of 10 to 40 components; {wrong} disagreements, {late} without an answer of the solver")
    for name, list_ in (("planner", ours), ("CP-SAT", theirs)):
        print(f"{name}: median {statistics.median(list_):.3f} ms, most {max(list_):.1f} ms")
    print(f"times as fast: median {statistics.median(ratios):.0f}, least {min(ratios):.1f}")
    print(f"bounds: {words}; the check took at most {max(json.loads(l)['check'] for l in lines) / 1e3:.1f} ms")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
