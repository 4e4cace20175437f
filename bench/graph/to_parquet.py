"""Makes Parquet files (Zstandard) of the generated CSV files of a folder."""

import os
import sys

import pyarrow
import pyarrow.csv
import pyarrow.parquet

from peer import described

TYPES = {
    "int": pyarrow.int64(),
    "float": pyarrow.float64(),
    "bool": pyarrow.bool_(),
    "string": pyarrow.string(),
    # Read as a number, then told apart.
    "time": pyarrow.int64(),
}


def convert(folder, file, columns):
    names = [name for name, _ in columns]
    target = os.path.join(folder, file.removesuffix(".csv") + ".parquet")
    reader = pyarrow.csv.open_csv(
        os.path.join(folder, file),
        read_options=pyarrow.csv.ReadOptions(column_names=names, block_size=16 << 20),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types={name: TYPES[of] for name, of in columns}, strings_can_be_null=True, null_values=[""]
        ),
    )
    schema = pyarrow.schema(
        [(name, pyarrow.timestamp("us") if of == "time" else TYPES[of]) for name, of in columns]
    )
    with pyarrow.parquet.ParquetWriter(target + ".part", schema, compression="zstd") as writer:
        for batch in reader:
            arrays = [column.cast(field.type) for column, field in zip(batch.columns, schema)]
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))
    os.rename(target + ".part", target)


def main():
    folder = sys.argv[1]
    made = os.path.join(folder, "parquet.txt")
    if os.path.exists(made):
        return
    data = described(folder)
    for table in data["nodes"]:
        convert(folder, table["file"], table["columns"])
    for relation in data["relations"]:
        convert(folder, relation["file"], [["from", "int"], ["to", "int"], *relation["columns"]])
    open(made, "w").close()


if __name__ == "__main__":
    main()
