"""LadybugDB: loads the Parquet files of a folder into a new database on disk, then runs the work."""

import os
import shutil

import ladybug

from peer import Clock, described, loaded, measure, say, works

TYPES = {"int": "INT64", "float": "DOUBLE", "bool": "BOOL", "string": "STRING", "time": "TIMESTAMP"}


def load(connection, folder, data):
    for table in data["nodes"]:
        columns = ", ".join(f"{name} {TYPES[of]}" for name, of in table["columns"])
        connection.execute(f"CREATE NODE TABLE `{table['label']}`({columns}, PRIMARY KEY(number))")
    ends = {}
    for relation in data["relations"]:
        ends.setdefault(relation["name"], []).append(relation)
    for name, relations in ends.items():
        pairs = ", ".join(f"FROM `{one['from']}` TO `{one['to']}`" for one in relations)
        columns = "".join(f", {column} {TYPES[of]}" for column, of in relations[0]["columns"])
        connection.execute(f"CREATE REL TABLE `{name}`({pairs}{columns})")
    for table in data["nodes"]:
        file = os.path.join(folder, table["file"].removesuffix(".csv") + ".parquet")
        connection.execute(f"COPY `{table['label']}` FROM '{file}'")
    for relation in data["relations"]:
        file = os.path.join(folder, relation["file"].removesuffix(".csv") + ".parquet")
        connection.execute(f"COPY `{relation['name']}` FROM '{file}' (from='{relation['from']}', to='{relation['to']}')")
    connection.execute("CHECKPOINT")


def main():
    todo = works()
    folder, process = todo["folder"], os.getpid()
    place = os.path.join(folder, "ladybug")
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    say(version=f"LadybugDB {ladybug.__version__}")
    data = described(folder)
    clock = Clock(process)
    connection = ladybug.Connection(ladybug.Database(os.path.join(place, "graph.lbug")))
    load(connection, folder, data)
    wall_ms = int(todo["seconds"] * 1000)
    nodes, relations = (
        connection.execute(query).get_all()[0][0]
        for query in ("MATCH (n) RETURN count(*)", "MATCH ()-[r]->() RETURN count(*)")
    )
    loaded(process, clock, [[nodes, relations]])
    connection.set_query_timeout(wall_ms)
    measure(process, todo, "ladybug", lambda query: connection.execute(query).get_all())
    del connection
    shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
