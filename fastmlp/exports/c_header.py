"""Models as a header of C99 without dependencies or allocation, in float32."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from .._version import __version__
from ..base.errors import ConfigError
from ..ops.fitted_category import FittedCategory
from .c_writer import CWriter
from .program import Program, features_of_texts

# Names that C and C++ keep for themselves.
_KEYWORDS = {
    "alignas", "alignof", "and", "asm", "auto", "bool", "break", "case", "catch", "char",
    "class", "const", "constexpr", "continue", "decltype", "default", "delete", "do",
    "double", "else", "enum", "explicit", "export", "extern", "false", "final", "float",
    "for", "friend", "goto", "if", "inline", "int", "long", "mutable", "namespace", "new",
    "not", "operator", "or", "private", "protected", "public", "register", "restrict",
    "return", "short", "signed", "sizeof", "static", "struct", "switch", "template", "this",
    "throw", "true", "try", "typedef", "typename", "union", "unsigned", "using", "virtual",
    "void", "volatile", "while", "xor",
}  # fmt: skip
_HEAD = """\
/* Predictions of a trained model: {title}.
 *
 * C99 without dependencies or allocation, in float32{wide}. Everything is static inline: include
 * it where it is used, and link with -lm.
 *
{usage}
 *
 * Written by fastmlp {version}. */

#ifndef {guard}_H
#define {guard}_H

#include <math.h>
#include <string.h>

"""


def c_source(program: Program, prefix: str = "model") -> str:
    """Return the text of a header.

    Parameters
    ----------
    program : Program
    prefix : str, default "model"
        Of all names that it defines.

    Raises
    ------
    ConfigError
        If the prefix is no name in C.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", prefix) or prefix in _KEYWORDS:
        raise ConfigError(
            f"name must be letters, digits and underscores, a letter first, got {prefix!r}; all "
            "names of the header begin with it"
        )
    writer, guard = CWriter(prefix), prefix.upper()
    row = f"const {'float' if program.encoding is None else f'{prefix}_row'} *row"
    functions = [_features(program, writer, row)]
    for number, operations in enumerate(program.members):
        last = writer.write(operations, "input")
        writer.lines.append(f"memcpy(output, {last}, {program.task.n_outputs} * sizeof(float));")
        body = [f"float a[{writer.largest}], b[{writer.largest}];", "(void)b;", *writer.lines]
        functions.append(_function(
            f"void {prefix}_network_{number}(const float *input, float *output)", body
        ))  # fmt: skip
        writer.lines = []
    functions.append(_outputs(program, prefix, row))
    functions += _predictions(program, writer, row)
    head = _HEAD.format(
        title=program.title, usage=_usage(program, prefix), guard=guard,
        version=__version__, wide="; features are scaled in double",
    )  # fmt: skip
    sizes = [f"#define {guard}_{name} {n}" for name, n in _sizes(program).items()]
    parts = ["\n".join(sizes), *_row_type(program, prefix), *writer.arrays, *functions]
    return head + "\n\n".join(parts) + "\n\n#endif\n"


def field_names(program: Program) -> list[str]:
    """Return a name in C for each column of a table."""
    fields: list[str] = []
    for j in range(program.n_columns):
        given = program.names[j] if program.names else f"column_{j}"
        name = re.sub(r"[^A-Za-z0-9_]+", "_", given).strip("_")
        if not re.match(r"[A-Za-z]", name) or name in _KEYWORDS or name in fields:
            name = f"column_{j}_{name}".rstrip("_")
        fields.append(name)
    return fields


def _sizes(program: Program) -> dict[str, int]:
    sizes = {"FEATURES": program.n_columns, "OUTPUTS": program.task.n_outputs}
    return sizes if program.task.classes is None else {**sizes, "CLASSES": len(program.labels)}


def _function(head: str, body: list[str]) -> str:
    lines = "\n".join(f"    {line}" for line in body)
    return f"static inline {head}\n{{\n{lines}\n}}"


def _text(value: object) -> str:
    """Return a literal of a text, bytes beyond ASCII as octal escapes of UTF-8."""
    quoted = json.dumps(str(value), ensure_ascii=False).encode()
    plain = "".join(chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}" for byte in quoted)
    plain = re.sub(r"\\u00([0-9a-f]{2})", lambda found: f"\\{int(found[1], 16):03o}", plain)
    return plain.replace("??", '?""?')  # no trigraph


def _row_type(program: Program, prefix: str) -> Iterator[str]:
    """Yield the type of a row of a table."""
    if program.encoding is None:
        return
    types = {"number": "double ", "time": "double ", "text": "const char *"}
    notes = {"number": "NaN: a gap", "time": "seconds since 1970; NaN: a gap",
             "text": "NULL: a gap"}  # fmt: skip
    lines = [
        f"    {types[column.fitted.takes]}{field}; /* {notes[column.fitted.takes]} */"
        for field, column in zip(field_names(program), program.encoding.columns, strict=True)
    ]
    yield "typedef struct {\n" + "\n".join(lines) + f"\n}} {prefix}_row;"


