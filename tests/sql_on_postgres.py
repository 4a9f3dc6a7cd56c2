#!/usr/bin/env python3
"""Prepares every statement of the product on a throwaway PostgreSQL and on SQLite, so that its SQL stays in both.

Reads the sources: R"ddl(…)ddl" in schema.cc files, applied by migration number, and every R"sql(…)sql". Tests
and files called *_sqlite.cc are left out. Exit code 77 (skipped) when PostgreSQL is not installed, unless CI is set.
"""
import os, pathlib, pwd, re, shutil, sqlite3, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
DDL = re.compile(r'\{\s*(\d+)\s*,\s*"([^"]*)"\s*,\s*R"ddl\((.*?)\)ddl"', re.S)
SQL = re.compile(r'R"sql\((.*?)\)sql"', re.S)
LOOSE = re.compile(r'\btx\s*\.\s*(?:query|execute|first)\(\s*(?:"|R"(?!sql\())')
LITERALS = re.compile(r"'(?:[^']|'')*'|--[^\n]*")


class Item:
    def __init__(self, path, text, start, sql, number=0):
        self.where = f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, start) + 1}"
        self.sql = sql.strip().rstrip(";").strip()
        self.number = number
        self.faults = []


def collect():
    """(migrations in order, statements, faults of form)"""
    migrations, statements, faults = [], [], []
    for path in sorted((ROOT / "src").rglob("*.cc")):
        if path.name.endswith(("_test.cc", "_sqlite.cc")):
            continue
        text = path.read_text()
        found = [Item(path, text, m.start(), m[3], int(m[1])) for m in DDL.finditer(text)]
        if len(found) != text.count('R"ddl('):
            faults.append(f'{path.relative_to(ROOT)}: DDL must read {{number, "name", R"ddl(…)ddl"}}')
        migrations += found
        for match in SQL.finditer(text):
            item = Item(path, text, match.start(), match[1])
            bare = LITERALS.sub("", item.sql)
            if ";" in bare or "'" in bare or not item.sql:
                item.faults.append("form: not exactly one statement")
            statements.append(item)
        faults += [f'{Item(path, text, m.start(), "").where}: SQL outside of R"sql(…)sql"' for m in LOOSE.finditer(text)]
    migrations.sort(key=lambda item: item.number)
    for one, next_one in zip(migrations, migrations[1:]):
        if one.number == next_one.number:
            faults.append(f"{next_one.where}: migration {one.number} is also at {one.where}")
    return migrations, statements, faults


def try_sqlite(migrations, statements):
    database = sqlite3.connect(":memory:")
    for item in migrations:
        try:
            database.executescript(item.sql.replace("$BYTES", "BLOB").replace("$CLUSTERED", "WITHOUT ROWID"))
        except sqlite3.Error as error:
            item.faults.append(f"SQLite: {error}")
    for item in statements:
        arguments = {number: None for number in re.findall(r"\$(\d+)", item.sql)}
        try:
            database.execute("EXPLAIN " + item.sql, arguments)
        except sqlite3.Error as error:
            item.faults.append(f"SQLite: {error}")


class Postgres:
    """A server that only this test can reach: a socket in a folder of its own, no network."""

    def __init__(self, binaries):
        self.binaries = binaries
        self.folder = tempfile.mkdtemp(prefix="wharfage-pg-")
        self.as_user = {}
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self.server = None

    def run(self, program, *arguments, **more):
        return subprocess.run([self.binaries / program, *arguments], cwd=self.folder, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **self.as_user, **more)

    def __enter__(self):
        data = self.folder + "/data"
        made = self.run("initdb", "-D", data, "-U", "test", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        if made.returncode != 0:
            self.__exit__()
            sys.exit("initdb failed:\n" + made.stdout)
        settings = ["listen_addresses=", f"unix_socket_directories={self.folder}", "fsync=off", "shared_buffers=8MB",
                    "autovacuum=off", "max_connections=5"]
        with open(self.folder + "/log", "w") as log:
            self.server = subprocess.Popen(
                [self.binaries / "postgres", "-D", data, *(word for one in settings for word in ("-c", one))],
                cwd=self.folder, stdout=log, stderr=log, **self.as_user)
        while self.run("pg_isready", "-q", "-h", self.folder).returncode != 0:
            if self.server.poll() is not None:
                text = pathlib.Path(self.folder, "log").read_text()
                self.__exit__()
                sys.exit("PostgreSQL did not start:\n" + text)
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        if self.server and self.server.poll() is None:
            self.server.terminate()  # "smart": our one client has gone
            self.server.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def psql(self, script):
        return self.run("psql", "-X", "-q", "-h", self.folder, "-U", "test", "-d", "postgres", "-f", "-",
                        input=script).stdout


def try_postgres(binaries, migrations, statements):
    items = migrations + statements
    script = ["\\set VERBOSITY terse", "SET client_min_messages = error;"]
    for index, item in enumerate(items):
        if any(fault.startswith("form") for fault in item.faults):
            continue  # would swallow what follows
        script.append(f"\\warn @@ {index}")
        if index < len(migrations):
            script.append(f"BEGIN;\n{item.sql.replace('$BYTES', 'BYTEA').replace('$CLUSTERED', '')};\nCOMMIT;")
        else:
            script.append(f"PREPARE s{index} AS\n{item.sql};")
    script.append("\\warn @@ end\n")
    with Postgres(binaries) as server:
        output = server.psql("\n".join(script))
    parts = re.split(r"^@@ (\w+)\n", output, flags=re.M)
    if "end" not in parts:
        sys.exit("psql did not reach the end:\n" + output)
    for index, said in zip(parts[1::2], parts[2::2]):
        for line in said.splitlines():
            if "ERROR" in line or "FATAL" in line:
                items[int(index)].faults.append("PostgreSQL: " + re.sub(r"^.*?(ERROR|FATAL)", r"\1", line))


def find_postgres():
    folders = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    folders += [pathlib.Path(folder) for folder in os.environ.get("PATH", "").split(":")]
    needed = ("initdb", "postgres", "psql", "pg_isready")
    return next((one for one in folders if all((one / name).exists() for name in needed)), None)


def main():
    migrations, statements, faults = collect()
    try_sqlite(migrations, statements)
    binaries = find_postgres()
    if binaries:
        try_postgres(binaries, migrations, statements)
    for item in migrations + statements:
        faults += [f"{item.where}: {fault}\n    {' '.join(item.sql.split())[:300]}" for fault in item.faults]
    if faults:
        sys.exit("\n".join(faults))
    print(f"{len(migrations)} migrations and {len(statements)} statements hold on SQLite {sqlite3.sqlite_version}", end="")
    if binaries:
        print(f" and PostgreSQL ({binaries})")
        return 0
    print("; PostgreSQL is not installed: not tried there")
    return 1 if os.environ.get("CI") else 77


sys.exit(main())
