#!/usr/bin/env python3
"""Structure that no compiler checks. usage: check.py BUILD_DIR (reads rooms.txt that CMake writes there)

 - every #include of a room's public header is of a declared dependency; no include climbs with ../ out of its room
 - llama.cpp's headers are seen in infer/llama only, SQLite's in store and the sqlite adapters only
 - no other room's private header is included
 - no path of one machine, no registry host, no unfinished-work words in what is committed
 - JSON files parse; shell scripts pass `bash -n`
 - every room has a README
"""
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]', re.M)
problems = []


def complain(path, text):
    problems.append(f"{path.relative_to(ROOT) if path.is_absolute() else path}: {text}")


def rooms(build):
    out = {}
    for line in (pathlib.Path(build) / "rooms.txt").read_text().split():
        name, layer, folder, deps = line.split("|")
        out[name] = (int(layer), pathlib.Path(folder), set(filter(None, deps.split(","))))
    return out


def reachable(name, all_rooms):
    seen, todo = set(), [name]
    while todo:
        for dep in all_rooms[todo.pop()][2]:
            if dep not in seen:
                seen.add(dep)
                todo.append(dep)
    return seen


def owners(all_rooms):
    """Header path as included → room that offers it."""
    out = {}
    for name, (_, folder, _) in all_rooms.items():
        include = folder / "include"
        for header in include.rglob("*.h"):
            out[str(header.relative_to(include))] = name
    return out


def check_includes(all_rooms):
    owner = owners(all_rooms)
    folders = sorted(((folder, name) for name, (_, folder, _) in all_rooms.items()), key=lambda x: -len(str(x[0])))
    for source in [*ROOT.glob("src/**/*.h"), *ROOT.glob("src/**/*.cc")]:
        room = next((name for folder, name in folders if source.is_relative_to(folder)), None)
        if room is None:
            complain(source, "belongs to no room")
            continue
        test = "/tests/" in str(source) or "/bench/" in str(source)
        allowed = reachable(room, all_rooms) | {room}
        for include in INCLUDE.findall(source.read_text(encoding="utf-8")):
            if include.startswith("../") and not test:
                complain(source, f'includes "{include}": climb by no ../, use the room\'s name')
            if include in owner and owner[include] not in allowed and not test:
                complain(source, f'includes "{include}" of room {owner[include]}, which {room} does not depend on')
            if include in ("llama.h", "ggml.h", "chat.h", "sampling.h") and room != "infer_llama":
                complain(source, f"includes {include}: only infer/llama may")
            if include == "sqlite3.h" and room != "store" and "sqlite" not in str(source):
                complain(source, "includes sqlite3.h: only store and the sqlite adapters may")


def committed():
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


TEXT = {".cc", ".h", ".py", ".sh", ".md", ".toml", ".txt", ".json", ".ts", ".svelte", ".mjs", ".js", ".cmake", ".css", ".html", ""}
FORBIDDEN = [(re.compile(p), why) for p, why in [
    (r"(?<![\w.])/(root|work|home/\w+)/", "a path of one machine"),
    (r"pypi\.org|registry\.npmjs\.org|repo1?\.maven\.org|files\.pythonhosted", "a registry's host"),
    (r"\b(TODO|FIXME|XXX)\b", "unfinished work"),
]]


def check_texts(files):
    for path in files:
        if path.suffix not in TEXT or "corpus" in path.parts or path == pathlib.Path(__file__).resolve():
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for pattern, why in FORBIDDEN:
            if found := pattern.search(text):
                complain(path, f"line {text.count(chr(10), 0, found.start()) + 1}: {why}: {found.group(0)}")
        if path.suffix == ".json" and "tsconfig" not in path.name and "golden" not in path.parts:
            try:
                json.loads(text)
            except ValueError as error:
                complain(path, f"not JSON: {error}")
        if text.startswith("#!/usr/bin/env bash") and subprocess.run(["bash", "-n", str(path)], capture_output=True).returncode:
            complain(path, "bash -n fails")


def check_readmes(all_rooms):
    for name, (_, folder, _) in all_rooms.items():
        here = folder
        while here != ROOT / "src" and here != ROOT and not (here / "README.md").exists():
            here = here.parent
        if here in (ROOT / "src", ROOT):
            complain(folder, f"room {name} has no README.md")


def main():
    all_rooms = rooms(sys.argv[1])
    check_includes(all_rooms)
    check_readmes(all_rooms)
    files = committed()
    check_texts(files)
    for problem in problems:
        print(problem)
    print(f"structure: {len(all_rooms)} rooms, {len(files)} files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