def _features(program: Program, writer: CWriter, row: str) -> str:
    """Return the function that scales or encodes a row."""
    head = f"void {writer.prefix}_features({row}, float *features)"
    n = program.n_features
    if program.encoding is None:
        if program.scaling is None:
            return _function(head, [f"memcpy(features, row, {n} * sizeof(float));"])
        writer.apply_to(program.scaling, "row", "features")
    else:
        writer.lines.append(f"memset(features, 0, {n} * sizeof(float));")
        columns = zip(field_names(program), program.encoding.columns, strict=True)
        for (field, (_, fitted)), places in zip(columns, program.encoding.places, strict=True):
            if isinstance(fitted, FittedCategory):
                _write_texts(fitted, writer, field, next(iter(places.tolist()), 0))
                continue
            for place, formula in zip(places, fitted.formulas(), strict=True):
                writer.assign(formula, f"row->{field}", f"features[{place}]")
    body, writer.lines = writer.lines, []
    return _function(head, body)


def _write_texts(fitted: FittedCategory, writer: CWriter, field: str, start: int) -> None:
    """Write the statements that set the feature of a text."""
    if not fitted.outputs:
        return
    known = features_of_texts(fitted)
    texts = ", ".join(map(_text, known))
    indices = ", ".join(map(str, known.values()))
    writer.lines += [
        "{",
        f"    static const char *const texts[] = {{{texts}}};",
        f"    static const int indices[] = {{{indices}}};",
        f'    const char *text = row->{field} ? row->{field} : "";',
        f"    int feature = {fitted.level_features().other};",
        f"    for (int i = 0; i < {len(known)}; i++)",
        "        if (strcmp(text, texts[i]) == 0)",
        "            feature = indices[i];",
        "    if (feature >= 0)",
        f"        features[{start} + feature] = 1.0f;",
        "}",
    ]


def _outputs(program: Program, prefix: str, row: str) -> str:
    """Return the function that computes the outputs of a row."""
    n, n_outputs = len(program.members), program.task.n_outputs
    body = [f"float features[{program.n_features}];", f"{prefix}_features(row, features);"]
    if n == 1:
        body.append(f"{prefix}_network_0(features, outputs);")
    else:
        body += [f"float part[{n_outputs}];", f"memset(outputs, 0, {n_outputs} * sizeof(float));"]
        for number in range(n):
            body += [
                f"{prefix}_network_{number}(features, part);",
                f"for (int j = 0; j < {n_outputs}; j++)",
                f"    outputs[j] += part[j] / {n}.0f;",
            ]
    return _function(f"void {prefix}_outputs({row}, float *outputs)", body)


def _predictions(program: Program, writer: CWriter, row: str) -> Iterator[str]:
    """Yield the functions that return labels, probabilities or predictions."""
    task, prefix, n = program.task, writer.prefix, program.task.n_outputs
    outputs = [f"float outputs[{n}];", f"{prefix}_outputs(row, outputs);"]
    if task.kind == "regression":
        kind = "double" if program.predicted_dtype("float32") == "float64" else "float"
        if program.target is not None:
            writer.apply_to(program.target, "outputs", "predictions", kind)
        else:
            writer.lines.append("memcpy(predictions, outputs, sizeof outputs);")
        body, writer.lines = outputs + writer.lines, []
        yield _function(f"void {prefix}_predict({row}, {kind} *predictions)", body)
        return
    threshold = writer.number(task.threshold, wide=False)
    if task.kind == "multilabel":
        above = [f"for (int j = 0; j < {n}; j++)", f"    labels[j] = outputs[j] >= {threshold};"]
        yield _function(f"void {prefix}_predict({row}, int *labels)", outputs + above)
        probabilities = ["memcpy(probabilities, outputs, sizeof outputs);"]
    else:
        yield _classes(program, prefix)
        found = [f"return outputs[0] >= {threshold};"]
        probabilities = ["probabilities[0] = 1.0f - outputs[0];", "probabilities[1] = outputs[0];"]
        if task.kind == "multiclass":
            found = [
                "int best = 0;",
                f"for (int j = 1; j < {n}; j++)",
                "    if (outputs[j] > outputs[best])",
                "        best = j;",
                "return best;",
            ]
            probabilities = ["memcpy(probabilities, outputs, sizeof outputs);"]
        yield _function(f"int {prefix}_predict({row})", outputs + found)
    yield _function(
        f"void {prefix}_probabilities({row}, float *probabilities)", outputs + probabilities
    )


def _classes(program: Program, prefix: str) -> str:
    """Return the array of labels: texts, or numbers."""
    labels = program.labels
    kinds = {"i": "long long", "u": "long long", "b": "int", "f": "double"}
    kind = kinds.get(labels.dtype.kind, "char *const")
    values = [
        _text(label) if labels.dtype.kind not in kinds
        else f"{int(label)}" if labels.dtype.kind in "bui" else repr(label)
        for label in labels.tolist()
    ]  # fmt: skip
    return f"static const {kind} {prefix}_classes[{len(values)}] = {{{', '.join(values)}}};"


def _usage(program: Program, prefix: str) -> str:
    """Return the lines of the comment that say what to call."""
    guard = prefix.upper()
    row = f"float row[{guard}_FEATURES]" if program.encoding is None else f"{prefix}_row row"
    address = "row" if program.encoding is None else "&row"
    lines = {
        "regression": [f"{prefix}_predict({address}, predictions); /* {guard}_OUTPUTS of them"],
        "multilabel": [f"{prefix}_predict({address}, labels); /* {guard}_OUTPUTS of 0 and 1",
                       f"{prefix}_probabilities({address}, probabilities);"],
    }.get(program.task.kind, [
        f"{prefix}_classes[{prefix}_predict({address})]",
        f"{prefix}_probabilities({address}, probabilities); /* {guard}_CLASSES of them",
    ])  # fmt: skip
    return "\n".join(f" *     {line.replace('/*', '//')}" for line in [f"{row};", *lines])
