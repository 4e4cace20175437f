"""Makes the blobs of FalkorDB's GRAPH.BULK command (its fastest way in) of the Parquet files of a folder.

One blob is a header (name, number of properties, their names) and entities: a node is its properties, a relation the
numbers of its ends and its properties; a property is a byte for its type and its value.
"""

import os
import struct
import sys

import numpy
import pyarrow.parquet

from peer import described

NULL = b"\x00"
FLAGS = {None: NULL, False: b"\x01\x00", True: b"\x01\x01"}
ROWS = 500_000


def header(name, columns):
    names = b"".join(column.encode() + b"\x00" for column, _ in columns)
    return name.encode() + b"\x00" + struct.pack("=I", len(columns)) + names


def packed(column, of):
    values = column.to_pylist() if of != "time" else column.cast("int64").to_pylist()
    if of == "bool":
        return [FLAGS[value] for value in values]
    if of == "string":
        return [NULL if value is None else b"\x03" + value.encode() + b"\x00" for value in values]
    pack, tag = (struct.Struct("=Bd").pack, 2) if of == "float" else (struct.Struct("=Bq").pack, 4)
    return [NULL if value is None else pack(tag, value) for value in values]


def nodes(batch, columns):
    cells = [packed(batch.column(name), of) for name, of in columns]
    return b"".join(cell for row in zip(*cells) for cell in row)


def relations(batch, columns):
    form = [("from", "<u8"), ("to", "<u8")]
    for name, _ in columns:
        form += [(name + " type", "u1"), (name, "<i8")]
    rows = numpy.zeros(batch.num_rows, dtype=form)
    for name in ("from", "to", *(name for name, _ in columns)):
        rows[name] = batch.column(name).to_numpy()
    for name, _ in columns:
        rows[name + " type"] = 4
    return rows.tobytes()


def main():
    folder = sys.argv[1]
    made = os.path.join(folder, "falkordb.txt")
    if os.path.exists(made):
        return
    data, lines = described(folder), []
    for what, tables, encode in (("node", data["nodes"], nodes), ("relation", data["relations"], relations)):
        for table in tables:
            file = pyarrow.parquet.ParquetFile(os.path.join(folder, table["file"].removesuffix(".csv") + ".parquet"))
            start = header(table.get("label") or table["name"], table["columns"])
            for number, batch in enumerate(file.iter_batches(ROWS)):
                name = f"{table['file'].removesuffix('.csv')}.{number}.bulk"
                with open(os.path.join(folder, name), "wb") as out:
                    out.write(start)
                    out.write(encode(batch, table["columns"]))
                lines.append(f"{what} {batch.num_rows} {name}\n")
    with open(made + ".part", "w") as out:
        out.writelines(lines)
    os.rename(made + ".part", made)


if __name__ == "__main__":
    main()
