# SPDX-License-Identifier: Apache-2.0
"""One list in every format: python3 list-formats.py TEXT COMMAND…

json and yaml must be the same objects; csv must parse, each row as long as its header, and hold TEXT ("" for none) as it is;
the lines of a table must be equally wide."""
import csv
import io
import json
import subprocess
import sys
import unicodedata

import yaml

text, command = sys.argv[1], sys.argv[2:]


def run(form):
    return subprocess.run([*command, "--format", form], check=True, capture_output=True, timeout=60).stdout.decode("utf-8")


def width(line):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def plain(value):
    """LXD's YAML has an empty list or map where its JSON has null."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()} or None
    if isinstance(value, list):
        return [plain(v) for v in value] or None
    return value


class Loader(yaml.SafeLoader):
    """Times stay text, as in JSON."""


Loader.yaml_implicit_resolvers = {
    k: [(tag, r) for tag, r in v if tag != "tag:yaml.org,2002:timestamp"] for k, v in yaml.SafeLoader.yaml_implicit_resolvers.items()
}

as_json, as_yaml = plain(json.loads(run("json"))), plain(yaml.load(run("yaml"), Loader))
if as_json != as_yaml:
    sys.exit(f"json and yaml differ:\n{as_json}\n{as_yaml}")
rows = list(csv.reader(io.StringIO(run("csv,header")), strict=True))
if any(len(row) != len(rows[0]) for row in rows):
    sys.exit(f"rows of different length: {rows}")
if list(csv.reader(io.StringIO(run("csv")), strict=True)) != rows[1:]:
    sys.exit("csv and csv,header differ in more than the header")
if text and not any(text in cell for row in rows[1:] for cell in row):
    sys.exit(f"{text!r} is in no cell of {rows}")
if text and text not in json.dumps(as_json, ensure_ascii=False).replace('\\"', '"'):
    sys.exit(f"{text!r} is not in {as_json}")
if len({width(line) for line in run("table").splitlines()}) > 1:
    sys.exit("the table's lines are not equally wide:\n" + run("table"))
run("compact")
