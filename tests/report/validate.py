"""Checks JSON files against a JSON Schema: validate.py SCHEMA FILE ... prints what is wrong, and where."""
import json
import pathlib
import sys

import jsonschema

schema, *files = sys.argv[1:]
validator = jsonschema.Draft7Validator(json.loads(pathlib.Path(schema).read_text()))
wrong = False
for file in files:
    for error in validator.iter_errors(json.loads(pathlib.Path(file).read_text())):
        best = jsonschema.exceptions.best_match([error])
        print(f"{file}: /{'/'.join(map(str, best.absolute_path))}: {best.message[:200]}", file=sys.stderr)
        wrong = True
sys.exit(wrong)
